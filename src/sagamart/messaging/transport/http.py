"""Services in processes of their own: batches of committed messages are posted to each consumer's internal endpoint.

A post is answered when the consumer has committed what it took, with the ids of what it did not take.

Rules:
- A message has arrived when each of its consumers has said so.  One that said so is not told again where another one
  did not, as long as this process remembers; after a restart all are told again, and their inboxes absorb it.
- Each pair of services has its own queue, with at most `QUEUE_MAX` messages and `LANES` posts under way.
- What cannot be posted (nobody listens, the answer is lost, the consumer is full) stays in the queue and is posted
  again with backoff and jitter.  What finds no room in one queue stays in the outbox, and goes to the others at once:
  a consumer that is gone keeps nothing from the rest.
- A consumer in this process is told in memory, unless the services here only take requests (`takes_messages`): then all
  they say is posted, to processes that take messages.
- Answers to messages are messages, posted the other way: see docs/decisions/0011.
"""

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec
import structlog

from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import Body, Message, encode
from sagamart.messaging.transport import Endpoint
from sagamart.messaging.transport.reached import Reached

QUEUE_MAX = 5_000
LANES = 4
POSTED_MAX = 500
"""Messages in one post."""

POST_BYTES_MAX = 1024 * 1024
"""A post is closed with the message that reaches this size."""

BACKOFF_S = 0.05
BACKOFF_S_MAX = 2.0
STALLED_S = 5.0
"""A consumer to which nothing got through for so long (paused, gone, in trouble) holds up nobody."""

HANDLED_S_MAX = 15.0
"""So long a post may wait for the consumer's commit; half of an outbox lease."""

log = structlog.get_logger()

_ids = msgspec.json.Decoder(list[str])


class NotPostedError(Exception):
    """Nobody took the post, or nobody said so.  The message says where and why."""


Post = Callable[[str, str, int, bytes], Awaitable[bytes]]
"""Brings messages (JSON) from a producer to a consumer on a lane's own connection; the answer.

Raises NotPostedError.
"""


class Route:
    """From one service here to one elsewhere: a queue, and the lanes that empty it."""

    def __init__(self, producer: str, consumer: str, post: Post, settle: "Settle") -> None:
        self.producer = producer
        self.consumer = consumer
        self._post = post
        self._settle = settle
        self._queue: deque[Message[Body]] = deque()
        self._filled = asyncio.Event()
        self._on_the_way = 0
        self._moved_at = 0.0

    @property
    def on_the_way(self) -> int:
        """How many messages wait here or are being handled there; 0 where nothing gets through."""
        return self._on_the_way if asyncio.get_running_loop().time() - self._moved_at < STALLED_S else 0

    def put(self, message: Message[Body]) -> bool:
        """Send this; says whether there was room for it."""
        if len(self._queue) >= QUEUE_MAX:
            return False
        if not self._on_the_way:
            self._moved_at = asyncio.get_running_loop().time()
        self._on_the_way += 1
        self._queue.append(message)
        self._filled.set()
        return True

    async def run(self, lane: int) -> None:
        """Post until cancelled."""
        pause_s = 0.0
        while True:
            await self._filled.wait()
            batch, content = self._next()
            if not batch:
                self._filled.clear()
                continue
            try:
                missing = _ids.decode(await self._post(self.producer, self.consumer, lane, content))
            except (NotPostedError, msgspec.MsgspecError) as trouble:
                self._queue.extendleft(reversed(batch))
                self._filled.set()
                if not pause_s:
                    log.warning(
                        "cannot post, trying again", to=self.consumer, service=self.producer, error=str(trouble)
                    )
                pause_s = min(max(BACKOFF_S, 2 * pause_s), BACKOFF_S_MAX)
                await asyncio.sleep(pause_s * (0.5 + random.random()))  # noqa: S311  jitter, not a secret
            else:
                pause_s = 0.0
                self._on_the_way -= len(batch)
                if len(missing) < len(batch):
                    self._moved_at = asyncio.get_running_loop().time()
                self._settle(self.producer, self.consumer, batch, frozenset(missing))

    def _next(self) -> tuple[list[Message[Body]], bytes]:
        batch: list[Message[Body]] = []
        parts: list[bytes] = []
        size = 0
        while self._queue and len(batch) < POSTED_MAX and size < POST_BYTES_MAX:
            batch.append(self._queue.popleft())
            parts.append(encode(batch[-1]))
            size += len(parts[-1])
        return batch, b"[%s]" % b",".join(parts)


Settle = Callable[[str, str, Sequence[Message[Body]], frozenset[str]], None]
"""A consumer has committed these messages of a producer, without the missing ones."""


class Receipt:
    """A post that waits for its messages to be committed here."""

    def __init__(self, message_ids: Iterable[str]) -> None:
        self.left = set(message_ids)
        self.done = asyncio.Event()

    def committed(self, message_id: str) -> None:
        """One message less to wait for."""
        self.left.discard(message_id)
        if not self.left:
            self.done.set()


class NothingTakenError(Exception):
    """The service takes no messages now: it is full, paused, or stopping."""


