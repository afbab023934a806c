"""What the in-memory twin remembers: the committed rows of one service's database, and its locks."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from sagamart.messaging.database import KnownRequest
from sagamart.messaging.dead_letters import LetterStatus
from sagamart.messaging.memory_locks import Locks
from sagamart.messaging.records import Need
from sagamart.messaging.service import Service

LOCK_TIMEOUT_S = 3
"""As the sessions of `postgres.py`."""

Check = Callable[[Any], bool]


class OutboxRow(msgspec.Struct):
    """A parcel of which something has not arrived everywhere."""

    id: str
    messages: bytes
    lease_owner: str
    lease_until: datetime


class TimerRow(msgspec.Struct):
    """A timer that stands."""

    key: str
    name: str
    generation: str
    due_at: datetime
    message: bytes


class LetterRow(msgspec.Struct):
    """A dead letter, or one that waits for it."""

    id: str
    key: str
    type: str
    status: LetterStatus
    error: str
    message: bytes
    retry_at: datetime


class RequestRow(msgspec.Struct):
    """A request that was answered."""

    known: KnownRequest
    at: datetime


def utc_now() -> datetime:
    """The clock of a store that is given no other."""
    return datetime.now(UTC)


class Store:
    """One service's database.  `checks` are the constraints of its tables: a row for which one is false is refused."""

    def __init__(
        self,
        service: Service,
        *,
        clock: Callable[[], datetime] = utc_now,
        checks: Mapping[type, Check] | None = None,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> None:
        self.tables = {table.record: table for table in service.tables}
        self.clock = clock
        self.checks = checks or {}
        self.locks = Locks(lock_timeout_s)
        self.rows: dict[type, dict[str, Any]] = {kind: {} for kind in self.tables}
        self.keys: dict[tuple[type, str], dict[Any, str]] = {
            (table.record, column): {} for table in service.tables for column in table.unique
        }
        self.inbox: set[str] = set()
        self.requests: dict[str, RequestRow] = {}
        self.outbox: dict[str, OutboxRow] = {}
        self.timers: dict[tuple[str, str], TimerRow] = {}
        self.letters: dict[str, LetterRow] = {}
        self.attempts: dict[str, int] = {}
        self.nodes: dict[str, bool] = {}

    def keys_of(self, need: Need) -> list[str]:
        """The keys of the rows that exist now for this need, sorted."""
        if need.column is None:
            rows = self.rows[need.kind]
            return sorted(key for key in set(need.values) if key in rows)
        index = self.keys[need.kind, need.column]
        return sorted(index[value] for value in set(need.values) if value in index)

    def drop(self, kind: type, key: str) -> None:
        """Let a row be no more."""
        row = self.rows[kind].pop(key)
        for column in self.tables[kind].unique:
            self.keys[kind, column].pop(getattr(row, column), None)

    def put(self, row: Any) -> None:
        """Let a row be what it is from now on."""
        kind = type(row)
        table = self.tables[kind]
        key = getattr(row, table.key)
        before = self.rows[kind].get(key)
        for column in table.unique:
            index = self.keys[kind, column]
            if before is not None and index.get(getattr(before, column)) == key:
                del index[getattr(before, column)]
            index[getattr(row, column)] = key
        self.rows[kind][key] = row
