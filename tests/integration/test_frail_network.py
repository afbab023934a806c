"""Orders over lines that delay, slice, break off and fall silent: to PostgreSQL, between services, to the broker.

Each fault is counted by the line where it happens.  Whatever it was, every order that was asked for is there once, and
completed; nothing is lost or doubled in any database.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio
from msgspec.structs import replace

from frail_network import LOOPBACK, Line, Network, Way
from integration.town import OTHERS, TAKES_ORDERS, DatabaseOf, Town, Ways, by_http, databases, process
from kafka_broker import LinedBroker
from open_shop import OPERATOR
from sagamart.audit import audit
from sagamart.messaging import postgres
from sagamart.platform.http import Caller
from sagamart.platform.internal import posting
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES
from sagamart.transports import kafka_travel

ANSWER_S_MAX = 2.0
"""After so long a silence the line is given up; a shop at work waits ten times as long."""

WITHIN_S = 90.0
LOOK_S = 0.05
BUYERS = 4
ORDERS_MIN = 8
CUTS = (0, 1, 0, 5, 100, 0, 400, 1_000, 0, 3_000)
"""Bytes of an answer that still come through before the connection is gone."""

_numbers = itertools.count(1)


class FrailTown:
    """Two processes, one that takes orders and one with the other services, and the lines that they talk over."""

    def __init__(self, town: Town, dsns: Mapping[str, str], lines: Mapping[str, Line]) -> None:
        self.town = town
        self.dsns = dsns
        self.lines = lines
        self.people: list[Caller] = []

    def fired(self, fault: str) -> int:
        """How often this has happened, on all lines."""
        return sum(line.fired[fault] for line in self.lines.values())

    async def orders_until(self, is_enough: Callable[[], bool]) -> None:
        """New customers come, pay in and buy a mug, until it is enough; then the lines are good again."""
        wanted = len(self.people) + ORDERS_MIN

        async def buy() -> None:
            while not is_enough() or len(self.people) < wanted:
                await self._buys(Caller(f"cus_{next(_numbers):032x}", frozenset({"CUSTOMER"})))

        async def heal() -> None:
            await until(is_enough)
            for line in self.lines.values():
                line.heal()

        async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
            group.create_task(heal())
            for _ in range(BUYERS):
                group.create_task(buy())

    async def _buys(self, who: Caller) -> None:
        self.people.append(who)
        wallet, orders = self.town.backs[0], self.town.fronts[0]
        money = {"amount_minor": 500, "currency": "RUB", "customer_id": who.id}
        mug = {"lines": [{"sku": "MUG"}]}
        await answered(lambda: wallet.post("/v1/wallet/deposits", money, caller=OPERATOR, key=who.id))
        await answered(lambda: orders.post("/v1/orders", mug, caller=who))

    async def is_sound(self) -> None:
        """Every customer has one order, which completes; then nothing is under way, and the books balance."""
        orders = [(who.id, "completed") for who in self.people]
        await shows(self.dsns["orders"], "select customer_id, status from orders order by customer_id", orders)
        for dsn in self.dsns.values():
            await shows(dsn, "select id from outbox limit 1", [])
        wallets = await rows(self.dsns["wallet"], "select balance_minor, held_minor from wallets")
        assert {tuple(row) for row in wallets} <= {(400, 0), (0, 0)}
        assert await audit(dict(self.dsns)) == []


async def answered(ask: Callable[[], Awaitable[httpx.Response]]) -> None:
    """Ask, again under the same key, until the shop has an answer."""
    answer = await ask()
    while answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        await asyncio.sleep(LOOK_S)
        answer = await ask()
    answer.raise_for_status()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    while not is_so():  # noqa: ASYNC110  a line counts in a thread of its own
        await asyncio.sleep(LOOK_S)


async def shows(dsn: str, sql: str, wanted: list[tuple[Any, ...]]) -> None:
    """Wait until a database says this."""
    async with asyncio.timeout(WITHIN_S):
        while [tuple(row) for row in await rows(dsn, sql)] != wanted:  # noqa: ASYNC110  a database tells nobody
            await asyncio.sleep(LOOK_S)


async def rows(dsn: str, sql: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


def over(network: Network, dsn: str) -> tuple[Line, str]:
    """A line to a database, and its DSN over that."""
    parts = urlsplit(dsn)
    line = network.line(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432")
    return line, f"postgresql://{parts.username}@{LOOPBACK}:{line.port}{parts.path}?sslmode=disable"


@asynccontextmanager
async def frail(
    ways: Ways, dsns: Mapping[str, str], used: Mapping[str, str], lines: Mapping[str, Line]
) -> AsyncIterator[FrailTown]:
    """The town over the databases `used`; `dsns` are the same without a line."""
    async with AsyncExitStack() as closing:
        front, back = [
            await closing.enter_async_context(process(ways, {name: used[name] for name in names}, names[0]))
            for names in (TAKES_ORDERS, OTHERS)
        ]
        town = Town([front], [back])
        await town.sells("MUG", 100, pieces=10_000)
        try:
            yield FrailTown(town, dsns, lines)
        finally:
            for line in lines.values():
                line.heal()


@pytest_asyncio.fixture(scope="module")
async def town(database_of: DatabaseOf) -> AsyncIterator[FrailTown]:
    """Give services that post to each other, over lines; three of them have lines to their databases too."""
    dsns = await databases(database_of)
    with Network() as network, pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres, "ANSWER_S_MAX", ANSWER_S_MAX)
        patch.setattr(postgres, "CONNECT_S_MAX", ANSWER_S_MAX)
        patch.setattr(posting, "ANSWER_S_MAX", ANSWER_S_MAX)
        reached = {name: over(network, dsns[name]) for name in ("orders", "stock", "wallet")}
        lines = {name: line for name, (line, _) in reached.items()}
        places = iter(("to the front", "to the back"))

        def found_at(port: int) -> int:
            line = lines[next(places)] = network.line(port)
            return line.port

        used = {**dsns, **{name: dsn for name, (_, dsn) in reached.items()}}
        async with frail(by_http(found_at), dsns, used, lines) as opened:
            yield opened


async def test_lines_that_delay_and_slice_whatever_is_said_delay_orders_and_no_more(town: FrailTown) -> None:
    before = town.fired("sliced")
    for line in town.lines.values():
        line.slice_bytes, line.pause_s = 200, 0.001

    await town.orders_until(lambda: town.fired("sliced") - before >= 100)

    assert town.fired("late") > town.fired("sliced") - before
    await town.is_sound()


@pytest.mark.parametrize(
    "cut", [("orders", "stock", "wallet"), ("to the front", "to the back")], ids=["postgres", "posts"]
)
async def test_connections_that_break_off_in_the_midst_of_an_answer_have_one_effect(
    town: FrailTown, cut: tuple[str, ...]
) -> None:
    lines = [town.lines[name] for name in cut]
    before = [line.fired["reset"] for line in lines]
    for line in lines:
        line.cuts.extend(CUTS)

    await town.orders_until(
        lambda: all(line.fired["reset"] - was >= len(CUTS) // 2 for line, was in zip(lines, before, strict=True))
    )

    await town.is_sound()


@pytest.mark.parametrize(
    "silent",
    [
        {"orders": "answers", "stock": "questions", "wallet": "answers"},
        {"to the back": "questions", "to the front": "answers"},
    ],
    ids=["postgres", "posts"],
)
async def test_lines_that_fall_silent_one_way_are_given_up_and_what_comes_late_has_no_second_effect(
    town: FrailTown, silent: dict[str, Way]
) -> None:
    before = {name: town.lines[name].fired["given up"] for name in silent}
    for name, way in silent.items():
        town.lines[name].silent = way

    await town.orders_until(lambda: all(town.lines[name].fired["given up"] > before[name] for name in silent))

    await town.is_sound()


async def test_a_frail_line_to_the_broker_loses_no_message_and_doubles_none(
    kafka: LinedBroker, fresh_prefix: Callable[[], str], database_of: DatabaseOf
) -> None:
    dsns = await databases(database_of)
    direct = KafkaSection(bootstrap_servers=(kafka.bootstrap,), prefix=fresh_prefix(), partitions=2)
    await asyncio.to_thread(apply, direct, list(SLICES))
    with Network() as network:
        line = network.line(kafka.behind_port, port=kafka.line_port)
        section = replace(direct, bootstrap_servers=(f"{LOOPBACK}:{line.port}",))

        def ways(_names: Any) -> Any:
            return kafka_travel(ShopSettings(transport="kafka", kafka=section))

        async with frail(ways, dsns, dsns, {"broker": line}) as town:
            line.slice_bytes, line.pause_s = 200, 0.001
            line.cuts.extend(CUTS)

            await town.orders_until(lambda: line.fired["reset"] >= len(CUTS) // 2 and line.fired["sliced"] > 0)

            await town.is_sound()
