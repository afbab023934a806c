"""The same order in three styles of interaction: latency and throughput, each service a process of its own.

An order of one custom line, paid from the wallet; its outcome is waited for (`Prefer: wait` in the style facts, which
is how a client gets it in one request there).  Ten processes (the timeline is off, unless asked for), a front door,
PostgreSQL with fsync on, and the load, all on this machine.  `http-events` needs a broker: `scripts/kafka start`,
`--kafka 127.0.0.1:9092`.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal

import asyncpg
import uvloop
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from sagamart.audit import audit
from sagamart.cluster.plan import Member, addresses_of, planned
from sagamart.cluster.processes import Kept, alive, until_ready
from sagamart.door import Replicas, front_door
from sagamart.platform.embedded import EmbeddedPostgres
from sagamart.platform.http.server import Server
from sagamart.platform.http_client import Address, Connection
from sagamart.platform.internal.service_tokens import make_service_keys
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply
from sagamart.platform.keys import tokens_from_files
from sagamart.platform.metrics import Metrics
from sagamart.platform.ports import Ports
from sagamart.platform.settings import HttpSettings
from sagamart.platform.tokens import Caller, Tokens
from sagamart.programs import prepared
from sagamart.settings import OrdersSection, ShopSettings
from sagamart.slices import SLICES
from sagamart.styles import Style
from sagamart.transports import service_key_folder

CUSTOMERS = 64
MONEY_MINOR = 1_000_000_000
OnOff = Literal["on", "off"]
MUG = {"lines": [{"title": "A mug", "price_minor": 400}]}
WARM_ORDERS = 40
TOLD_S_MAX = 120
TOLD = "select count(*) from notifications where kind = 'order_completed'"

app = App(help=__doc__)


class Client:
    """One customer's connection."""

    def __init__(self, address: Address, tokens: Tokens, number: int) -> None:
        self.customer = f"cus_{number:032x}"
        self._address = address
        self._token = tokens.sign(Caller(self.customer, frozenset({"CUSTOMER", "OPERATOR"}), "bench"))
        self._connection: Connection | None = None

    async def post(self, path: str, body: object, key: str) -> int:
        """A request; the status of its answer."""
        if self._connection is None or not self._connection.is_open:
            self._connection = await Connection.open(self._address)
        headers = {
            "authorization": f"Bearer {self._token}",
            "content-type": "application/json",
            "idempotency-key": key,
            "prefer": "wait=20",
        }
        lines = [(name.encode(), value.encode()) for name, value in headers.items()]
        answer = await self._connection.send("POST", path, lines, json.dumps(body).encode())
        await self._connection.body(answer)
        return answer.status

    async def deposit(self) -> None:
        """Money for all that is to come."""
        money = {"amount_minor": MONEY_MINOR, "currency": "RUB", "customer_id": self.customer}
        assert await self.post("/v1/wallet/deposits", money, self.customer) == 201  # noqa: PLR2004  RFC 9110


@asynccontextmanager
async def shop(style: Style, kafka: str, timeline: OnOff) -> AsyncIterator[tuple[Address, Tokens, dict[str, str]]]:
    """The shop in this style, behind its door; gives its address, who signs tokens, and the DSNs."""
    async with AsyncExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="sagamart-styles-")))
        prefix = f"bench-{os.getpid()}-{style}."
        settings = ShopSettings(
            style=style,
            timeline=timeline,
            transport="kafka" if style == "http-events" else "http",
            data=str(folder),
            http=HttpSettings(port=0, rate_limit_per_s=0),
            orders=OrdersSection(custom_lines="all", unpaid_orders_max=100, answer_s=20),
            kafka=KafkaSection(bootstrap_servers=(kafka,) if kafka else (), prefix=prefix),
        )
        if settings.transport == "kafka":
            await asyncio.to_thread(apply, settings.kafka, list(SLICES))
        make_service_keys(service_key_folder(settings), SLICES)
        postgres = EmbeddedPostgres(folder, progress=lambda _: None, settings={"max_connections": "300"})
        await closing.enter_async_context(postgres)
        dsns = await prepared(postgres.dsn(), list(SLICES), lambda _: None)
        tokens = tokens_from_files(settings.tokens, folder)
        ports = closing.enter_context(Ports())
        members = planned(settings, list(SLICES), replicas=1, postgres_dsn=postgres.dsn(), ports=ports)
        known = await closing.enter_async_context(Replicas(addresses_of(members)))
        await closing.enter_async_context(_processes(members, folder, known))
        door = Server(front_door(settings, known, tokens, Metrics()), host="127.0.0.1", port=0)
        await closing.enter_async_context(door)
        yield Address("127.0.0.1", door.port), tokens, dsns


