"""The in-memory twin of the database side.  Its rules are those of `database.py`; it passes the same conformance suite.

What it has in common with PostgreSQL under READ COMMITTED, so that a simulation over it means something:
- A statement sees what was committed when it began.  A locked row is waited for and then read as it is newest; a row
  that was absent when the statement began is neither seen nor locked.
- An insert of a value that an open transaction has inserted waits for that transaction, and then conflicts or not.
- Waiting in a circle is a conflict; so is waiting too long.
- A transaction that met an error writes nothing, whatever comes after.

Where it may be interrupted it awaits `pause(point)`, given from outside: that may let others run, wait, or raise the
core's errors.  The points are `begin`, `load`, `lock`, `write`, `commit` (nothing is written yet), `committed` (all is)
and, around a statement of its own, `statement` and `stated`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sagamart.messaging.database import Changes, Loaded, RejectedError, UnavailableError, Wanted
from sagamart.messaging.dead_letters import RETRY_LETTER_S, UnreadableLetter
from sagamart.messaging.memory_locks import Owner
from sagamart.messaging.memory_store import LetterRow, Store
from sagamart.messaging.memory_writes import Writes
from sagamart.messaging.message import first_id_at
from sagamart.messaging.outbox import LEASE_S, lines
from sagamart.messaging.records import Need
from sagamart.messaging.timers import REFIRE_S

Pause = Callable[[str], Awaitable[None]]


async def no_pause(_point: str) -> None:
    """Go on at once."""


class MemoryDatabase:
    """One node's connection to a store.  Replicas of a service share the store."""

    def __init__(self, store: Store, *, node: str, pause: Pause = no_pause) -> None:
        self.store = store
        self.node = node
        self.pause = pause

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["MemoryTransaction"]:
        """Begin; commit at the end of the block, roll back if it raises."""
        await self.pause("begin")
        transaction = MemoryTransaction(self)
        try:
            yield transaction
            await self.pause("commit")
            transaction.commit()
        finally:
            self.store.locks.release(transaction.owner)
        await self.pause("committed")

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator["MemoryTransaction"]:
        """Read without locks; the write commits by itself."""
        transaction = MemoryTransaction(self, locked=False)
        try:
            yield transaction
        finally:
            self.store.locks.release(transaction.owner)

    async def begin_life(self, node: str) -> bool:
        """Note that this node runs and take back its leases; says whether its last stop was clean."""
        clean = not self.store.nodes.get(node, False)
        async with self._statement():
            self.store.nodes[node] = True
        await self._lease_again({row.id: 0 for row in self.store.outbox.values() if row.lease_owner == node})
        return clean

    async def end_life(self, node: str) -> None:
        """Note that this node stopped of its own will."""
        async with self._statement():
            if node in self.store.nodes:
                self.store.nodes[node] = False

    async def count_attempts(self, message_ids: Sequence[str]) -> Mapping[str, int]:
        """Count one more attempt at each message."""
        async with self._statement() as owner:
            for message_id in sorted(message_ids):
                await self.store.locks.take(owner, ("attempts", message_id))
            counts = {message_id: self.store.attempts.get(message_id, 0) + 1 for message_id in message_ids}
            self.store.attempts.update(counts)
        return counts

    async def due_outbox(self, node: str, limit: int) -> list[tuple[str, list[bytes]]]:
        """Lease parcels whose lease ran out."""
        async with self._statement():
            now = self.store.clock()
            due = [r for r in self.store.outbox.values() if r.lease_until <= now and self._is_free("outbox", r.id)]
            due = sorted(due, key=lambda row: (row.lease_until, row.id))[:limit]
            for row in due:
                row.lease_owner = node
                row.lease_until = now + timedelta(seconds=LEASE_S)
            return [(row.id, lines(row.messages)) for row in due]

    async def due_timers(self, limit: int) -> list[tuple[str, bytes]]:
        """Name and message of timers whose moment has come."""
        async with self._statement():
            now = self.store.clock()
            due = [
                r for r in self.store.timers.values() if r.due_at <= now and self._is_free("timers", (r.key, r.name))
            ]
            due = sorted(due, key=lambda row: row.due_at)[:limit]
            for row in due:
                row.due_at = now + timedelta(seconds=REFIRE_S)
            return [(row.name, row.message) for row in due]

    async def due_letters(self, limit: int) -> list[bytes]:
        """Messages to try again."""
        async with self._statement():
            now, letters = self.store.clock(), self.store.letters.values()
            dead = {row.key for row in letters if row.status == "dead"}
            due = [
                row
                for row in sorted(letters, key=lambda row: row.id)
                if row.retry_at <= now
                and (row.status == "released" or (row.status == "waiting" and row.key not in dead))
                and self._is_free("letters", row.id)
            ][:limit]
            for row in due:
                row.retry_at = now + timedelta(seconds=RETRY_LETTER_S)
            return [row.message for row in due]

    async def bury(self, letters: Sequence[UnreadableLetter]) -> None:
        """Keep what cannot be read, dead."""
        async with self._statement() as owner:
            new = [one for one in letters if one.id not in self.store.inbox]
            for letter in new:
                await self.store.locks.take(owner, ("letters", letter.id))
            for letter in new:
                row = self.store.letters.get(letter.id)
                if row is None:
                    row = LetterRow(letter.id, letter.key, letter.type, "dead", "", letter.message, self.store.clock())
                    self.store.letters[letter.id] = row
                if row.status != "discarded":
                    self.store.letters[letter.id] = msgspec.structs.replace(row, status="dead", error=letter.error)

    async def forget_arrived(self, parcel_ids: Sequence[str]) -> None:
        """Delete parcels that have arrived for good."""
        async with self._statement() as owner:
            for parcel_id in parcel_ids:
                if parcel_id in self.store.outbox:
                    await self.store.locks.take(owner, ("outbox", parcel_id))
            for parcel_id in parcel_ids:
                self.store.outbox.pop(parcel_id, None)

    async def postpone(self, after_s: Mapping[str, float]) -> set[str]:
        """Let the leases of these parcels end, each after so many seconds."""
        return await self._lease_again(after_s)

    async def prune(self, before: datetime) -> None:
        """Forget inbox ids and requests older than this, and records that expired earlier."""
        async with self._statement():
            oldest = first_id_at(before)
            self.store.inbox.difference_update([known for known in self.store.inbox if known < oldest])
            for key in [key for key, row in self.store.requests.items() if row.at < before]:
                del self.store.requests[key]
        await self._prune_records(before)

    async def _prune_records(self, before: datetime) -> None:
        for kind, table in self.store.tables.items():
            if table.expires is None:
                continue
            async with self._statement() as owner:
                rows = self.store.rows[kind]
                expired = sorted(key for key, row in rows.items() if _has_expired(row, table.expires, before))
                for key in expired:
                    await self.store.locks.take(owner, (table.name, key))
                for key in expired:
                    if key in rows and _has_expired(rows[key], table.expires, before):
                        self.store.drop(kind, key)

    async def _lease_again(self, after_s: Mapping[str, float]) -> set[str]:
        async with self._statement() as owner:
            for parcel_id in after_s:
                if parcel_id in self.store.outbox:
                    await self.store.locks.take(owner, ("outbox", parcel_id))
            found = {parcel_id for parcel_id in after_s if parcel_id in self.store.outbox}
            for parcel_id in found:
                self.store.outbox[parcel_id].lease_until = self.store.clock() + timedelta(seconds=after_s[parcel_id])
            return found

    def _is_free(self, table: str, key: Any) -> bool:
        return self.store.locks.is_free((table, key))

    @asynccontextmanager
    async def _statement(self) -> AsyncIterator[Owner]:
        """A statement that is a transaction of its own."""
        await self.pause("statement")
        owner = Owner()
        try:
            yield owner
        finally:
            self.store.locks.release(owner)
        await self.pause("stated")


