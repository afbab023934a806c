"""Our engine in processes apart: each of the four services that an order crosses has one of its own.

Stock, wallet and notifications are `sagamart serve`; orders runs here, so that orders are put to its worker as the
front door does it: what is measured is how messages travel, and HTTP requests cost as much python as the whole saga.
"""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from pathlib import Path

import asyncpg
import msgspec

from ground import SERVICES, Ground, quiet
from machine import children_of, cpu_s, said
from sagamart.cluster.plan import Member, planned
from sagamart.messaging.worker import Worker
from sagamart.platform.internal.service_tokens import make_service_keys
from sagamart.platform.ports import Ports
from sagamart.platform.settings import load
from sagamart.programs import serving
from sagamart.settings import ShopSettings
from sagamart.shop.orders.records import Order
from sagamart.slices import SLICES
from sagamart.transports import service_key_folder
from wishes import Wish, wishes

HERE = "orders"
IN_FLIGHT_MAX = 2_000
WARM_UP_ORDERS = 400
"""Placed before the clock starts: statements are planned, partitions assigned."""
START_S_MAX = 60.0
ROUND_S_MAX = 300.0
POLL_S = 0.01
_OPEN = re.compile(rb"at (http://[0-9.]+:\d+)")


class Travelled(msgspec.Struct):
    """What a round took.  Processor time is in microseconds an order: of all services together, of PostgreSQL."""

    orders: int
    seconds: float
    python_us: float
    postgres_us: float

    @property
    def per_s(self) -> float:
        """Orders a second."""
        return self.orders / self.seconds


class Apart:
    """The four services at work; `offer` puts orders to them."""

    def __init__(self, place: Ground, worker: Worker, others: Sequence[int]) -> None:
        self.place = place
        self.pids = [os.getpid(), *others]
        self._worker = worker
        self._waiting = iter(list[Wish]())
        self._asking: set[asyncio.Task[None]] = set()
        self._left = 0
        self._finished = asyncio.Event()
        worker.on_commit.append(self._told)

    async def offer(self, wanted: Sequence[Wish], *, at_once: int = IN_FLIGHT_MAX) -> None:
        """Put these orders to the worker, so many at once; returns when all are complete."""
        self._waiting, self._left = iter(wanted), len(wanted)
        self._finished.clear()
        self._more(at_once)
        async with asyncio.timeout(ROUND_S_MAX):
            await self._finished.wait()

    async def round(self, wanted: Sequence[Wish]) -> Travelled:
        """Until the last customer has been told."""
        told = Told(self.place.dsns["notifications"])
        target = await told.count() + len(wanted)
        clock = Clock(self.pids, self.place.postgres.pid)
        await self.offer(wanted)
        await told.until(target)
        return clock.stop(len(wanted))

    async def latencies_ms(self, wanted: Sequence[Wish]) -> list[float]:
        """One order at a time, from the request to the commit that completes it."""
        found = []
        for wish in wanted:
            started = time.perf_counter()
            await self.offer([wish])
            found.append((time.perf_counter() - started) * 1000)
        return found

    def _more(self, count: int) -> None:
        for wish in islice(self._waiting, count):
            task = asyncio.create_task(self._ask(wish))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _ask(self, wish: Wish) -> None:
        reply = await self._worker.ask(*wish)
        if reply.refused:
            raise RuntimeError(f"an order was refused: {reply.body!r}")

    def _told(self, records: Sequence[object]) -> None:
        done = sum(1 for one in records if isinstance(one, Order) and one.status == "completed")
        self._left -= done
        self._more(done)
        if self._left <= 0:
            self._finished.set()


class Told:
    """How many customers have been told."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def count(self) -> int:
        """Notifications there are."""
        connection = await asyncpg.connect(self._dsn)
        try:
            return int(await connection.fetchval("select count(*) from notifications"))
        finally:
            await connection.close()

    async def until(self, target: int) -> None:
        """Wait for the last of so many.  Raises TimeoutError."""
        async with asyncio.timeout(ROUND_S_MAX):
            while await self.count() < target:  # noqa: ASYNC110  the database has no event for it
                await asyncio.sleep(POLL_S)


class Clock:
    """Takes the time of a round, and the processor time of these processes and of PostgreSQL."""

    def __init__(self, pids: Sequence[int], postmaster: int) -> None:
        self._pids = list(pids)
        self._postmaster = postmaster
        self._python_s = cpu_s(self._pids)
        self._postgres_s = {pid: cpu_s([pid]) for pid in children_of(postmaster)}
        self._started = time.perf_counter()

    def stop(self, orders: int) -> Travelled:
        """The round is over."""
        seconds = time.perf_counter() - self._started
        python_s = cpu_s(self._pids) - self._python_s
        postgres_s = sum(cpu_s([pid]) - self._postgres_s.get(pid, 0) for pid in children_of(self._postmaster))
        return Travelled(orders, seconds, python_s / orders * 1e6, postgres_s / orders * 1e6)


@asynccontextmanager
async def apart(place: Ground, folder: Path, settings: Mapping[str, str]) -> AsyncIterator[Apart]:
    """The four services, their messages travelling as these settings say; warm, and at rest."""
    async with AsyncExitStack() as closing:
        ports = closing.enter_context(Ports())
        members = {one.services[0]: one for one in _members(place, folder, ports, settings)}
        others = [await closing.enter_async_context(_served(members[name])) for name in SERVICES if name != HERE]
        own = load(ShopSettings, members[HERE].environment)
        dsns = {name: place.dsns[name] for name in SERVICES}
        shop, _ = await closing.enter_async_context(serving(own, {HERE: dsns[HERE]}, node=own.node))
        running = Apart(place, shop.services[HERE].worker, others)
        await running.round(wishes(WARM_UP_ORDERS, seed=time.time_ns()))
        await quiet(dsns)
        yield running
        await quiet(dsns)


def _members(place: Ground, folder: Path, ports: Ports, settings: Mapping[str, str]) -> list[Member]:
    """Messages are posted where `settings` name no other way, and to the four only: the timeline is off."""
    data = ShopSettings(data=str(folder), transport="local" if "SAGAMART_TRANSPORT" in settings else "http")
    make_service_keys(service_key_folder(data), list(SLICES))
    members = planned(data, list(SLICES), replicas=1, postgres_dsn=place.postgres.dsn(), ports=ports)
    more = {"SAGAMART_LOGS_LEVEL": "warning", "SAGAMART_TIMELINE": "off", **settings}
    return [msgspec.structs.replace(one, environment={**one.environment, **more}) for one in members]


@asynccontextmanager
async def _served(member: Member) -> AsyncIterator[int]:
    """`sagamart serve` of one service; gives the process's id once it is open."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("sagamart")),
        "serve",
        *member.services,
        env={**os.environ, **member.environment},
        stderr=asyncio.subprocess.PIPE,
    )
    listening: asyncio.Task[None] | None = None
    try:
        await asyncio.wait_for(said(process, _OPEN), START_S_MAX)
        listening = asyncio.create_task(_repeated(process))
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        if listening is not None:
            await listening


async def _repeated(process: asyncio.subprocess.Process) -> None:
    """Whatever a service complains of is told."""
    assert process.stderr is not None
    async for line in process.stderr:
        if not line.startswith(b"Stopping"):
            print(line.decode().rstrip())
