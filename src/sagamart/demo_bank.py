"""The bank of a demonstration: simulated, beside the shop, over a database of its own on the embedded PostgreSQL."""

import base64
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from msgspec import structs

from sagamart.bank.program import BankSettings, bank_database, running_bank
from sagamart.platform.embedded import running_dsn
from sagamart.settings import ShopSettings

PORT_MAX = 65_535
BANK_PORTS_ABOVE = 10
"""The demo's bank listens so far above the shop, or on a free port where that one is taken."""

BACK_FROM_BANK = "/payments/back"
"""The page that customers come back to from the bank's."""


def webhook_secret() -> str:
    """A new secret for the bank to sign with."""
    return f"whsec_{base64.b64encode(os.urandom(24)).decode()}"


def with_bank(settings: ShopSettings, bank: str, secret: str) -> ShopSettings:
    """Have the shop take payments through the demo's bank, unless it has one already."""
    if settings.bank.url:
        return settings
    http = settings.http
    back = settings.bank.return_url or (f"http://{http.host}:{http.port}{BACK_FROM_BANK}" if http.port else "")
    keys = BankSettings()
    known = {"api_key": keys.shop_key, "admin_key": keys.admin_key, "webhook_secrets": (secret,)}
    return structs.replace(settings, bank=structs.replace(settings.bank, url=bank, return_url=back, **known))


async def hear_from(bank: str, shop: str, secret: str) -> None:
    """Have the demo's bank tell the shop what happens to its payments."""
    hook = {"url": f"{shop}/v1/bank-webhooks/bank", "secrets": [secret]}
    async with httpx.AsyncClient(trust_env=False) as http:
        key = {"Authorization": f"Bearer {BankSettings().shop_key}"}
        (await http.put(f"{bank}/v1/webhook", json=hook, headers=key)).raise_for_status()


@asynccontextmanager
async def demo_bank(settings: ShopSettings) -> AsyncIterator[str]:
    """The simulated bank over a database of its own on the shop's embedded PostgreSQL; gives its address."""
    dsn = await bank_database(running_dsn(Path(settings.data)))
    host, wanted = settings.http.host, settings.http.port + BANK_PORTS_ABOVE
    async with AsyncExitStack() as closing:
        try:
            port = wanted if settings.http.port and wanted <= PORT_MAX else 0
            bank = await closing.enter_async_context(running_bank(dsn, BankSettings(host=host, port=port)))
        except OSError:
            bank = await closing.enter_async_context(running_bank(dsn, BankSettings(host=host, port=0)))
        yield bank.address