class MemoryTransaction:
    """One batch.  It loads before it writes, as a batch does."""

    def __init__(self, database: MemoryDatabase, *, locked: bool = True) -> None:
        self.owner = Owner()
        self._locked = locked
        self._store = database.store
        self._pause = database.pause
        self._writes = Writes(database.store, self.owner, database.node, database.store.clock())
        self._failed = False

    async def load(self, wanted: Wanted) -> Loaded:
        """Read all that the batch asks for; lock the records."""
        async with self._step("load"):
            _refuse_zero_bytes([*wanted.keys, *wanted.requests])
            store = self._store
            parked = {row.key for row in store.letters.values() if row.status != "discarded"}
            standing = sorted(
                p for p, row in store.timers.items() if p[0] in wanted.keys and row.generation in wanted.timers
            )
            loaded = Loaded(
                handled=store.inbox.intersection(wanted.message_ids),
                parked=parked.intersection(wanted.keys),
                timers=set(),
                requests={key: store.requests[key].known for key in wanted.requests if key in store.requests},
                records={},
            )
            loaded.records = await self._read(wanted.needs)
            for place in standing:
                await store.locks.take(self.owner, ("timers", place))
                newest = store.timers.get(place)
                if newest is not None and newest.generation in wanted.timers:
                    loaded.timers.add(newest.generation)
        return loaded

    async def load_more(self, needs: Sequence[Need]) -> Mapping[type, list[Any]]:
        """Read and lock records that could only be named after the first load."""
        async with self._step("load"):
            return await self._read(needs)

    async def write(self, changes: Changes) -> None:
        """Write everything.  Raises ConflictError or RejectedError, and then nothing of it stays."""
        async with self._step("write"):
            await self._writes.take(changes)
        if not self._locked:
            await self._pause("commit")
            self.commit()
            self._store.locks.release(self.owner)
            await self._pause("committed")

    def commit(self) -> None:
        """Let all that was written be seen at once."""
        if not self._failed:
            self._writes.apply()

    async def _read(self, needs: Sequence[Need]) -> dict[type, list[Any]]:
        for need_ in needs:
            _refuse_zero_bytes(need_.values)
        seen = [(need_, self._store.keys_of(need_)) for need_ in needs]
        found: dict[type, list[Any]] = {}
        for need_, keys in seen:
            table = self._store.tables[need_.kind]
            rows = found.setdefault(need_.kind, [])
            for key in keys:
                if self._locked:
                    await self._pause("lock")
                    await self._store.locks.take(self.owner, (table.name, key))
                row = self._store.rows[need_.kind][key]
                if getattr(row, need_.column or table.key) in need_.values:
                    rows.append(row)
        return found

    @asynccontextmanager
    async def _step(self, point: str) -> AsyncIterator[None]:
        """One statement of the transaction: after one that failed, none is taken any more."""
        if self._failed:
            raise UnavailableError("an earlier statement of this transaction failed")
        try:
            await self._pause(point)
            yield
        except BaseException:
            self._failed = True
            raise


def _refuse_zero_bytes(texts: Sequence[str]) -> None:
    if any("\0" in text for text in texts):
        raise RejectedError("a text cannot hold a zero byte")


def _has_expired(row: Any, column: str, before: datetime) -> bool:
    """As SQL compares: what has no moment never expires."""
    moment: datetime | None = getattr(row, column)
    return moment is not None and moment < before
