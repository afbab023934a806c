"""The shop as four processes would run it, in a style of interaction: each with its own transport, keys and port.

street = await open_street("http")               # a fixture
ann = await street.registered("ann")             # a customer by the front door
await street.stop("wallet")                      # a dead wallet
await street.start("wallet")
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec import structs

from kafka_broker import Broker
from open_shop import OPERATOR, OpenShop
from sagamart.app import Shop
from sagamart.audit import Finding, audit
from sagamart.messaging.service import Service
from sagamart.messaging.worker import Node
from sagamart.platform.http import Caller
from sagamart.platform.internal.service_tokens import make_service_keys
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply
from sagamart.platform.ports import LOOPBACK, Ports
from sagamart.platform.settings import InternalSettings
from sagamart.settings import OrdersSection, ShopSettings
from sagamart.slices import SLICES, services_of
from sagamart.styles import Style
from sagamart.transports import transport_of

PROCESSES: Mapping[str, tuple[str, ...]] = {
    "front": ("accounts", "orders"),
    "wallet": ("wallet",),
    "notifications": ("notifications",),
    "others": ("catalogue", "stock", "payments", "shipping", "promotions", "timeline"),
}
WITHIN_S = 90.0
CONFIRMATION = "email_confirmation"
"""Whoever registers is told this too, in every style alike."""
LOOK_S = 0.05
MUG = {"lines": [{"title": "A mug", "price_minor": 400}]}


class Street:
    """Four processes, each of which can be stopped and started again."""

    def __init__(self, settings: Mapping[str, ShopSettings], dsns: Mapping[str, str]) -> None:
        self.doors: dict[str, OpenShop] = {}
        self.dsns = dsns
        self._settings = settings
        self._closing: dict[str, AsyncExitStack] = {}

    async def start(self, process: str) -> None:
        """Let a process run."""
        settings, names = self._settings[process], PROCESSES[process]
        here = {name: self.dsns[name] for name in names}
        async with AsyncExitStack() as closing:
            travel = await closing.enter_async_context(transport_of(settings, names))
            made = Shop(settings, here, node=Node(process), transport=travel.transport, calls=travel.calls)
            shop = await closing.enter_async_context(made)
            await closing.enter_async_context(travel.receiving())
            self.doors[process] = OpenShop(shop)
            closing.push_async_callback(self.doors[process].http.aclose)
            self._closing[process] = closing.pop_all()

    async def stop(self, process: str) -> None:
        """Stop a process: nobody listens where it was."""
        await self._closing.pop(process).aclose()

    async def registered(self, name: str) -> Caller:
        """Somebody who has registered."""
        newcomer = {"email": f"{name}@example.com", "password": "a long password", "name": name}
        answer = await self.doors["front"].call("POST", "/v1/users", newcomer)
        assert answer.status_code == 201, answer.text
        return Caller(answer.json()["id"], frozenset({"CUSTOMER"}))

    async def deposit(self, who: Caller, amount_minor: int) -> None:
        """Put money into somebody's wallet."""
        money = {"amount_minor": amount_minor, "currency": "RUB", "customer_id": who.id}
        (await self.doors["wallet"].post("/v1/wallet/deposits", money, caller=OPERATOR)).raise_for_status()

    async def orders(self, who: Caller, key: str = "key-1") -> httpx.Response:
        """Somebody orders a mug for 400."""
        return await self.doors["front"].post("/v1/orders", MUG, caller=who, key=key)

    async def money_of(self, who: Caller) -> tuple[int, int]:
        """The balance, and what of it is held."""
        state = (await self.doors["wallet"].get("/v1/wallet", caller=who)).json()
        return state["balance_minor"], state["held_minor"]

    async def told(self, who: Caller) -> list[str]:
        """What somebody was told of wallet and orders, the oldest first."""
        page: Any = (await self.doors["notifications"].get("/v1/notifications", caller=who)).json()
        return [one["kind"] for one in reversed(page["items"]) if one["kind"] != CONFIRMATION]

    async def until_told(self, who: Caller, *kinds: str) -> None:
        """Wait until somebody was told exactly this."""
        await until(lambda: self._is_told(who, sorted(kinds)))

    async def audited(self) -> list[Finding]:
        """What the audit finds once nothing is under way."""
        await until(self._is_at_rest)
        return await audit(self.dsns)

    async def _is_told(self, who: Caller, kinds: list[str]) -> bool:
        return sorted(await self.told(who)) == kinds

    async def _is_at_rest(self) -> bool:
        for door in self.doors.values():
            for running in door.shop.services.values():
                if await running.readers.fetchval("select count(*) from outbox"):
                    return False
        return True

    async def close(self) -> None:
        """Stop all."""
        for process in list(self._closing):
            await self.stop(process)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(WITHIN_S):
        while not await is_so():  # noqa: ASYNC110  what is awaited is in databases
            await asyncio.sleep(LOOK_S)


OpenStreet = Callable[..., Awaitable[Street]]


@pytest_asyncio.fixture
async def open_street(
    request: pytest.FixtureRequest, tmp_path: Path, database_of: Callable[[Service], Awaitable[str]]
) -> AsyncIterator[OpenStreet]:
    """Give `await open_street(style, answer_s=…)`: a street where every process runs."""
    dsns = {name: await database_of(service) for name, service in services_of(ShopSettings()).items()}
    make_service_keys(tmp_path, SLICES)
    ports = Ports()
    streets: list[Street] = []

    async def start(style: Style, answer_s: int = 30) -> Street:
        kafka = _topics(request) if style == "http-events" else KafkaSection()
        taken = {process: ports.take() for process in PROCESSES}
        places = [(name, taken[process]) for process, names in PROCESSES.items() for name in names]
        everybody = ShopSettings(
            style=style,
            transport="kafka" if style == "http-events" else "http",
            kafka=kafka,
            orders=OrdersSection(custom_lines="all", answer_s=answer_s),
            internal=InternalSettings(
                host=LOOPBACK,
                share_port=True,
                keys=str(tmp_path),
                destinations=tuple(f"{name}=http://{LOOPBACK}:{port}" for name, port in places),
            ),
        )
        settings = {
            process: structs.replace(everybody, internal=structs.replace(everybody.internal, port=port))
            for process, port in taken.items()
        }
        street = Street(settings, dsns)
        streets.append(street)
        for process in PROCESSES:
            await street.start(process)
        return street

    yield start
    for street in streets:
        await street.close()
    ports.__exit__()


def _topics(request: pytest.FixtureRequest) -> KafkaSection:
    """Topics of its own on the broker, which is started for who needs it."""
    broker: Broker = request.getfixturevalue("kafka")
    section = KafkaSection(
        bootstrap_servers=(broker.bootstrap,), prefix=request.getfixturevalue("fresh_prefix")(), partitions=1
    )
    apply(section, list(SLICES))
    return section
