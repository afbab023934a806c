"""The loop of the hand-written saga: four stations, each with a connection, and messages that pass in memory.

It is the yardstick, so it does what an engine could leave out only by leaving out a promise: an inbox row for each
message, an outbox row for what a batch sends, versions compared, everything of a batch in one transaction.  It has
nothing generic: no retries, dead letters, timers that fire, leases that run out.  A conflict ends the run.
"""

import asyncio
import itertools
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

SESSION = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
encoder = msgspec.json.Encoder()


class Envelope(msgspec.Struct):
    """A message with the fields of the engine's, in their order."""

    id: str
    type: str
    key: str
    source: str
    at: datetime
    correlation: str
    body: Any
    cause: str | None
    node: str = "bench"
    schema: int = 1
    trace: str | None = None


Hop = Callable[["Station", list[Envelope]], Awaitable[list[Envelope]]]
_numbers = itertools.count()
_RUN = os.urandom(4).hex()


def fresh_id() -> str:
    """A time-ordered id."""
    moment = f"{int(time.time() * 1000):012x}"
    number = f"{next(_numbers):012x}"
    return f"{moment[:8]}-{moment[8:]}-8{_RUN[:3]}-8{_RUN[3:6]}-{number}"


def reply_to(cause: Envelope, source: str, kind: str, at: datetime, body: Any) -> Envelope:
    """What follows from a message."""
    return Envelope(fresh_id(), kind, cause.key, source, at, cause.correlation, body, cause.id)


def rows(values: Sequence[Any]) -> str:
    """A parameter: a list, or rows, as JSON."""
    return encoder.encode(values).decode()


def parcel(sent: Sequence[Envelope]) -> tuple[list[str], list[bytes]]:
    """Two parameters: the id and the content of the one row that a batch's messages share, if there are any."""
    return [message.id for message in sent[:1]], [b"\n".join(map(encoder.encode, sent))] if sent else []


class Station:
    """One service: its connection, its queues, and the rows of its outbox that may go."""

    def __init__(self, name: str, hops: dict[str, Hop], saga: "Saga") -> None:
        self.name = name
        self.hops = hops
        self.saga = saga
        self.queues: dict[str, deque[Envelope]] = {kind: deque() for kind in hops}
        self.wake = asyncio.Event()
        self.arrived: list[str] = []
        self.connection: asyncpg.Connection

    def take_arrived(self) -> str:
        """The ids whose rows the next write deletes."""
        gone, self.arrived = self.arrived, []
        return rows(gone)

    async def run(self, batch_max: int) -> None:
        """Take the longest queue, up to a batch of it, until cancelled."""
        while True:
            kind = max(self.queues, key=lambda one: len(self.queues[one]))
            queue = self.queues[kind]
            if not queue:
                self.wake.clear()
                await self.wake.wait()
                continue
            batch = [queue.popleft() for _ in range(min(len(queue), batch_max))]
            self.saga.pass_on(batch, await self.hops[kind](self, batch))


class Saga:
    """All stations.  `done` counts orders that are through."""

    def __init__(self, hops: dict[str, dict[str, Hop]], last: str) -> None:
        self.stations = {name: Station(name, own, self) for name, own in hops.items()}
        self.last = last
        self.done = 0
        self.on_done: Callable[[int], None] = lambda _: None
        self._takers = {
            kind: [one for one in self.stations.values() if kind in one.hops] for own in hops.values() for kind in own
        }
        self._awaited: dict[str, int] = {}
        self._parcels: dict[str, str] = {}
        self._left: dict[str, int] = {}

    async def connect(self, dsns: dict[str, str]) -> None:
        """Open each station's connection."""
        for name, station in self.stations.items():
            station.connection = await asyncpg.connect(dsns[name], server_settings=SESSION)

    async def close(self) -> None:
        """Close the connections."""
        for station in self.stations.values():
            await station.connection.close()

    def put(self, message: Envelope) -> None:
        """Give a message to whoever takes its type."""
        for station in self._takers[message.type]:
            station.queues[message.type].append(message)
            station.wake.set()

    def pass_on(self, handled: list[Envelope], sent: list[Envelope]) -> None:
        """After the commit: hand over what was sent, tell the senders of what was handled, count."""
        for message in sent:
            self._parcels[message.id] = sent[0].id
            self._left[sent[0].id] = len(sent)
            self._awaited[message.id] = len(self._takers[message.type])
            self.put(message)
        for message in handled:
            if message.cause is None:
                continue
            self._awaited[message.id] -= 1
            if not self._awaited[message.id]:
                del self._awaited[message.id]
                self._arrived(message)
        if handled[0].type == self.last:
            self.done += len(handled)
            self.on_done(len(handled))

    def _arrived(self, message: Envelope) -> None:
        parcel_id = self._parcels.pop(message.id)
        self._left[parcel_id] -= 1
        if not self._left[parcel_id]:
            del self._left[parcel_id]
            self.stations[message.source].arrived.append(parcel_id)


def now() -> datetime:
    """The time of a batch."""
    return datetime.now(UTC)
