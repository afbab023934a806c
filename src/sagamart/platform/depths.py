"""What waits in a service's database: outbox, timers, dead letters, and what the slice adds to that.

Rules:
- It is read when somebody asks for the metrics, no more often than every `FRESH_S`, by one query within `LOOK_S_MAX`.
- A database that does not answer is a figure of its own; its other figures are left out then, since old ones would lie.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import asyncpg
import structlog

from sagamart.messaging.postgres import LOST
from sagamart.platform import metric_families as known
from sagamart.platform.metrics import Reading

FRESH_S = 10.0
LOOK_S_MAX = 2.0

LETTER_STATUSES = ("dead", "waiting")

_CORE = """
    select
        (select count(*) from outbox) as parcels,
        (select extract(epoch from now()) - (
            ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0
        ) from outbox order by id limit 1)::float8 as oldest_s,
        (select count(*) from timers) as timers,
        (select count(*) from timers where due_at < now()) as overdue,
        (select extract(epoch from now() - min(due_at)) from timers where due_at < now())::float8 as delay_s,
        (select count(*) from dead_letters where status = 'dead') as dead,
        (select count(*) from dead_letters where status = 'waiting') as waiting,
        (select count(distinct key) from dead_letters where status <> 'discarded') as parked
"""

Look = Callable[[], Awaitable[Sequence[Reading]]]
"""What a slice adds: figures of its own rows."""

log = structlog.get_logger("sagamart.metrics")


class Depths:
    """Of all services of a process.  `await refresh()`, then `readings()`."""

    def __init__(self) -> None:
        self._pools: dict[str, asyncpg.Pool] = {}
        self._looks: dict[str, Look] = {}
        self._found: Mapping[str, Sequence[Reading]] = {}
        self._fresh_until = 0.0

    def add(self, service: str, pool: asyncpg.Pool, look: Look | None = None) -> None:
        """Look into this service's database too."""
        self._pools[service] = pool
        if look is not None:
            self._looks[service] = look

    async def refresh(self) -> None:
        """Look again, unless it was only just done."""
        if time.monotonic() < self._fresh_until:
            return
        self._fresh_until = time.monotonic() + FRESH_S
        found = await asyncio.gather(*map(self._of, self._pools))
        self._found = dict(zip(self._pools, found, strict=True))

    def forget(self) -> None:
        """Look again at the next `refresh`."""
        self._fresh_until = 0.0

    def readings(self) -> Iterator[Reading]:
        """What was found, and the connections that reads have now."""
        for service, pool in self._pools.items():
            idle = pool.get_idle_size()
            yield known.POOL, (service, "idle"), idle
            yield known.POOL, (service, "used"), pool.get_size() - idle
        for found in self._found.values():
            yield from found

    async def _of(self, service: str) -> Sequence[Reading]:
        try:
            async with asyncio.timeout(LOOK_S_MAX):
                row = await self._pools[service].fetchrow(_CORE)
                more = await self._looks[service]() if service in self._looks else ()
        except (asyncpg.PostgresError, *LOST) as error:
            log.warning("cannot look into the database", service=service, error=f"{type(error).__name__}: {error}")
            return [(known.DATABASE_UP, (service,), 0)]
        return [(known.DATABASE_UP, (service,), 1), *_core(service, row), *more]


def _core(service: str, row: Mapping[str, float | None]) -> Iterator[Reading]:
    yield known.OUTBOX, (service,), row["parcels"] or 0
    yield known.OUTBOX_AGE, (service,), max(0.0, row["oldest_s"] or 0)
    yield known.TIMERS, (service,), row["timers"] or 0
    yield known.TIMERS_OVERDUE, (service,), row["overdue"] or 0
    yield known.TIMER_DELAY, (service,), row["delay_s"] or 0
    for status in LETTER_STATUSES:
        yield known.DEAD, (service, status), row[status] or 0
    yield known.PARKED, (service,), row["parked"] or 0
