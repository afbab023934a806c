"""How a client that waits (`Prefer: wait=N`) hears that another replica has settled its order: three ways, measured.

    polling     what the shop does: one query for all who wait here, every 100 ms (`shop/orders/waiting.py`)
    posted      each request carries its replica's address; who settles the order posts the order's id there
    kafka       the same over a reply topic of each replica (`--kafka HOST:PORT`; `scripts/kafka start` starts a broker)

So many wait at the same time in one replica; another one settles orders, in one transaction every 50 ms, so that each
waits for 2 s on average.  The latency is from the commit that settles an order to the moment its waiter goes on.  The
database's load is the processor time of its processes, less that of settling alone.
"""

import asyncio
import json
import os
import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import uvloop
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from machine import children_of, cpu_s
from sagamart.contracts.orders import Line
from sagamart.messaging.database import Changes
from sagamart.messaging.postgres import PostgresDatabase
from sagamart.platform.embedded import EmbeddedPostgres
from sagamart.platform.http import queries_of
from sagamart.platform.http.server import Server
from sagamart.platform.http_client import Address, Connection
from sagamart.programs import prepared
from sagamart.shop.orders.records import ORDERS, Order
from sagamart.shop.orders.service import ORDERS_SERVICE
from sagamart.shop.orders.waiting import Waiters

EVERY_S = 0.05
WAIT_S = 2.0
TOPIC = "sagamart-replies"

Tell = Callable[[Sequence[str]], Awaitable[None]]
"""Says to the replica of those who wait that these orders are settled."""

app = App(help=__doc__)


class Bench:
    """A database with orders that are not settled, and those who wait for them."""

    def __init__(self, dsn: str, postmaster: int, waiting: int, seconds: float) -> None:
        self.dsn = dsn
        self.waiting = waiting
        self.settled = int(waiting * EVERY_S / WAIT_S) or 1
        self.rounds = int(seconds / EVERY_S)
        self.unsettled = [f"ord_{number:032x}" for number in range(waiting + self.settled * self.rounds)]
        self.at: dict[str, float] = {}
        self.latencies_ms: list[float] = []
        self.asked = 0
        self._postmaster = postmaster

    async def fill(self) -> None:
        """Orders that wait for their money."""
        now = datetime.now(UTC)
        lines = (Line(None, "A mug", 1, 100),)
        orders = [Order(1, one, "cus_1", "capturing", lines, 100, "RUB", now, now) for one in self.unsettled]
        database = PostgresDatabase(ORDERS_SERVICE, self.dsn, node="bench")
        async with database.transaction() as transaction:
            await transaction.write(Changes(new={Order: orders}))
        await database.close()

    async def run(self, wait: Callable[[str], Awaitable[object]] | None, tell: Tell | None) -> float:
        """Settle at a steady pace; the database's processor time for a second of it (ms)."""
        line = iter(self.unsettled)

        async def client() -> None:
            for order_id in line:
                if wait is not None:
                    await wait(order_id)
                    self.latencies_ms.append((time.perf_counter() - self.at[order_id]) * 1000)

        connection = await asyncpg.connect(self.dsn)
        clients = [asyncio.create_task(client()) for _ in range(self.waiting)] if wait is not None else []
        await asyncio.sleep(0.5)
        began, before = time.perf_counter(), {pid: cpu_s([pid]) for pid in children_of(self._postmaster)}
        for turn in range(self.rounds):
            some = self.unsettled[turn * self.settled : (turn + 1) * self.settled]
            await connection.execute(
                "update orders set status = 'completed', version = version + 1 where order_id = any($1::text[])", some
            )
            self.at |= dict.fromkeys(some, time.perf_counter())
            if tell is not None:
                await tell(some)
            await asyncio.sleep(max(0.0, began + (turn + 1) * EVERY_S - time.perf_counter()))
        used_s = sum(cpu_s([pid]) - before.get(pid, 0) for pid in children_of(self._postmaster))
        load_ms = used_s * 1000 / (time.perf_counter() - began)
        await asyncio.sleep(0.5)
        for one in clients:
            one.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await connection.close()
        return load_ms


class Replies:
    """Who waits in a replica, by the id that a reply names."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def wait(self, order_id: str) -> None:
        """Until the reply comes."""
        await self._waiting.setdefault(order_id, asyncio.get_running_loop().create_future())

    def settled(self, order_ids: Sequence[str]) -> None:
        """The replies have come."""
        for one in order_ids:
            waiting = self._waiting.pop(one, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)


async def polling(bench: Bench) -> float:
    """As the shop does it."""
    waiters = Waiters(waiters_max=bench.waiting + 1)
    async with asyncpg.create_pool(bench.dsn, min_size=1, max_size=4) as pool:
        queries = queries_of("sagamart.shop.orders", pool)

        async def settled_among(order_ids: list[str]) -> list[Order]:
            bench.asked += 1
            return ORDERS.read(await queries.settled_among(order_ids=order_ids))

        return await bench.run(lambda order_id: waiters.wait(order_id, 60, settled_among), None)


async def posted(bench: Bench) -> float:
    """A post to the replica's own address for each transaction."""
    replies = Replies()
    async with Server(_listener(replies), host="127.0.0.1", port=0) as server:
        connection = await Connection.open(Address("127.0.0.1", server.port))

        async def tell(order_ids: Sequence[str]) -> None:
            answer = await connection.send("POST", "/", (), json.dumps(order_ids).encode())
            await connection.body(answer)

        load_ms = await bench.run(replies.wait, tell)
        connection.close()
        return load_ms


