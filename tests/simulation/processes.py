"""A process of the simulated shop: real workers and sweeps over the twin.  It may die at any await, and begins again.

What it had in memory is lost with it: its tasks are cancelled and its objects never used again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from sagamart.messaging.database import CommitUnknownError, ConflictError, UnavailableError
from sagamart.messaging.limits import Limits
from sagamart.messaging.memory import MemoryDatabase
from sagamart.messaging.memory_store import Store
from sagamart.messaging.outside import Outside, OutsideCalls
from sagamart.messaging.service import Service
from sagamart.messaging.sweep import Sweep
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.worker import Node, Worker
from simulation.chaos import CRASHES_MAX, Chaos
from simulation.network import Wire

Faults = Mapping[str, type[Exception]]

DOWN_S_MAX = 5.0
INTERLEAVE_S_MAX = 0.004
SLOW_S_MAX = 2.0
SWEEPS_EVERY_S = 2.0
CLOCK_WRONG_S_MAX = 3600.0
SWEEPS_SLOWED = 8
"""Sweeps are slower than in a real process, and none comes more often: time is free here, steps are not."""

_CONFLICT: Faults = {"conflict": ConflictError, "connection lost": UnavailableError}
MAY_HAPPEN: Mapping[str, tuple[str | None, Faults]] = {
    "begin": (None, {"connection lost": UnavailableError}),
    "load": (None, _CONFLICT),
    "lock": (None, _CONFLICT),
    "write": (None, _CONFLICT),
    "commit": ("crash before commit", {"commit unknown, not written": CommitUnknownError}),
    "committed": ("crash after commit", {"commit unknown, written": CommitUnknownError}),
    "statement": (None, {"connection lost": UnavailableError}),
    "stated": (None, {"statement not answered": UnavailableError}),
}
"""At each point of the twin: whether the process may die there, and which errors it may meet."""


class Surroundings(msgspec.Struct):
    """What every process of a run shares."""

    chaos: Chaos
    clock: Callable[[], datetime]
    stores: Mapping[str, Store]
    transport: Callable[[], Wire | LocalTransport]
    limits: Limits
    outside: Mapping[str, Sequence[Outside]]
    on_start: Callable[[Worker], None]
    crashes: dict[str, int]


class Process:
    """Some services in one process, under one node's name."""

    def __init__(self, name: str, services: Sequence[Service], around: Surroundings) -> None:
        self.name = name
        self.services = services
        self.around = around
        self.chaos = around.chaos
        self.workers: dict[str, Worker] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._transport: Wire | LocalTransport | None = None

    def start(self) -> None:
        """Begin a life."""
        self._tasks = [asyncio.create_task(self._live())]

    def crash(self) -> None:
        """Die now, and begin again after a while."""
        self.chaos.note("crash", self.name)
        for service in self.services:
            self.around.crashes[service.name] = self.around.crashes.get(service.name, 0) + 1
        if isinstance(self._transport, Wire):
            self._transport.cut()
        self._transport = None
        self.workers = {}
        for task in self._tasks:
            task.cancel()
        asyncio.get_running_loop().call_later(self.chaos.random.uniform(0, DOWN_S_MAX), self.start)

    @property
    def may_crash(self) -> bool:
        """Whether it is alive and has not died too often."""
        return bool(self.workers) and all(self.around.crashes.get(s.name, 0) < CRASHES_MAX for s in self.services)

    async def pause(self, point: str) -> None:
        """Let others run between two statements, and let go wrong what may."""
        chaos = self.chaos
        chaos.note(self.name, point, asyncio.get_running_loop().time())
        if chaos.random.random() < 0.3:  # otherwise nobody comes in between
            slow = chaos.strikes("slow statement")
            await asyncio.sleep(chaos.random.uniform(0, SLOW_S_MAX if slow else INTERLEAVE_S_MAX))
        crash, faults = MAY_HAPPEN.get(point, (None, {}))
        if crash is not None and self.may_crash and chaos.strikes(crash):
            self.crash()
            await asyncio.get_running_loop().create_future()  # the cancellation comes in here
        for kind, error in faults.items():
            if chaos.strikes(kind):
                raise error(f"{kind}, says chaos")

    async def _live(self) -> None:
        node = Node(self.name, clock=self._clock(), chance=self.chaos.chance)
        self._transport = self.around.transport()
        found = []
        for service in self.services:
            database = MemoryDatabase(self.around.stores[service.name], node=self.name, pause=self.pause)
            worker = Worker(service, database, self._transport, node=node, limits=self.around.limits)
            worker.unarrived = partial(len, worker.in_flight)
            found.append(worker)
        for worker in found:
            if not await self._begin(worker):
                worker.be_careful()
            self.around.on_start(worker)
        self.workers = {worker.name: worker for worker in found}
        for worker in found:
            sweep = Sweep(worker)
            sweep._jobs = [(max(SWEEPS_EVERY_S, every_s * SWEEPS_SLOWED), job) for every_s, job in sweep._jobs]
            self._tasks += [asyncio.create_task(worker.run()), asyncio.create_task(sweep.run())]
            if worker.name in self.around.outside:
                calls = OutsideCalls(worker, self.around.outside[worker.name])
                self._tasks.append(asyncio.create_task(calls.run()))

    def _clock(self) -> Callable[[], datetime]:
        """The time as this life of the process has it: that of everybody, or a wrong one until the trouble is over."""
        wrong = self.chaos.strikes("clock wrong")
        off = timedelta(seconds=self.chaos.random.uniform(-CLOCK_WRONG_S_MAX, CLOCK_WRONG_S_MAX) if wrong else 0)
        return lambda: self.around.clock() + off if self.chaos.on else self.around.clock()

    async def _begin(self, worker: Worker) -> bool:
        while True:
            try:
                return await worker.database.begin_life(self.name)
            except (UnavailableError, ConflictError):
                await asyncio.sleep(1)
