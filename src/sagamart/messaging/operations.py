"""What operators do with dead letters: look at them, release one or all of a key, discard one.

Rules:
- These change where a message waits, never a record: what a released message does, its handler decides, in a batch like
  any other.
- An act and its row in `operator_actions` (who, when, why) are one statement: there is none without the other.
- Only a `dead` letter can be released or discarded.  Those that wait for it follow by themselves.
- A discarded message goes into the inbox as if it had been handled: a copy that is still under way has no effect.
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from sagamart.messaging.dead_letters import LetterStatus

_COLUMNS = "id::text, type, key, status, error, at"
_LIST = f"""
    select {_COLUMNS} from dead_letters
    where (id, $1::text) > ($2::uuid, $3::text) and ($4::text is null or status = $4)
        and ($6::text[] is null or key = any($6))
    order by id limit $5
"""
_RELEASE = f"""
    with released as (
        update dead_letters set status = 'released', retry_at = now()
        where id = $1::uuid and status = 'dead' returning *
    ), noted as (
        insert into operator_actions (action, letter_id, letter_type, letter_key, by, why)
        select 'release', id, type, key, $2, $3 from released
    )
    select {_COLUMNS} from released
"""
_RELEASE_KEY = _RELEASE.replace("where id = $1::uuid and status", "where key = $1 and status")
_DISCARD = f"""
    with discarded as (
        update dead_letters set status = 'discarded' where id = $1::uuid and status = 'dead' returning *
    ), noted as (
        insert into operator_actions (action, letter_id, letter_type, letter_key, by, why)
        select 'discard', id, type, key, $2, $3 from discarded
    ), remembered as (
        insert into inbox (id) select id from discarded on conflict do nothing
    )
    select {_COLUMNS} from discarded
"""
_STATUS = "select status from dead_letters where id = $1::uuid"

FIRST = ("00000000-0000-0000-0000-000000000000", "")
"""The place before all letters."""


class Letter(msgspec.Struct, frozen=True):
    """A message that could not be handled, or that waits for one.  `message_id` is unique in a service."""

    message_id: str
    type: str
    key: str
    status: LetterStatus
    error: str
    at: datetime


class DeadLetters:
    """The dead letters of one service."""

    def __init__(self, service: str, pool: asyncpg.Pool) -> None:
        self.service = service
        self._pool = pool

    async def after(
        self, place: tuple[str, str], status: LetterStatus | None, limit: int, keys: Sequence[str] | None = None
    ) -> Sequence[Letter]:
        """Letters by message id, and by service where several share one: those after this (message id, service).

        Of these keys only; None: of any.
        """
        rows = await self._pool.fetch(_LIST, self.service, *place, status, limit, keys)
        return [Letter(*row.values()) for row in rows]

    async def release(self, message_id: str, by: str, why: str) -> Letter | None:
        """Have a dead letter handled again, and then those that wait for it.  None where it is not dead."""
        return await self._act(_RELEASE, message_id, by, why)

    async def release_key(self, key: str, by: str, why: str) -> Sequence[Letter]:
        """Have all dead letters of a parked key handled again.  None of them: the key is not parked."""
        rows = await self._pool.fetch(_RELEASE_KEY, key, by, why)
        return [Letter(*row.values()) for row in rows]

    async def discard(self, message_id: str, by: str, why: str) -> Letter | None:
        """Give a dead letter up: it will never be handled; those that wait for it are.  None where it is not dead."""
        return await self._act(_DISCARD, message_id, by, why)

    async def status_of(self, message_id: str) -> LetterStatus | None:
        """Where a letter stands; None where there is none (any more)."""
        status: LetterStatus | None = await self._pool.fetchval(_STATUS, message_id)
        return status

    async def _act(self, sql: str, message_id: str, by: str, why: str) -> Letter | None:
        row = await self._pool.fetchrow(sql, message_id, by, why)
        return Letter(*row.values()) if row is not None else None