def _listener(replies: Replies) -> Any:
    async def listen(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                event = await receive()
                await send({"type": f"{event['type']}.complete"})
                if event["type"] == "lifespan.shutdown":
                    return
        content, more = b"", True
        while more:
            event = await receive()
            content, more = content + event["body"], event.get("more_body", False)
        replies.settled(json.loads(content))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return listen


def over_kafka(bootstrap: str) -> Callable[[Bench], Awaitable[float]]:
    """A record for each order, to a topic of the replica's own."""

    async def kafka(bench: Bench) -> float:
        from confluent_kafka import Consumer, Producer  # noqa: PLC0415  only for who measures it
        from confluent_kafka.admin import AdminClient  # noqa: PLC0415  as above
        from confluent_kafka.cimpl import NewTopic  # noqa: PLC0415  as above

        topic = f"{TOPIC}-{os.getpid()}-{bench.waiting}"
        admin = AdminClient({"bootstrap.servers": bootstrap})
        admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
        replies, loop, over = Replies(), asyncio.get_running_loop(), False
        producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 0})
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"})
        consumer.subscribe([topic])

        def listen() -> None:
            while not over:
                first = consumer.poll(0.2)
                rest = consumer.consume(500, 0) if first is not None else []
                found = [one.value() for one in (first, *rest) if one is not None and one.error() is None]
                loop.call_soon_threadsafe(replies.settled, [one.decode() for one in found if one])
            consumer.close()

        async def tell(order_ids: Sequence[str]) -> None:
            for one in order_ids:
                producer.produce(topic, one.encode())
            producer.poll(0)

        listening = asyncio.create_task(asyncio.to_thread(listen))
        await tell(["ready"])
        await asyncio.wait_for(replies.wait("ready"), 60)
        try:
            return await bench.run(replies.wait, tell)
        finally:
            over = True
            await listening
            producer.flush(10)

    return kafka


async def settling_alone(bench: Bench) -> float:
    """Nobody waits: what settling costs by itself."""
    return await bench.run(None, None)


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[Callable[[int, float], Awaitable[Bench]]]:
    """An orders database on an embedded PostgreSQL, emptied and filled for each measurement."""
    async with AsyncExitStack() as closing:
        postgres = await closing.enter_async_context(EmbeddedPostgres(folder, progress=lambda _: None))
        dsns = await prepared(postgres.dsn(), ["orders"], lambda _: None)
        admin = await asyncpg.connect(postgres.dsn("sagamart_orders"))
        closing.push_async_callback(admin.close)

        async def fresh(waiting: int, seconds: float) -> Bench:
            await admin.execute("truncate orders")
            bench = Bench(dsns["orders"], postgres.pid, waiting, seconds)
            await bench.fill()
            return bench

        yield fresh


async def measured(data: Path, waiting: Sequence[int], seconds: float, kafka: str) -> list[dict[str, float | str]]:
    """All ways with so many who wait."""
    ways: dict[str, Callable[[Bench], Awaitable[float]]] = {"polling": polling, "posted": posted}
    if kafka:
        ways["kafka"] = over_kafka(kafka)
    rows: list[dict[str, float | str]] = []
    async with database(data) as fresh:
        for many in waiting:
            alone_ms = await settling_alone(await fresh(many, seconds))
            order = list(ways)
            random.shuffle(order)
            for way in order:
                bench = await fresh(many, seconds)
                load_ms = await ways[way](bench)
                rows.append(_row(way, bench, load_ms - alone_ms, seconds))
    return sorted(rows, key=lambda row: (row["waiting"], row["way"]))


def _row(way: str, bench: Bench, load_ms: float, seconds: float) -> dict[str, float | str]:
    times = statistics.quantiles(bench.latencies_ms, n=100)
    return {
        "waiting": bench.waiting,
        "way": way,
        "settled_per_s": round(bench.settled / EVERY_S),
        "p50_ms": round(times[49], 1),
        "p99_ms": round(times[98], 1),
        "queries_per_s": round(bench.asked / seconds, 1),
        "database_ms_per_s": round(load_ms, 1),
    }


@app.default
def run(
    *,
    waiting: Annotated[tuple[int, ...], Parameter(help="How many wait at the same time.")] = (100, 500, 2000),
    seconds: Annotated[float, Parameter(help="How long each is measured.")] = 5.0,
    kafka: Annotated[str, Parameter(help="A broker, HOST:PORT; none: without reply topics.")] = "",
    data: Annotated[Path, Parameter(help="Folder of the database.")] = Path(".bench-data"),
) -> None:
    """Measure, and print a table."""
    rows = uvloop.run(measured(data, waiting, seconds, kafka))
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


if __name__ == "__main__":
    app()
