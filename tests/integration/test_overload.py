"""More than the services can take: requests are refused in time, and what was taken goes on, full queues or not."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
import pytest_asyncio

from open_shop import Opened
from sagamart.messaging.decision import Decision, Reply
from sagamart.messaging.fold import Batch
from sagamart.messaging.limits import Limits
from sagamart.messaging.message import Body, Message, new_id
from sagamart.messaging.postgres import PostgresDatabase
from sagamart.messaging.records import Record, Records, Table, need
from sagamart.messaging.requests import request_of
from sagamart.messaging.service import Handler, Service
from sagamart.messaging.sweep import Sweep
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.worker import Node, Worker
from sagamart.platform.migrations import history_of, migrate

TINY = Limits(batch_max=80, messages_max=100, requests_max=4)
SERVES, BALLS, HOPS = 4, 500, 3
WITHIN_S = 120.0
"""Nearly all of the time is waiting for the next offer of what a full queue could not take: some 20 s."""


class Serve(Body, frozen=True):
    """Bring so many balls into play."""

    number: int

    @property
    def key(self) -> str:
        """The serve."""
        return f"serve-{self.number}"


class Ball(Body, frozen=True):
    """A ball on its way to the next player."""

    ball: str
    hops_left: int

    @property
    def key(self) -> str:
        """The ball."""
        return self.ball


class ToAnn(Ball, frozen=True):
    """Ann is to play it."""


class ToBen(Ball, frozen=True):
    """Ben is to play it."""


class ToCat(Ball, frozen=True):
    """Cat is to play it."""


class Landed(Record, frozen=True):
    """A ball that has made all its hops."""

    ball: str


LANDED = Table(Landed, "landed", key="ball")


def serve(message: Message[Serve], _records: Records) -> Decision:
    """All balls at once."""
    balls = [ToBen(f"ball-{message.body.number}-{number}", HOPS) for number in range(BALLS)]
    return Decision(send=balls, reply=Reply(202))


def player(name: str, takes: type[Ball], to: type[Ball], *more: Handler[Any]) -> Service:
    """Plays a ball on to the next one, until it has made its hops."""

    def play(message: Message[Ball], _records: Records) -> Decision:
        ball = message.body
        if ball.hops_left == 0:
            return Decision(save=[Landed(1, ball.ball)])
        return Decision(send=[to(ball.ball, ball.hops_left - 1)])

    passes = Handler(takes=takes, needs=lambda m: (need(Landed, m.body.ball),), decide=play, emits=(to,))
    return Service(name, tables=(LANDED,), handlers=(passes, *more), migrations="none")


RING = (
    player("ann", ToAnn, ToBen, Handler(takes=Serve, decide=serve, emits=(ToBen,))),
    player("ben", ToBen, ToCat),
    player("cat", ToCat, ToAnn),
)


class CountingTransport(LocalTransport):
    """Remembers how often each message was handed over."""

    def __init__(self) -> None:
        super().__init__()
        self.handed: Counter[str] = Counter()

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        """Count, then do it."""
        self.handed.update(message.id for message in messages)
        super().hand_over(producer, messages)


class Ring(msgspec.Struct):
    """The players at work."""

    transport: CountingTransport
    workers: dict[str, Worker]
    landed: Counter[str]
    all_landed: asyncio.Event
    fullest: int = 0

    def watch(self, worker: Worker) -> None:
        """Count what lands."""

        def look(batch: Batch, _seconds: float) -> None:
            self.landed.update(row.ball for row in batch.saved)
            self.fullest = max(self.fullest, worker.waiting[0])
            if len(self.landed) == SERVES * BALLS:
                self.all_landed.set()

        worker.on_batch.append(look)

    async def serve(self, number: int) -> int:
        """Ask Ann to serve; the status of her answer."""
        now = datetime.now(UTC)
        body = Serve(number)
        message_id = new_id(now, number.to_bytes(10))
        message = Message(
            id=message_id, type="Serve", key=body.key, source="test", at=now, correlation=message_id, body=body
        )
        reply = await self.workers["ann"].ask(message, request_of("test", "serve", body.key, number))
        return reply.status


@pytest_asyncio.fixture
async def ring(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[Callable[[], Awaitable[Ring]]]:
    """Give `await ring()`: three services at work that can only send to one another."""
    async with AsyncExitStack() as closing:

        async def start() -> Ring:
            ring = Ring(CountingTransport(), {}, Counter(), asyncio.Event())
            for service in RING:
                dsn = await fresh_database()
                await migrate(dsn, [history_of("sagamart.messaging")])
                await _with_table(dsn)
                database = PostgresDatabase(service, dsn, node="test")
                closing.push_async_callback(database.close)
                worker = Worker(service, database, ring.transport, node=Node("test"), limits=TINY)
                ring.workers[service.name] = worker
                ring.watch(worker)
                for job in (worker.run(), Sweep(worker).run()):
                    task = asyncio.create_task(job)
                    closing.push_async_callback(_ended, task)
            return ring

        yield start


async def _with_table(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("create table landed (version bigint not null, ball text primary key)")
    await connection.close()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_services_in_a_ring_with_tiny_queues_never_hang(ring: Callable[[], Awaitable[Ring]]) -> None:
    players = await ring()

    async with asyncio.timeout(WITHIN_S):
        served = [await players.serve(number) for number in range(SERVES)]
        await players.all_landed.wait()

    assert served == [202] * SERVES
    assert set(players.landed.values()) == {1}
    assert players.fullest <= TINY.messages_max
    assert max(players.transport.handed.values()) > 1, "no queue was ever full"
    assert [worker.failed for worker in players.workers.values()] == [None] * 3


async def test_a_full_service_refuses_requests_and_takes_them_when_asked_again(open_shop: Opened) -> None:
    shop = await open_shop(limits=Limits(requests_max=8))
    customers = [await shop.customer(number) for number in range(100)]
    wish = {"lines": [{"title": "A mug", "price_minor": 100}]}

    first = await asyncio.gather(*(shop.post("/v1/orders", wish, caller=one) for one in customers))
    again = [
        await shop.post("/v1/orders", wish, caller=one)
        for one, answer in zip(customers, first, strict=True)
        if answer.status_code == 503
    ]

    refused = [answer for answer in first if answer.status_code == 503]
    taken = [answer for answer in [*first, *again] if answer.status_code == 202]
    assert len(refused) == len(again) >= 50
    assert {(one.headers["Retry-After"], one.json()["code"]) for one in refused} == {("1", "overloaded")}
    assert len({answer.json()["id"] for answer in taken}) == len(taken) == 100
    placed = await shop.shop.services["orders"].readers.fetchval("select count(*) from orders")
    assert placed == 100
