"""Services at work in this process, and how their messages travel.

Rules:
- Everything here may be started and stopped at any moment: what matters is in the databases.
- Stopping: take no requests, finish the batch at hand, answer the callers, close; each within a bound.
"""

import asyncio
import os
from collections.abc import Collection, Mapping
from functools import partial
from types import TracebackType
from typing import Self

import asyncpg
import msgspec
from msgspec import structs

from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.limits import Limits
from sagamart.messaging.message import Body, Message, new_id
from sagamart.messaging.operations import DeadLetters
from sagamart.messaging.operator_actions import OperatorActions
from sagamart.messaging.outside import Outside, OutsideCalls
from sagamart.messaging.pausing import Consumer
from sagamart.messaging.postgres import PostgresDatabase
from sagamart.messaging.sweep import Sweep
from sagamart.messaging.transport import Transport
from sagamart.messaging.transport.http import HttpTransport
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.vitals import Vitals
from sagamart.messaging.worker import Node, Worker
from sagamart.platform import metric_families as known
from sagamart.platform.depths import Depths
from sagamart.platform.http import Mounted, Queries, queries_of
from sagamart.platform.internal.calls import ServiceCalls
from sagamart.platform.metrics import Metrics
from sagamart.platform.step_log import StepLog
from sagamart.platform.tokens import Tokens
from sagamart.platform.traces import Traces
from sagamart.settings import ShopSettings
from sagamart.shop.accounts.contacts import AccountContacts
from sagamart.shop.notifications.known_contacts import KnownContacts
from sagamart.slices import Slice, slice_of
from sagamart.styles import READS, adapters

LANES = {"orders": 2}
"""Workers' lanes, where one is not enough: orders handles every other message, and its records are not shared."""

KILLED = "killed"
"""Why a worker takes nothing between its death and its next life."""

BATCH_S_MAX = 5.0
"""When the process stops, the batch at hand has so long to end.  Else it is rolled back, and comes again."""

CLOSE_S_MAX = 2.0
"""And so long each to note that it ended, and to close its connections."""

READERS_MAX = 4
"""Connections per service for reads; writes have one of their own."""


def said(body: Body, node: Node) -> Message[Body]:
    """What a process says to its own service."""
    now = node.clock()
    message_id = new_id(now, os.urandom(10))
    return Message(
        id=message_id,
        type=type(body).__name__,
        key=body.key,
        source=node.name,
        at=now,
        correlation=message_id,
        body=body,
        node=node.name,
    )


class Running(msgspec.Struct, frozen=True):
    """One service at work in this process."""

    slice: Slice
    worker: Worker
    calls: OutsideCalls
    consumer: Consumer
    database: PostgresDatabase
    readers: asyncpg.Pool

    @property
    def mounted(self) -> Mounted:
        """The service as the front door sees it."""
        return Mounted(self.slice.service.name, self.slice.routes, self.worker.ask, self.queries)

    @property
    def queries(self) -> Queries:
        """The named queries of its slice."""
        return queries_of(f"sagamart.shop.{self.slice.service.name}", self.readers)

    async def close(self) -> None:
        """Close what it holds open."""
        await self.calls.close()
        await self.readers.close()
        await self.database.close()


async def _ended(tasks: Collection[asyncio.Task[None]], within_s: float) -> Collection[asyncio.Task[None]]:
    """Let these end, whatever comes of them; those that did not in time are cancelled, and given back."""
    late: Collection[asyncio.Task[None]] = set()
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=within_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return late


