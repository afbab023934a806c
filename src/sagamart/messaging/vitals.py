"""How a service is doing now: what waits in its queues, in its outbox and among its timers, and whether it works.

A look costs two short counts, each of which ends at `COUNTED_MAX` rows.  The latest looks are kept, so that who looks
again and again sees what has been growing; where nobody looks, nothing is counted.
"""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec

from sagamart.messaging.postgres import LOST
from sagamart.messaging.worker import Worker

COUNTED_MAX = 100_000
LOOK_S_MAX = 2.0
LOOKS_KEPT = 120

_LOOK = """
    select
        (select count(*) from (select from outbox limit $1) o) as outbox,
        (select extract(epoch from now()) - (
            ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0
        ) from outbox order by id limit 1)::float8 as oldest_s,
        (select count(*) from (select from timers where due_at < now() limit $1) t) as late,
        (select count(*) from (select from dead_letters where status = 'dead' limit $1) d) as dead
"""


class Depth(msgspec.Struct, frozen=True):
    """How much waited at a moment: in the queues of the replica that answers, and in the outbox (null: not told)."""

    at: datetime
    queued: int
    outbox: int | None


class Vital(msgspec.Struct, frozen=True):
    """A service as it is now.  Counts of rows are null where its database does not tell.

    `queue_messages`, `queue_requests`, `under_way` and `refused` are those of the replica that answers; `failed` says
    why nobody should rely on it: it has stopped, or something of it stands still.
    """

    service: str
    queue_messages: int
    queue_requests: int
    under_way: int
    refused: int
    paused: bool
    failed: str | None
    outbox: int | None = None
    outbox_oldest_s: float | None = None
    timers_late: int | None = None
    dead_letters: int | None = None
    past: Sequence[Depth] = ()


class Vitals:
    """The vitals of one service."""

    def __init__(self, worker: Worker, pool: asyncpg.Pool) -> None:
        self._worker = worker
        self._pool = pool
        self._past: deque[Depth] = deque(maxlen=LOOKS_KEPT)

    async def look(self) -> Vital:
        """How it is doing now; with what the latest looks saw, this one included."""
        vital = await self._look()
        self._past.append(Depth(datetime.now(UTC), vital.queue_messages + vital.queue_requests, vital.outbox))
        return msgspec.structs.replace(vital, past=tuple(self._past))

    async def _look(self) -> Vital:
        worker = self._worker
        messages, requests = worker.waiting
        now = Vital(
            worker.name,
            messages,
            requests,
            len(worker.in_flight),
            worker.turned_away,
            worker.paused,
            worker.trouble,
        )
        try:
            row = await self._pool.fetchrow(_LOOK, COUNTED_MAX, timeout=LOOK_S_MAX)
        except (asyncpg.PostgresError, *LOST):
            return now
        oldest_s = None if row["oldest_s"] is None else max(0.0, row["oldest_s"])
        return msgspec.structs.replace(
            now, outbox=row["outbox"], outbox_oldest_s=oldest_s, timers_late=row["late"], dead_letters=row["dead"]
        )
