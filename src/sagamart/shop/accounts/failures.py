"""Failed log-ins at the door: who has failed too often waits, whether the account exists or not."""

import secrets
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from litestar import Request

from sagamart.platform.http import Ask, Queries, client_of, too_many_requests
from sagamart.shop.accounts.machines import wait_s
from sagamart.shop.accounts.messages import NoteFailedLogIn


class Origins(NamedTuple):
    """Whose failure it would be: digests of the account and of the client's address."""

    account: str
    client: str


def origins_of(account: str, request: Request[Any, Any, Any]) -> Origins:
    """The origins of a log-in to this account."""
    return Origins(_digest(account), _digest(f"address {client_of(request)}"))


async def admit(origins: Origins, queries: Queries) -> None:
    """Let a log-in be tried.  Raises Problem 429 where too many have failed."""
    now = datetime.now(UTC)
    rows = await queries.forgiven_at(origins=list(origins))
    wait = max(
        (wait_s(row["forgiven_at"], now, is_account=row["origin"] == origins.account) for row in rows), default=0
    )
    if wait > 0:
        raise too_many_requests(wait)


async def note_failure(origins: Origins, ask: Ask) -> None:
    """Count a failure.  The part is new each time: a repeated Idempotency-Key must not hide a guess."""
    await ask.reply_to(NoteFailedLogIn(*origins), part=secrets.token_hex(8))


def _digest(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()
