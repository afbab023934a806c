"""Merchants: who they are, by which key, and which addresses are theirs."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec

from sagamart.bank.answers import Merchant, Webhook
from sagamart.bank.requests import NewMerchant, NewWebhook
from sagamart.bank.signature import key_of
from sagamart.platform.http import Malformed, Problem


class KnownMerchant(msgspec.Struct, frozen=True):
    """A merchant who has shown its API key."""

    merchant_id: str
    name: str
    hosts: Sequence[str]
    webhook_url: str | None
    webhook_secrets: Sequence[str]

    @property
    def webhook(self) -> Webhook:
        """Where it is told; the secrets themselves are never shown."""
        return Webhook(self.webhook_url, len(self.webhook_secrets))


class Merchants:
    """The bank's merchants."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def by_key(self, api_key: str) -> KnownMerchant | None:
        """Who has this API key.  Only its digest is stored, so looking it up needs no constant time."""
        row = await self._pool.fetchrow(
            "select merchant_id, name, hosts, webhook_url, webhook_secrets from merchants where api_key_sha256 = $1",
            _digest(api_key),
        )
        return KnownMerchant(*row.values()) if row is not None else None

    async def put(self, merchant_id: str, wanted: NewMerchant) -> Merchant:
        """Make or change a merchant.  Raises Problem where its webhook's or another's key stand against it."""
        check_webhook(wanted.webhook, wanted.hosts)
        try:
            await self._pool.execute(
                """
                insert into merchants (merchant_id, name, api_key_sha256, hosts, webhook_url, webhook_secrets)
                values ($1, $2, $3, $4, $5, $6)
                on conflict (merchant_id) do update set name = excluded.name,
                    api_key_sha256 = excluded.api_key_sha256, hosts = excluded.hosts,
                    webhook_url = excluded.webhook_url, webhook_secrets = excluded.webhook_secrets
                """,
                merchant_id,
                wanted.name,
                _digest(wanted.api_key),
                wanted.hosts,
                wanted.webhook.url,
                wanted.webhook.secrets,
            )
        except asyncpg.UniqueViolationError as error:
            raise Problem(409, "api_key_taken", "Another merchant has this API key") from error
        webhook = Webhook(wanted.webhook.url, len(wanted.webhook.secrets))
        return Merchant(merchant_id, wanted.name, wanted.hosts, webhook)

    async def put_webhook(self, merchant: KnownMerchant, wanted: NewWebhook) -> Webhook:
        """Change where a merchant is told.  Raises Problem for an address that is not its own."""
        check_webhook(wanted, merchant.hosts)
        await self._pool.execute(
            "update merchants set webhook_url = $2, webhook_secrets = $3 where merchant_id = $1",
            merchant.merchant_id,
            wanted.url,
            wanted.secrets,
        )
        return Webhook(wanted.url, len(wanted.secrets))


def check_webhook(wanted: NewWebhook, hosts: Sequence[str]) -> None:
    """Raise Problem for an address that is not on the merchant's hosts, Malformed for what cannot sign."""
    if wanted.url is None:
        return
    if not is_on(hosts, wanted.url):
        raise Problem(400, "url_not_allowed", "The webhook's address is not on a registered host of yours")
    if not wanted.secrets:
        raise Malformed("secrets", "a webhook needs at least one secret")
    for number, secret in enumerate(wanted.secrets):
        try:
            key_of(secret)
        except ValueError as error:
            raise Malformed(f"secrets[{number}]", str(error)) from error


def is_on(hosts: Sequence[str], url: str) -> bool:
    """Whether an address is http or https on one of these hosts, with no user's name before it to mislead."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    plain = parts.username is None and parts.password is None and "\\" not in url
    return parts.scheme in ("http", "https") and plain and parts.hostname in hosts


def _digest(api_key: str) -> bytes:
    return sha256(api_key.encode()).digest()
