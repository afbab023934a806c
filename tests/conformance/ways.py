"""The ways that messages travel, each under the same processes: real workers and sweeps, over the twin of the database.

world = World(way)
speaker = await world.start("a", "speaker")      # a process; on a way within one process, all services are in it
await speaker.speak("weather", "sports")         # returns when it is committed
await world.until(lambda: world.heard("left") == {"weather": 1, "sports": 1})
"""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from conformance.conversation import EVERYBODY, Speak, Subject
from sagamart.messaging.limits import Limits
from sagamart.messaging.memory import MemoryDatabase, no_pause
from sagamart.messaging.memory_store import Store
from sagamart.messaging.message import Message, new_id
from sagamart.messaging.outbox import lines
from sagamart.messaging.requests import Request
from sagamart.messaging.sweep import Sweep
from sagamart.messaging.transport import Transport
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.worker import Node, Worker

WITHIN_S = 90.0
LOOK_S = 0.02


class Opened(msgspec.Struct, frozen=True):
    """A process's transport: `receiving` lets messages in once all are connected, `crash` takes the process away."""

    transport: Transport
    receiving: Callable[[], AbstractAsyncContextManager[None]]
    crash: Callable[[], None]


class Way(Protocol):
    """How messages travel."""

    within_one_process: bool
    keeps_messages: bool

    def open(self, names: Sequence[str]) -> AbstractAsyncContextManager[Opened]:
        """The transport of a process that runs these services."""


class LocalWay:
    """In memory."""

    within_one_process = True
    keeps_messages = False

    @asynccontextmanager
    async def open(self, names: Sequence[str]) -> AsyncIterator[Opened]:
        @asynccontextmanager
        async def receiving() -> AsyncIterator[None]:
            yield

        assert set(names) == set(EVERYBODY)
        yield Opened(LocalTransport(), receiving, lambda: None)


class Process:
    """Some services at work together."""

    def __init__(self, world: "World", node: str, names: Sequence[str], limits: Limits) -> None:
        self.world = world
        self.node = node
        self.names = names
        self.workers: dict[str, Worker] = {}
        self._limits = limits
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = AsyncExitStack()

    async def start(self) -> None:
        self._opened = await self._closing.enter_async_context(self.world.way.open(self.names))
        self.transport = self._opened.transport
        for name in self.names:
            database = MemoryDatabase(
                self.world.stores[name], node=self.node, pause=self.world.pauses.get(name, no_pause)
            )
            node = Node(self.node)
            worker = Worker(EVERYBODY[name], database, self.transport, node=node, limits=self._limits)
            await database.begin_life(self.node)
            self.workers[name] = worker
            self._tasks += [asyncio.create_task(worker.run()), asyncio.create_task(Sweep(worker).run())]
        await self._closing.enter_async_context(self._opened.receiving())

    async def stop(self) -> None:
        """In good order."""
        await self._closing.aclose()
        await self._end()

    async def crash(self) -> None:
        """What it had in memory is lost."""
        self._opened.crash()
        await self._end()
        await self._closing.aclose()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def speak(self, *subjects: str, text: str = "") -> list[str]:
        """Have the speaker say something about each; the ids of the commands."""
        commands = [command(Speak(subject, number, text)) for number, subject in enumerate(subjects)]
        worker = self.workers["speaker"]
        await asyncio.gather(*(worker.ask(one, Request(one.id, b"")) for one in commands))
        return [one.id for one in commands]


class World:
    """Processes that come and go, and what stays: their databases."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.stores = {name: Store(service) for name, service in EVERYBODY.items()}
        self.pauses: dict[str, Any] = {}
        self.processes: list[Process] = []
        self._nodes = itertools.count(1)

    async def start(self, *names: str, limits: Limits = Limits()) -> Process:  # noqa: B008  immutable
        """A process with these services; with all of them where messages travel within one."""
        chosen = list(EVERYBODY) if self.way.within_one_process or not names else list(names)
        process = Process(self, f"node-{next(self._nodes)}", chosen, limits)
        self.processes.append(process)
        await process.start()
        return process

    async def start_all(self, limits: Limits = Limits()) -> Process:  # noqa: B008  immutable
        """Every service, each in a process of its own where that is possible; gives the speaker's."""
        if self.way.within_one_process:
            return await self.start(limits=limits)
        started = [await self.start(name, limits=limits) for name in EVERYBODY]
        return started[0]

    async def stop(self) -> None:
        """End all that runs."""
        for process in self.processes:
            await process.stop()

    def heard(self, service: str) -> dict[str, int]:
        """How often a service has heard of each subject."""
        rows = self.stores[service].rows[Subject].values()
        return {row.subject_id: row.heard for row in rows}

    def outbox(self, service: str) -> int:
        """How many parcels of a service have not arrived."""
        return len(self.stores[service].outbox)

    def unsent(self, service: str) -> int:
        """How many messages lie in them."""
        return sum(len(lines(row.messages)) for row in self.stores[service].outbox.values())

    def letters(self, service: str) -> list[tuple[str, str, str]]:
        """Type, key and status of a service's dead letters."""
        return sorted((row.type, row.key, row.status) for row in self.stores[service].letters.values())

    def let_leases_run_out(self) -> None:
        """Whoever had messages under way has had them for too long."""
        for store in self.stores.values():
            for row in store.outbox.values():
                row.lease_until = store.clock()

    async def until(self, condition: Callable[[], object]) -> None:
        """Return when it is so."""
        async with asyncio.timeout(WITHIN_S):
            while not condition():  # noqa: ASYNC110  the databases of several processes raise no event
                await asyncio.sleep(LOOK_S)

    async def until_all_heard(self, times: dict[str, int]) -> None:
        """Return when everybody has heard everything so often, and nothing is under way any more."""
        await self.until(lambda: all(self.heard(name) == times for name in EVERYBODY))
        await self.until(lambda: not any(self.outbox(name) for name in EVERYBODY))


def command(body: Speak) -> Message[Speak]:
    """A caller's command."""
    now = datetime.now(UTC)
    message_id = new_id(now, os.urandom(10))
    return Message(id=message_id, type="Speak", key=body.key, source="test", at=now, correlation=message_id, body=body)
