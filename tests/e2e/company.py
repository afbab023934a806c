"""The shop as a company runs it: two processes of each service over a real broker, and what a test may do to them.

async with Company(broker, bank, folder) as company:
    company.pid("stock-1")                       # as the cluster told it last
    async with ordering(company) as buyers: …    # customers who order all the time
    await company.all_ready()
"""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

import asyncpg
import httpx
from confluent_kafka.admin import AdminClient

from bank_at_work import SECRET, SHOP_KEY, BankAtWork
from e2e.buyers import PASSWORD, Buyers, Customer, Wish, each, order, registered, stocked, token_of
from e2e.front_door import DistantMarket, FrontDoor
from e2e.reckoning import money_and_goods_are_where_they_belong, nothing_was_doubled, settled, talking_to
from e2e.shop_program import ShopProgram, sagamart
from kafka_broker import Broker
from sagamart.audit import audit
from sagamart.platform.databases import service_database
from sagamart.platform.embedded import running_dsn
from sagamart.slices import SLICES

SEED = 20261121
ADMIN = "admin@example.com"
REPLICAS = 2
SESSION_S = 4
SETTINGS = {
    "wallet_customers_may_deposit": "true",
    "orders_custom_lines": "all",
    "orders_unpaid_orders_max": "100",
    "http_rate_limit_per_s": "0",
    "kafka_session_s": str(SESSION_S),
    "kafka_partitions": "4",
    "bank_api_key": SHOP_KEY,
    "bank_webhook_secrets": SECRET,
}
CUSTOMERS = 4
BUYERS = 4
PAUSE_S = 1.0
"""Between two orders of a buyer: nobody comes near the bound of unpaid orders while a fault lasts."""

ANSWER_S_MAX = 5.0
"""Who has no answer by then asks again under the same key."""

WITHIN_S = 120.0
LOOK_S = 0.05

TIMED_OUT = (("cancelled", "booking_timeout"), ("cancelled", "payment_timeout"))
"""How an order may end, too, where a slow machine makes a fault last for a minute."""

_STATE = re.compile(r"(?P<node>[a-z]+-\d) is (?P<state>[a-z ]+) \(process (?P<pid>\d+)\)")


