"""One round of orders, through the hand-written saga or through our engine, in this process without HTTP."""

import asyncio
import gc
import time
from collections.abc import Mapping, Sequence
from itertools import islice

import asyncpg
import msgspec

from ground import SERVICES, Ground, quiet
from limit_loop import Envelope
from limit_orders import Placed
from limit_others import saga
from machine import children_of, cpu_s
from sagamart.app import Shop
from sagamart.messaging.limits import Limits
from sagamart.messaging.worker import Node, Worker
from sagamart.platform.collector import spare_batches
from sagamart.settings import ShopSettings
from sagamart.shop.notifications.records import Notification
from sagamart.shop.timeline.records import StoryEntry
from wishes import Wish

IN_FLIGHT_MAX = 2_000
STORY_ENTRIES = 8
"""Messages about an order on its way, its placing not counted: that is a request."""


class Round(msgspec.Struct):
    """What a round took."""

    orders: int
    seconds: float
    python_us: float
    postgres_us: float

    @property
    def per_s(self) -> float:
        """Orders a second."""
        return self.orders / self.seconds


class Clock:
    """Takes the time of a round, and the processor time of this process and of PostgreSQL."""

    def __init__(self, postmaster: int) -> None:
        spare_batches()
        self._postmaster = postmaster
        self._started = time.perf_counter(), time.process_time()
        self._before = {pid: cpu_s([pid]) for pid in children_of(postmaster)}

    def stop(self, orders: int) -> Round:
        """The round is over."""
        seconds, python_s = time.perf_counter() - self._started[0], time.process_time() - self._started[1]
        postgres_s = sum(cpu_s([pid]) - self._before.get(pid, 0) for pid in children_of(self._postmaster))
        gc.unfreeze()
        return Round(orders, seconds, python_s / orders * 1e6, postgres_s / orders * 1e6)


async def limit_round(place: Ground, dsns: dict[str, str], wishes: Sequence[Wish], *, batch_max: int) -> Round:
    """The hand-written saga, on databases of its own."""
    line = saga()
    await line.connect(dsns)
    lanes = [asyncio.create_task(station.run(batch_max)) for station in line.stations.values()]
    messages = [
        Envelope(m.id, m.type, m.key, m.source, m.at, m.correlation, Placed(m, request), None) for m, request in wishes
    ]
    finished = asyncio.Event()
    waiting = iter(messages)

    def more(count: int) -> None:
        for message in islice(waiting, count):
            line.put(message)
        if line.done == len(messages):
            finished.set()

    line.on_done = more
    clock = Clock(place.postgres.pid)
    more(IN_FLIGHT_MAX)
    await _until(finished, lanes)
    taken = clock.stop(len(messages))
    await asyncio.sleep(0.1)
    for lane in lanes:
        lane.cancel()
    await asyncio.gather(*lanes, return_exceptions=True)
    for station in line.stations.values():
        await station.connection.execute("delete from outbox")
    await line.close()
    return taken


async def engine_round(place: Ground, wishes: Sequence[Wish], *, batch_max: int, recorded: bool = False) -> Round:
    """Our loop: the four services at work, requests put to the worker as the front door does it.

    `recorded`: the timeline is a fifth, and the round is over when it has written everything down too.
    """
    dsns = {name: place.dsns[name] for name in (*SERVICES, *(("timeline",) if recorded else ()))}
    limits = Limits(batch_max=batch_max, requests_max=IN_FLIGHT_MAX)
    async with Shop(ShopSettings(), dsns, node=Node("bench"), limits=limits) as shop:
        workers = {name: running.worker for name, running in shop.services.items()}
        finished = asyncio.Event()
        waiting = iter(wishes)
        asking: set[asyncio.Task[None]] = set()
        done = written = 0

        def more(count: int) -> None:
            for wish in islice(waiting, count):
                task = asyncio.create_task(_ask(workers["orders"], wish))
                asking.add(task)
                task.add_done_callback(asking.discard)

        def told(records: Sequence[object]) -> None:
            nonlocal done, written
            count = sum(1 for record in records if isinstance(record, Notification))
            written += sum(1 for record in records if isinstance(record, StoryEntry))
            done += count
            more(count)
            if done == len(wishes) and (not recorded or written == done * STORY_ENTRIES):
                finished.set()

        for name in ("notifications", *(("timeline",) if recorded else ())):
            workers[name].on_commit.append(told)
        clock = Clock(place.postgres.pid)
        more(IN_FLIGHT_MAX)
        await _until(finished, ())
        taken = clock.stop(len(wishes))
        await quiet(dsns)
        failed = [worker.failed for worker in workers.values() if worker.failed]
        if failed:
            raise RuntimeError(failed[0])
    return taken


async def _ask(worker: Worker, wish: Wish) -> None:
    reply = await worker.ask(*wish)
    if reply.refused:
        raise RuntimeError(f"an order was refused: {reply.body!r}")


async def _until(finished: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait; a task that ends before has failed."""
    ending = asyncio.create_task(finished.wait())
    done, _ = await asyncio.wait([ending, *tasks], return_when=asyncio.FIRST_COMPLETED, timeout=300)
    for task in done:
        task.result()
    if ending not in done:
        raise RuntimeError("the round did not end")


async def rows_written(dsns: Mapping[str, str]) -> int:
    """Rows inserted, updated and deleted since these databases were made, as PostgreSQL counts them."""
    total = 0
    for dsn in dsns.values():
        connection = await asyncpg.connect(dsn)
        try:
            total += await connection.fetchval(
                "select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_user_tables"
            )
        finally:
            await connection.close()
    return total
