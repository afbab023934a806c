"""Two processes of the shop, lines that they talk over, and customers who order until enough has gone wrong.

async with frail(ways, dsns, used, lines) as town:
    await town.orders_until(lambda: lines["orders"].fired["reset"] >= 5)
    await town.is_sound()
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx

from frail_network import LOOPBACK, Line, Network
from integration.town import OTHERS, TAKES_ORDERS, Town, Ways, process
from open_shop import OPERATOR
from sagamart.audit import audit
from sagamart.platform.http import Caller

WITHIN_S = 90.0
LOOK_S = 0.05
BUYERS = 4
ORDERS_MIN = 8

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
