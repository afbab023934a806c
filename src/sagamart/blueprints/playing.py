"""Playing the shop: real deciders over the in-memory twin, one message after another, and everything noted.

Rules:
- What is played is what the services do: each message is folded by the core, in a transaction of the twin.
- Messages are handled in the order in which they were sent; time stands still unless a step lets it pass.
- A service that is down leaves its messages lying until it is up again.
"""

from collections import deque
from collections.abc import Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sagamart.blueprints.examples import AT
from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.memory import MemoryDatabase
from sagamart.messaging.memory_store import Store
from sagamart.messaging.message import Body, Message, new_id, new_trace
from sagamart.messaging.requests import StoredReply, request_of
from sagamart.messaging.service import Service

NODE = "shop-1"
MESSAGES_MAX = 500
"""No way of an order needs more; a circle of messages would."""


class Asks(NamedTuple):
    """Somebody asks a service for something, or (`tells`) tells it something and waits for no reply."""

    who: str
    service: str
    body: Body
    tells: bool = False


class Down(NamedTuple):
    """A service stops."""

    service: str


class Up(NamedTuple):
    """It is there again, and handles what has waited."""

    service: str


class TimePasses(NamedTuple):
    """Until the next timer is due."""


Step = Asks | Down | Up | TimePasses


class Handled(NamedTuple):
    """One transaction: what a service made of a message."""

    service: str
    message: Message[Any]
    who: str | None
    fired: bool
    sent: Sequence[Message[Any]]
    saved: Sequence[Any]
    armed: bool
    reply: StoredReply | None


class Play:
    """Services at work on a stage."""

    def __init__(self, services: Iterable[Service]) -> None:
        self.services = {service.name: service for service in services}
        self.stores = {name: Store(service, clock=lambda: self.now) for name, service in self.services.items()}
        self.now: datetime = AT
        self.story: list[Handled | Down | Up | TimePasses] = []
        self._waiting: deque[tuple[str, Message[Any]]] = deque()
        self._down: set[str] = set()
        self._asked = 0

    def play(self, steps: Iterable[Step]) -> None:
        """Take these steps, and let everybody finish after each.  Raises AssertionError for what cannot be handled."""
        playing: Coroutine[None, None, None] = self._play(steps)
        try:
            playing.send(None)
        except StopIteration:
            return
        raise AssertionError("somebody waits for something, and nothing is there to come")

    async def _play(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Asks():
                    await self._ask(step)
                case Down(service=name):
                    self._down.add(name)
                    self.story.append(step)
                case Up(service=name):
                    self._down.discard(name)
                    self.story.append(step)
                case TimePasses():
                    self.story.append(step)
                    await self._fire()
            await self._finish()

    async def _ask(self, step: Asks) -> None:
        self._asked += 1
        message_id = new_id(self.now, self._asked.to_bytes(10))
        body = step.body
        message = Message(
            id=message_id,
            type=type(body).__name__,
            key=body.key,
            source="http",
            at=self.now,
            correlation=message_id,
            body=body,
            node=NODE,
            schema=body.schema_version,
            trace=new_trace(self._asked.to_bytes(24)),
        )
        request = None if step.tells else request_of(step.who, step.service, message_id, message_id)
        await self._handle(step.service, Arrival(message, request=request), step.who)

    async def _fire(self) -> None:
        """Let time pass until a timer is due."""
        due = [timer.due_at for store in self.stores.values() for timer in store.timers.values()]
        self.now = max(self.now, min(due, default=self.now))
        for name, store in self.stores.items():
            for timer, encoded in await MemoryDatabase(store, node=NODE).due_timers(len(due)):
                message = self.services[name].registry.decode(encoded)
                await self._handle(name, Arrival(message, timer=timer))

    async def _finish(self) -> None:
        asleep: list[tuple[str, Message[Any]]] = []
        while self._waiting:
            name, message = self._waiting.popleft()
            if name in self._down:
                asleep.append((name, message))
            else:
                await self._handle(name, Arrival(message))
        self._waiting.extend(asleep)

    async def _handle(self, name: str, arrival: Arrival, who: str | None = None) -> None:
        assert len(self.story) < MESSAGES_MAX, "this does not come to an end"  # noqa: S101  a bug of the caller
        self.now += timedelta(milliseconds=1)
        batch = Batch(self.services[name], [arrival], node=NODE, now=self.now)
        async with MemoryDatabase(self.stores[name], node=NODE).transaction() as transaction:
            batch.take(await transaction.load(batch.wanted()))
            more = batch.wanted_more()
            if more:
                batch.take_more(await transaction.load_more(more))
            changes = batch.decide()
            await transaction.write(changes)
        trouble = [letter.error for letter in (*changes.dead, *batch.failures)]
        if trouble:
            raise AssertionError(f"{name} cannot handle {arrival.message.type}: {trouble[0]}")
        message = arrival.message
        sent = tuple(one for parcel in changes.outbox for one in parcel.messages)
        self.story.append(
            Handled(
                name,
                message,
                who,
                fired=arrival.timer is not None,
                sent=sent,
                saved=tuple(batch.saved),
                armed=bool(changes.armed),
                reply=batch.replies.get(message.id),
            )
        )
        for one in sent:
            for consumer, service in self.services.items():
                if one.type in service.consumes:
                    self._waiting.append((consumer, one))