class HttpTransport:
    """Between the services here and those elsewhere.  `consumers` says who handles each type, `post` reaches them."""

    def __init__(self, consumers: Mapping[str, Sequence[str]], post: Post, *, takes_messages: bool = True) -> None:
        self._consumers = consumers
        self._post = post
        self._takes_messages = takes_messages
        self._endpoints: dict[str, Endpoint] = {}
        self._routes: dict[tuple[str, str], Route] = {}
        self._lanes: list[asyncio.Task[None]] = []
        self._awaited: dict[str, set[str]] = {}
        self._reached = Reached()
        self._receipts: dict[str, dict[str, list[Receipt]]] = defaultdict(dict)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)

    # -- from the services here ---------------------------------------------------------------------------------------

    def connect(self, endpoint: Endpoint) -> None:
        """Let a service send and receive."""
        self._endpoints[endpoint.name] = endpoint

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        """Queue each message for all its consumers; one that nobody consumes has arrived."""
        arrived: list[str] = []
        offers: dict[str, list[Message[Body]]] = defaultdict(list)
        unqueued: list[Message[Body]] = []
        for message in messages:
            reached = self._reached.take(message.id)
            consumers = {name for name in self._consumers.get(message.type, ()) if name not in reached}
            if not consumers:
                arrived.append(message.id)
                continue
            self._awaited[message.id] = consumers
            for name in consumers:
                if self._takes_messages and name in self._endpoints:
                    offers[name].append(message)
                elif not self._route(producer, name).put(message):
                    unqueued.append(message)
        for name, offered in offers.items():
            unqueued += offered[self._endpoints[name].offer(offered) :]
        refused = [message.id for message in unqueued if self._give_up(message)]
        self._tell(producer, arrived, refused)

    def handled(self, consumer: str, messages: Sequence[Message[Body]]) -> None:
        """Answer the posts that waited for these, and say what of this process's own has arrived."""
        receipts = self._receipts[consumer]
        here: dict[str, list[Message[Body]]] = defaultdict(list)
        for message in messages:
            if message.id in receipts:
                for receipt in receipts.pop(message.id):
                    receipt.committed(message.id)
            if message.id in self._awaited:
                here[message.source].append(message)
        for producer, some in here.items():
            self._settle(producer, consumer, some, frozenset())

    def on_the_way(self, producer: str) -> int:
        """How many messages of a service here are on their way to that consumer elsewhere to which most are."""
        return max((route.on_the_way for (sender, _), route in self._routes.items() if sender == producer), default=0)

    # -- from elsewhere -----------------------------------------------------------------------------------------------

    async def receive(self, consumer: str, messages: Sequence[Message[Body]]) -> list[str]:
        """Have a service here handle these; the ids of those that it has not taken, or not committed in time.

        What it has in its queue from an earlier post is waited for and not queued twice.  Raises NothingTakenError.
        """
        receipts = self._receipts[consumer]
        new = [message for message in messages if message.id not in receipts]
        receipt = Receipt(message.id for message in messages)
        for message in messages:
            receipts.setdefault(message.id, []).append(receipt)
        taken = self._endpoints[consumer].offer(new)
        refused = [message.id for message in new[taken:]]
        for message_id in refused:
            receipts.pop(message_id, None)
            receipt.committed(message_id)
        if len(refused) == len(messages):
            raise NothingTakenError
        with suppress(TimeoutError):
            async with asyncio.timeout(HANDLED_S_MAX):
                await receipt.done.wait()
        for message_id in receipt.left:
            receipts[message_id].remove(receipt)
        return [*refused, *receipt.left]

    async def bury(self, consumer: str, letters: Sequence[UnreadableLetter]) -> None:
        """Have a service here keep what it cannot read; returns when that is written."""
        await self._endpoints[consumer].bury(letters)

    # -- bookkeeping --------------------------------------------------------------------------------------------------

    def _route(self, producer: str, consumer: str) -> Route:
        route = self._routes.get((producer, consumer))
        if route is None:
            route = self._routes[producer, consumer] = Route(producer, consumer, self._post, self._settle)
            for lane in range(LANES):
                task = asyncio.create_task(route.run(lane), name=f"{producer} to {consumer}, lane {lane}")
                self._lanes.append(task)
        return route

    def _settle(self, producer: str, consumer: str, messages: Sequence[Message[Body]], missing: frozenset[str]) -> None:
        arrived, refused = [], []
        for message in messages:
            if message.id in missing:
                refused += [message.id] if self._give_up(message) else []
                continue
            awaited = self._awaited.get(message.id)
            if awaited is None:
                self._reached.add(message.id, consumer)
                continue
            awaited.discard(consumer)
            if not awaited:
                del self._awaited[message.id]
                arrived.append(message.id)
        self._tell(producer, arrived, refused)

    def _give_up(self, message: Message[Body]) -> bool:
        """Leave a message to the outbox, and remember who had it; False where that was done already."""
        awaited = self._awaited.pop(message.id, None)
        if awaited is None:
            return False
        self._reached.remember(message.id, set(self._consumers[message.type]) - awaited)
        return True

    def _tell(self, producer: str, arrived: Sequence[str], refused: Sequence[str]) -> None:
        if arrived:
            self._endpoints[producer].arrived(arrived)
        if refused:
            self._endpoints[producer].refused(refused)