class Company:
    """A cluster at work, its broker, its bank, and its client."""

    def __init__(self, broker: Broker, bank: BankAtWork, folder: Path) -> None:
        self.broker = broker
        self.bank = bank
        self.folder = folder
        self._outcomes: list[dict[str, Any]] = []
        self._newcomers = iter(range(1, 1_000))

    async def __aenter__(self) -> Self:
        command = ("cluster", "--replicas", str(REPLICAS), "--transport", "kafka")
        around = {
            "kafka_bootstrap_servers": self.broker.bootstrap,
            "bank_url": str(self.bank.http.base_url).rstrip("/"),
        }
        self.shop = ShopProgram(self.folder, *command, **around, **SETTINGS)
        await asyncio.to_thread(self.shop.wait_until_open)
        created = await asyncio.to_thread(
            sagamart, "admin", "create", ADMIN, "--data", str(self.folder), admin_password=PASSWORD
        )
        assert created.returncode == 0, created.stderr
        self.http = talking_to(self.shop.address)
        await stocked(self.http, await self._admin())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()
        code = await asyncio.to_thread(self.shop.stop)
        assert code == 0, self.shop.said

    # -- its processes ------------------------------------------------------------------------------------------------

    @property
    def states(self) -> dict[str, tuple[str, int]]:
        """State and process id of each node, as the cluster told it last."""
        found = (_STATE.match(line) for line in self.shop.said)
        return {one["node"]: (one["state"], int(one["pid"])) for one in found if one is not None}

    def pid(self, node: str) -> int:
        """The process that a node is now."""
        return self.states[node][1]

    def has_ended(self, node: str, how: str) -> bool:
        """Whether the cluster said that this node ended so."""
        return any(line.startswith(f"{node} ended ({how})") for line in self.shop.said)

    async def all_ready(self) -> None:
        """Return when every process is ready."""
        nodes = len(SLICES) * REPLICAS + 1  # and the one that audits them
        await until(lambda: [state for state, _ in self.states.values()] == ["ready"] * nodes)

    def log_of(self, node: str) -> str:
        """All that a node has said."""
        return (self.folder / "logs" / f"{node}.log").read_text()

    def members_of(self, group: str) -> int:
        """How many replicas share a service's messages, in the brokers' eyes."""
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap})
        described = admin.describe_consumer_groups([f"sagamart.{group}"])
        return len(next(iter(described.values())).result().members)

    def dsn(self, service: str) -> str:
        """Where a service's database is."""
        return service_database(running_dsn(self.folder), service).runtime_dsn

    async def rows(self, service: str, sql: str, *arguments: Any) -> list[Any]:
        """What a service's database says."""
        connection = await asyncpg.connect(self.dsn(service))
        try:
            return list(await connection.fetch(sql, *arguments))
        finally:
            await connection.close()

    # -- its customers ------------------------------------------------------------------------------------------------

    async def market(self) -> DistantMarket:
        """What people can do here through the front door."""
        return DistantMarket(self.bank, FrontDoor(self.http, await self._admin()), self.dsn("orders"))

    async def reckon(self, buyers: Buyers) -> None:
        """When all is well again, every order has ended, once, with the answer it had; and the books balance."""
        await self.all_ready()
        outcomes = await settled(self.http, buyers, or_else=TIMED_OUT)
        assert any(one["status"] == "completed" for one in outcomes)
        await nothing_was_doubled(self.http, buyers)
        self._outcomes += outcomes
        await money_and_goods_are_where_they_belong(self.http, buyers, self._outcomes, await self._admin())
        assert await audit({name: self.dsn(name) for name in SLICES}) == []

    async def _admin(self) -> Customer:
        """The administrator, logged in anew: a slow machine may take longer than a token lives."""
        return Customer(0, "", await token_of(self.http, ADMIN, PASSWORD))

    @asynccontextmanager
    async def ordering(self) -> AsyncIterator["Flow"]:
        """New customers who order all the time."""
        customers = [await registered(self.http, next(self._newcomers)) for _ in range(CUSTOMERS)]
        flow = Flow(Buyers(customers, Random(SEED)))  # noqa: S311  a seed, not a secret
        async with httpx.AsyncClient(base_url=self.shop.address, timeout=ANSWER_S_MAX) as http:
            at_work = asyncio.create_task(flow.run(http))
            try:
                yield flow
            finally:
                flow.enough.set()
                await at_work


class Flow:
    """Orders without end, from people who know that an answer may not come."""

    def __init__(self, buyers: Buyers) -> None:
        self.buyers = buyers
        self.enough = asyncio.Event()
        self.unanswered = 0

    async def run(self, http: httpx.AsyncClient) -> None:
        """Order until it is enough."""
        wishes = self.buyers.next_wishes()

        async def buy() -> None:
            while not self.enough.is_set():
                await self._order(http, next(wishes))
                await asyncio.sleep(PAUSE_S)

        await each(range(BUYERS), lambda _: buy())

    async def _order(self, http: httpx.AsyncClient, wish: Wish) -> None:
        """Ask until there is an answer, or it is enough: the last word is the reckoning's."""
        while not await self._is_answered(http, wish) and not self.enough.is_set():
            self.unanswered += 1
            await asyncio.sleep(PAUSE_S)

    async def _is_answered(self, http: httpx.AsyncClient, wish: Wish) -> bool:
        try:
            return await order(http, self.buyers, wish)
        except httpx.TransportError:
            return False

    async def more(self, answers: int) -> None:
        """Return when so many more orders have been acknowledged."""
        wanted = len(self.buyers.acknowledged) + answers
        await until(lambda: len(self.buyers.acknowledged) >= wanted)


async def until(condition: Callable[[], object]) -> None:
    """Return when it is so; the other processes raise no event here."""
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110  as above
            await asyncio.sleep(LOOK_S)


def stop(pid: int) -> None:
    """Have a process stand still; returns when it does."""
    os.kill(pid, signal.SIGSTOP)
    while not is_stopped(pid):
        pass


def go_on(pid: int) -> None:
    """Let it go on."""
    os.kill(pid, signal.SIGCONT)


def is_stopped(pid: int) -> bool:
    """Whether a process stands still."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
