"""What a transaction of the in-memory twin is about to write: refused row by row as PostgreSQL would, applied at once.

Each piece of a batch's changes takes its locks and is checked first; what it does is kept as an effect, and the effects
happen together at the commit.
"""

from collections.abc import Callable, Container, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from sagamart.messaging.database import Changes, ConflictError, KnownRequest, RejectedError
from sagamart.messaging.dead_letters import DeadLetter
from sagamart.messaging.memory_locks import Owner
from sagamart.messaging.memory_store import LetterRow, OutboxRow, RequestRow, Store, TimerRow
from sagamart.messaging.message import encode
from sagamart.messaging.outbox import LEASE_S, Parcel, stored
from sagamart.messaging.records import Table
from sagamart.messaging.timers import ArmedTimer

BIGINT_MAX = 2**63 - 1


class Writes:
    """The changes of one transaction, not visible yet."""

    def __init__(self, store: Store, owner: Owner, node: str, began: datetime) -> None:
        self._store = store
        self._owner = owner
        self._node = node
        self._began = began
        self._locks = store.locks
        self._effects: list[Callable[[], None]] = []

    async def take(self, changes: Changes) -> None:
        """Check and keep.  Raises ConflictError or RejectedError."""
        standing = [place for place in changes.disarmed if place in self._store.timers]
        for message_id in changes.handled:
            await self._claim("inbox", message_id, self._store.inbox)
        self._effects.append(lambda: self._store.inbox.update(changes.handled))
        for rows in changes.new.values():
            for row in rows:
                await self._insert(row)
        for pairs in changes.changed.values():
            for row, version in pairs:
                await self._update(row, version)
        for known in changes.requests:
            await self._answer(known)
        await self._delete("timers", standing, self._store.timers)
        for timer in changes.armed:
            await self._arm(timer)
        for parcel in changes.outbox:
            await self._send(parcel)
        await self._delete("outbox", changes.arrived, self._store.outbox)
        for letter in changes.dead:
            await self._bury(letter)
        await self._delete("letters", changes.revived, self._store.letters)
        await self._delete("attempts", changes.attempted, self._store.attempts)

    def apply(self) -> None:
        """Let it be so."""
        for effect in self._effects:
            effect()

    async def _claim(self, table: str, value: Any, rows: Container[Any], column: str = "") -> None:
        """Take a unique value: wait for whoever is taking it, and conflict with whoever has it."""
        new = await self._locks.take(self._owner, ("new", table, column, value))
        if not new or value in rows:
            raise ConflictError(f"{table} {column}: {value!r} is there already")

    async def _insert(self, row: Any) -> None:
        table = self._store.tables[type(row)]
        self._check(table, row)
        key = getattr(row, table.key)
        await self._claim(table.name, key, self._store.rows[type(row)], table.key)
        for column in table.unique:
            await self._claim(table.name, getattr(row, column), self._store.keys[type(row), column], column)
        self._effects.append(lambda: self._store.put(row))

    async def _update(self, row: Any, version: int) -> None:
        table = self._store.tables[type(row)]
        self._check(table, row)
        key = getattr(row, table.key)
        rows = self._store.rows[type(row)]
        if key in rows:
            await self._locks.take(self._owner, (table.name, key))
        before = rows.get(key)
        if before is None or before.version != version:
            raise ConflictError("a record's version is no longer the one that was loaded")
        for column in table.unique:
            old, new = getattr(before, column), getattr(row, column)
            if new != old:
                await self._locks.take(self._owner, ("new", table.name, column, old))
                await self._claim(table.name, new, self._store.keys[type(row), column], column)
        self._effects.append(lambda: self._store.put(row))

    def _check(self, table: Table[Any], row: Any) -> None:
        """Refuse what the column or a constraint refuses."""
        for column in table.columns:
            value = getattr(row, column.name)
            if isinstance(value, int) and not -BIGINT_MAX <= value <= BIGINT_MAX:
                raise RejectedError(f"{table.name}.{column.name}: {value} does not fit")
            texts = msgspec.json.encode(value) if column.type == "jsonb" else msgspec.json.encode(str(value))
            if b"\\u0000" in texts:
                raise RejectedError(f"{table.name}.{column.name}: a text cannot hold a zero byte")
        check = self._store.checks.get(type(row))
        if check is not None and not check(row):
            raise RejectedError(f"{table.name}: {row} breaks a constraint")

    async def _answer(self, known: KnownRequest) -> None:
        await self._claim("requests", known.key, self._store.requests)
        row = RequestRow(known, self._began)
        self._effects.append(lambda: self._store.requests.update({known.key: row}))

    async def _arm(self, timer: ArmedTimer) -> None:
        place = (timer.key, timer.name)
        await self._locks.take(self._owner, ("timers", place))
        due_at = self._began + timedelta(seconds=timer.after_s)
        row = TimerRow(timer.key, timer.name, timer.generation, due_at, timer.message)
        self._effects.append(lambda: self._store.timers.update({place: row}))

    async def _send(self, parcel: Parcel) -> None:
        await self._claim("outbox", parcel.id, self._store.outbox)
        until = self._began + timedelta(seconds=LEASE_S)
        row = OutboxRow(parcel.id, stored(parcel), self._node, until)
        self._effects.append(lambda: self._store.outbox.update({row.id: row}))

    async def _bury(self, letter: DeadLetter) -> None:
        message = letter.message
        await self._locks.take(self._owner, ("letters", message.id))
        before = self._store.letters.get(message.id)
        if before is None:
            row = LetterRow(
                message.id, message.key, message.type, letter.status, letter.error, encode(message), self._began
            )
        elif letter.status == "dead":
            row = msgspec.structs.replace(before, status=letter.status, error=letter.error)
        else:
            return
        self._effects.append(lambda: self._store.letters.update({row.id: row}))

    async def _delete(self, table: str, keys: Iterable[Any], rows: dict[Any, Any]) -> None:
        """Delete those rows that exist as the statement comes to them."""
        for key in keys:
            if key in rows:
                await self._locks.take(self._owner, (table, key))
                self._effects.append(partial(rows.pop, key, None))
