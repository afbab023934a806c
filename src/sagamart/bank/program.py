"""The bank at work: its database, its listener, and what time and webhooks need done."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

import asyncpg
import httpx
import msgspec
import structlog
from msgspec import Meta

from sagamart.bank.api import Desk
from sagamart.bank.application import build_app
from sagamart.bank.bank import Bank
from sagamart.bank.clock import Clock
from sagamart.bank.line import Line
from sagamart.bank.listener import Listener
from sagamart.bank.merchants import Merchants
from sagamart.bank.misbehaviour import WEBHOOK_NAMES, Misbehaviours
from sagamart.bank.requests import NewMerchant, NewWebhook
from sagamart.bank.webhooks import ANSWER_WAIT_S, Webhooks
from sagamart.platform.authorities import trusted
from sagamart.platform.databases import provision
from sagamart.platform.migrations import history_of, migrate

CONNECTIONS_MAX = 10
WAKE_S = 0.5
"""So often the bank looks for what is due; an event that has just been written is told at once."""
FAILED_WAIT_S = 1.0
PORT_DEFAULT = 8090
SHOP = "shop"

log = structlog.get_logger("sagamart.bank")


class BankSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a bank is started.  The keys are known to everybody, as its money is nobody's."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = PORT_DEFAULT
    address: str = ""
    """Where customers reach it; empty: where it listens."""
    admin_key: str = "bank-demo-admin"
    shop_key: str = "bank-demo-shop"
    """The API key of the merchant `shop`, which is made at the start."""
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    """The registered hosts of the merchant `shop`."""
    webhook_url: str | None = None
    webhook_secret: str = ""
    seed: int | None = None
    """Of the chance in misbehaviours; none: of the system."""


class RunningBank(msgspec.Struct, frozen=True):
    """A bank at work."""

    desk: Desk
    address: str


async def bank_database(admin_dsn: str) -> str:
    """The bank's own database on a PostgreSQL server, migrated; the DSN of its runtime role."""
    database = await provision(admin_dsn, "bank")
    await migrate(database.owner_dsn, [history_of("sagamart.bank")])
    return database.runtime_dsn


@asynccontextmanager
async def running_bank(dsn: str, settings: BankSettings, clock: Clock | None = None) -> AsyncIterator[RunningBank]:
    """A bank that listens, over a database that is migrated.  Raises OSError where the address is taken."""
    clock = clock or Clock()
    async with AsyncExitStack() as closing:
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=CONNECTIONS_MAX)
        closing.push_async_callback(pool.close)
        client = await closing.enter_async_context(
            httpx.AsyncClient(timeout=ANSWER_WAIT_S, trust_env=False, verify=trusted())
        )
        desk = _desk(pool, client, clock, settings)
        closing.push_async_callback(desk.line.close)
        await _settle_shop(desk, settings)
        app = build_app(desk, admin_key=settings.admin_key, checks={"database": lambda: pool.fetchval("select 1")})
        listener = await closing.enter_async_context(Listener(app, host=settings.host, port=settings.port))
        desk.bank.address = settings.address or f"http://{settings.host}:{listener.port}"
        for work in (_sweeping(desk), _telling(desk)):
            await closing.enter_async_context(_at_work(work))
        yield RunningBank(desk, desk.bank.address)


def _desk(pool: asyncpg.Pool, client: httpx.AsyncClient, clock: Clock, settings: BankSettings) -> Desk:
    chance = random.Random(settings.seed)  # noqa: S311  chance of misbehaviour, no secret
    misbehaviours = Misbehaviours(chance)
    bank = Bank(pool, clock=clock, mischief=lambda asked: misbehaviours.fires_any(WEBHOOK_NAMES, asked))
    return Desk(bank, Merchants(pool), Webhooks(pool, client, clock), Line(misbehaviours))


async def _settle_shop(desk: Desk, settings: BankSettings) -> None:
    """Make the merchant `shop`.  What it has since set as its webhook is kept where the settings name none."""
    known = await desk.merchants.by_key(settings.shop_key)
    if settings.webhook_url is not None:
        webhook = NewWebhook(settings.webhook_url, [settings.webhook_secret])
    elif known is not None:
        webhook = NewWebhook(known.webhook_url, list(known.webhook_secrets))
    else:
        webhook = NewWebhook(None, [])
    await desk.merchants.put(SHOP, NewMerchant("Sagamart", settings.shop_key, list(settings.hosts), webhook))


def _sweeping(desk: Desk) -> Callable[[], Awaitable[object]]:
    async def sweep() -> None:
        if not await desk.bank.sweep():
            await asyncio.sleep(WAKE_S)

    return sweep


def _telling(desk: Desk) -> Callable[[], Awaitable[object]]:
    async def tell() -> None:
        desk.bank.changed.clear()
        if not await desk.webhooks.deliver_due():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(desk.bank.changed.wait(), WAKE_S)

    return tell


@asynccontextmanager
async def _at_work(step: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Repeat a step for as long as the block runs; a step that fails is repeated after a while."""

    async def run() -> None:
        while True:
            try:
                await step()
            except Exception:
                log.exception("the bank's work failed; it is tried again")
                await asyncio.sleep(FAILED_WAIT_S)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