@asynccontextmanager
async def _processes(members: Sequence[Member], folder: Path, known: Replicas) -> AsyncIterator[None]:
    processes = [Kept(one, folder, lambda _: None, known.tell) for one in members]
    async with alive(processes):
        async with asyncio.timeout(120):
            await until_ready(processes)
        yield


async def ordered(clients: Sequence[Client], orders: int, name: str) -> tuple[list[float], float]:
    """So many orders, each client one at a time; the latency of each (ms), and orders a second."""
    numbers = iter(range(orders))
    latencies_ms: list[float] = []
    statuses: Counter[int] = Counter()

    async def buy(client: Client) -> None:
        for number in numbers:
            began = time.perf_counter()
            statuses[await client.post("/v1/orders", MUG, f"{name}-{number}")] += 1
            latencies_ms.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    await asyncio.gather(*map(buy, clients))
    seconds = time.perf_counter() - began
    if set(statuses) != {201}:
        raise RuntimeError(f"orders were not answered as paid: {dict(statuses)}")
    return latencies_ms, orders / seconds


async def until_told(dsn: str, orders: int) -> None:
    """Wait until so many orders have been told of: what is on its way through a broker is in no outbox."""
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(TOLD_S_MAX):
            while await connection.fetchval(TOLD) < orders:  # noqa: ASYNC110  another process sets no event
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def measured(style: Style, singles: int, orders: int, kafka: str, timeline: OnOff) -> dict[str, float | str]:
    """One style, from an empty shop to a clean audit."""
    async with shop(style, kafka, timeline) as (address, tokens, dsns):
        clients = [Client(address, tokens, number) for number in range(1, CUSTOMERS + 1)]
        for client in clients:
            await client.deposit()
        await ordered(clients[:4], WARM_ORDERS, "warm")
        alone, _ = await ordered(clients[:1], singles, "single")
        together, per_s = await ordered(clients, orders, "many")
        await until_told(dsns["notifications"], WARM_ORDERS + singles + orders)
        findings = await audit(dsns)
        if findings:
            raise RuntimeError(f"the audit finds: {findings[:5]}")
    one, many = (statistics.quantiles(times, n=100) for times in (alone, together))
    return {
        "style": style,
        "one: p50 ms": round(one[49], 1),
        "one: p99 ms": round(one[98], 1),
        f"{CUSTOMERS}: p50 ms": round(many[49], 1),
        f"{CUSTOMERS}: p99 ms": round(many[98], 1),
        "orders/s": round(per_s),
        "load": round(os.getloadavg()[0], 1),
    }


@app.default
def run(
    *styles: Annotated[Style, Parameter(help="Which; all, if none is named (http-events with --kafka only).")],
    singles: Annotated[int, Parameter(help="Orders one at a time.")] = 200,
    orders: Annotated[int, Parameter(help="Orders of all customers together.")] = 2_000,
    kafka: Annotated[str, Parameter(help="A broker, HOST:PORT.")] = "",
    timeline: Annotated[
        OnOff, Parameter(help="Whether all that is said of an order is kept, by one process more.")
    ] = "off",
) -> None:
    """Measure, and print a table."""
    wanted: Sequence[Style] = styles or (("facts", "http", "http-events") if kafka else ("facts", "http"))
    rows = []
    for style in wanted:
        rows.append(uvloop.run(measured(style, singles, orders, kafka, timeline)))
        print(rows[-1], flush=True)
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


if __name__ == "__main__":
    app()