class Shop:
    """Services at work together: `async with Shop(settings, {"stock": dsn}, node=Node("a")) as shop`.

    Without `calls` nobody can be called, and the style is `facts`.
    """

    def __init__(  # noqa: PLR0913  what it is made of
        self,
        settings: ShopSettings,
        dsns: Mapping[str, str],
        *,
        node: Node,
        transport: Transport | None = None,
        calls: ServiceCalls | None = None,
        traces: Traces | None = None,
        limits: Limits = Limits(),  # noqa: B008  immutable
    ) -> None:
        self.settings = settings if calls is not None else structs.replace(settings, style="facts")
        self.node = node
        self.calls = calls
        self.traces = traces
        self.transport = transport or LocalTransport()
        self.metrics = Metrics()
        self.depths = Depths()
        self.metrics.look_with(self.depths.refresh, self.depths.readings)
        self.services: dict[str, Running] = {}
        self.dsns = dsns
        self._limits = limits
        self._contacts = KnownContacts()
        self._lanes: list[asyncio.Task[None]] = []
        self._sweeps: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for name, dsn in self.dsns.items():
            self.services[name] = await self._open(slice_of(self.settings, name), dsn)
        for running in self.services.values():
            await self._start(running)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(running.calls.finish() for running in self.services.values()))
        for running in self.services.values():
            running.worker.stop()
        cut = {task.get_name() for task in await _ended(self._lanes, BATCH_S_MAX)}
        await _ended(self._sweeps, 0)
        # Who was cut, or cannot say that it ended, is careful in its next life.
        whole = [one for name, one in self.services.items() if not any(lane.startswith(f"{name} ") for lane in cut)]
        await _ended([asyncio.create_task(one.database.end_life(self.node.name)) for one in whole], CLOSE_S_MAX)
        await _ended([asyncio.create_task(one.close()) for one in self.services.values()], CLOSE_S_MAX)

    async def kill(self, name: str) -> None:
        """Have a service die in the middle of whatever it does, with all that it had in memory only.

        What others had given it, they give it again.  Only where messages travel within this process.
        """
        running = self.services[name]
        running.worker.failed = KILLED
        dying = [task for task in (*self._lanes, *self._sweeps) if task.get_name().startswith(f"{name} ")]
        for task in dying:
            task.cancel()
        await asyncio.gather(*dying, return_exceptions=True)
        self._lanes = [task for task in self._lanes if task not in dying]
        self._sweeps = [task for task in self._sweeps if task not in dying]
        running.worker.forget()
        running.calls.forget()
        if isinstance(self.transport, LocalTransport):
            self.transport.lost(name)

    async def revive(self, name: str) -> None:
        """Have a service that was killed begin its next life, as a restarted process does."""
        running = self.services[name]
        await running.database.take_back(self.node.name)
        running.worker.failed = None
        self._run(running)

    def write_letters(self, tokens: Tokens, contacts: KnownContacts) -> None:
        """From now on letters find their addresses, and the links under this seal, through `contacts`.

        Accounts answers there, where it is among the services.  Until then, letters wait in the outbox.
        """
        if "accounts" in self.services:
            contacts.answering = AccountContacts(self.services["accounts"].queries, tokens)
        self._contacts.answering = contacts

    @property
    def mounted(self) -> list[Mounted]:
        """All services as the front door sees them."""
        return [running.mounted for running in self.services.values()]

    @property
    def dead_letters(self) -> dict[str, DeadLetters]:
        """What the services could not handle."""
        return {name: DeadLetters(name, running.readers) for name, running in self.services.items()}

    @property
    def operator_actions(self) -> dict[str, OperatorActions]:
        """What operators did in the services."""
        return {name: OperatorActions(running.readers) for name, running in self.services.items()}

    @property
    def vitals(self) -> dict[str, Vitals]:
        """How each service is doing."""
        return {name: Vitals(running.worker, running.readers) for name, running in self.services.items()}

    @property
    def consumers(self) -> dict[str, Consumer]:
        """The services as takers of messages."""
        return {name: running.consumer for name, running in self.services.items()}

    async def _open(self, found: Slice, dsn: str) -> Running:
        database = PostgresDatabase(found.service, dsn, node=self.node.name)
        readers = await asyncpg.create_pool(dsn, min_size=1, max_size=READERS_MAX)
        worker = Worker(found.service, database, self.transport, node=self.node, limits=self._limits)
        if not self.settings.internal.receive and isinstance(self.transport, HttpTransport):
            worker.unarrived = partial(self.transport.on_the_way, worker.name)
        reading = queries_of(f"sagamart.shop.{worker.name}", readers)
        reached = () if found.reaching is None else found.reaching(reading, self._contacts)
        calls = OutsideCalls(worker, [*found.outside, *reached, *self._called(worker, reading)])
        if found.on_commit is not None:
            worker.on_commit.append(found.on_commit)
        self._measure(worker)
        self.metrics.outside_calls(worker.name, calls)
        if self.traces is not None:
            worker.on_batch.append(partial(self.traces.handled, worker.name))
            calls.on_call.append(partial(self.traces.called, worker.name))
        self.depths.add(worker.name, readers, None if found.look is None else found.look(reading))
        return Running(found, worker, calls, Consumer(worker, readers), database, readers)

    def _called(self, worker: Worker, reading: Queries) -> list[Outside]:
        """What a service calls of others; from now on it may be called and read."""
        if self.calls is None:
            return []
        read = READS.get(worker.name)
        self.calls.connect(worker, None if read is None else partial(read, reading))
        return adapters(worker.service, self.calls)

    async def _start(self, running: Running) -> None:
        """Begin where the last life ended; carefully where it did not end by itself."""
        worker = running.worker
        await running.consumer.heed()
        if not await running.database.begin_life(self.node.name):
            worker.be_careful()
        self._run(running)
        worker.offer_own([Arrival(said(body, self.node)) for body in running.slice.begins])

    def _run(self, running: Running) -> None:
        worker = running.worker
        for lane in range(LANES.get(worker.name, 1)):
            self._lanes.append(asyncio.create_task(worker.run(), name=f"{worker.name} lane {lane}"))
        beside = {"sweep": Sweep(worker).run(), "outside calls": running.calls.run(), "pauses": running.consumer.run()}
        for name, work in beside.items():
            task = asyncio.create_task(work, name=f"{worker.name} {name}")
            worker.watch(task)
            self._sweeps.append(task)

    def _measure(self, worker: Worker) -> None:
        """Count by batch; read depths when somebody asks."""
        metrics, name = self.metrics, worker.name

        def count(batch: Batch, seconds: float) -> None:
            metrics.batch(name, len(batch.arrivals), seconds)
            metrics.messages(name, "handled", len(batch.changes.handled) - batch.stale)
            metrics.messages(name, "stale", batch.stale)
            metrics.messages(name, "duplicate", batch.duplicates)
            metrics.messages(name, "dead", len(batch.changes.dead))
            one = batch.arrivals[len(batch.arrivals) // 2]
            if one.timer is None and not one.released:
                waited_s = (batch.now - one.message.at).total_seconds()
                metrics.step(name, one.message.type, waited_s + seconds)

        worker.on_batch.append(count)
        chosen = self.settings.logs
        worker.on_batch.append(StepLog(name, chosen.steps, chosen.slow_s).handled)
        metrics.read(known.QUEUE_MESSAGES, name, lambda: worker.waiting[0])
        metrics.read(known.QUEUE_REQUESTS, name, lambda: worker.waiting[1])
        metrics.read(known.REFUSED, name, lambda: worker.turned_away)
        metrics.read(known.UNDER_WAY, name, lambda: len(worker.in_flight))
        metrics.read(known.FAILED, name, lambda: worker.trouble is not None)
        metrics.read(known.PAUSED, name, lambda: worker.paused)
