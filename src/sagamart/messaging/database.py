"""The side of the core that remembers: what a batch reads and writes, as one interface.

`postgres.py` keeps it in PostgreSQL, `memory.py` in a twin that interleaves and fails in the same ways.  Both pass one
conformance suite.

Rules:
- A batch is one transaction: load (records locked in the order of the service's tables, keys sorted), write, commit.
- Or it is an attempt: load without locks, then write and commit in one statement.  Versions see to it that nothing is
  lost; whoever was overtaken meets a conflict and begins again, with locks.
- A record is written where its version is still the one that was loaded.  A miss, a lost first insert and a unique
  violation mean that somebody else was there: `ConflictError`; the batch is rolled back, loaded and decided again.
- The outcome of a lost COMMIT is unknown: `CommitUnknownError`; handling the batch again finds out.
- Deadlines are intervals on the database's clock.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

import msgspec

from sagamart.messaging.dead_letters import DeadLetter, UnreadableLetter
from sagamart.messaging.outbox import Parcel
from sagamart.messaging.records import Need
from sagamart.messaging.requests import StoredReply
from sagamart.messaging.timers import ArmedTimer


class ConflictError(Exception):
    """Somebody else was there: a version miss, a lost insert, a deadlock, a lock not granted in time."""


class UnavailableError(Exception):
    """The database cannot be reached, or broke off before the commit: nothing was written."""


class StoppingError(Exception):
    """The database is away, and nobody waits for it any more: what is at hand is not handled, and comes again."""


class CommitUnknownError(Exception):
    """The connection was lost inside COMMIT: the batch may or may not have been written."""


class RejectedError(Exception):
    """The database refused a row (a constraint, a value out of range): one message of the batch is poison."""


class Wanted(msgspec.Struct):
    """What a batch wants to know before it decides."""

    message_ids: list[str]
    keys: list[str]
    timers: list[str]
    requests: list[str]
    needs: list[Need]


class KnownRequest(msgspec.Struct, frozen=True):
    """A request that was handled before."""

    key: str
    fingerprint: bytes
    message_id: str
    reply: StoredReply


class Loaded(msgspec.Struct):
    """What the database knew: ids already handled, keys parked, timers still armed, requests answered, records."""

    handled: set[str]
    parked: set[str]
    timers: set[str]
    requests: dict[str, KnownRequest]
    records: dict[type, list[Any]]


class Changes(msgspec.Struct):
    """All that a batch writes."""

    handled: list[str] = msgspec.field(default_factory=list)
    requests: list[KnownRequest] = msgspec.field(default_factory=list)
    new: dict[type, list[Any]] = msgspec.field(default_factory=dict)
    changed: dict[type, list[tuple[Any, int]]] = msgspec.field(default_factory=dict)
    """Records as they are now, each with the version that was loaded."""
    often: set[type] = msgspec.field(default_factory=set)
    """Kinds of changed records of which the columns that change seldom need not be written."""
    armed: list[ArmedTimer] = msgspec.field(default_factory=list)
    disarmed: list[tuple[str, str]] = msgspec.field(default_factory=list)
    outbox: list[Parcel] = msgspec.field(default_factory=list)
    arrived: list[str] = msgspec.field(default_factory=list)
    """Parcels."""
    dead: list[DeadLetter] = msgspec.field(default_factory=list)
    revived: list[str] = msgspec.field(default_factory=list)
    attempted: list[str] = msgspec.field(default_factory=list)


class Transaction(Protocol):
    """One batch, between BEGIN and COMMIT."""

    async def load(self, wanted: Wanted) -> Loaded:
        """Read all that the batch asks for; lock the records."""

    async def load_more(self, needs: Sequence[Need]) -> Mapping[type, list[Any]]:
        """Read and lock records that could only be named after the first load."""

    async def write(self, changes: Changes) -> None:
        """Write everything.  Raises ConflictError or RejectedError, and then nothing of it stays."""


class Database(Protocol):
    """One service's database, as its worker sees it."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin; commit at the end of the block, roll back if it raises."""

    def attempt(self) -> AbstractAsyncContextManager[Transaction]:
        """The same without locks: `write`, called at most once and last, commits by itself."""

    async def begin_life(self, node: str) -> bool:
        """Note that this node runs and take back its leases; says whether its last stop was clean."""

    async def end_life(self, node: str) -> None:
        """Note that this node stopped of its own will."""

    async def count_attempts(self, message_ids: Sequence[str]) -> Mapping[str, int]:
        """Count one more attempt at each message, outside any batch, so that the count outlives a crash."""

    async def due_outbox(self, node: str, limit: int) -> list[tuple[str, list[bytes]]]:
        """Lease parcels whose lease ran out, oldest first, passing over those that another replica is taking.

        Gives the id and the messages of each.
        """

    async def due_timers(self, limit: int) -> list[tuple[str, bytes]]:
        """Name and message of timers whose moment has come; each is offered again later until it is handled."""

    async def due_letters(self, limit: int) -> list[bytes]:
        """Messages to try again: released by an operator, or waiting on a key that nothing dead parks any more."""

    async def bury(self, letters: Sequence[UnreadableLetter]) -> None:
        """Keep what cannot be read, dead, but not what was handled or discarded before; each id at most once."""

    async def forget_arrived(self, parcel_ids: Sequence[str]) -> None:
        """Delete parcels that have arrived for good."""

    async def postpone(self, after_s: Mapping[str, float]) -> set[str]:
        """Let the leases of these parcels end, each after so many seconds; gives those that are there."""

    async def prune(self, before: datetime) -> None:
        """Forget inbox ids and requests older than this, and records that expired earlier."""
