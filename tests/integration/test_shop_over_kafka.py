"""Every service as a process of its own would run it, each with its own way to a real broker: orders go their ways."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any, cast

import pytest_asyncio

from kafka_broker import Broker
from open_shop import OPERATOR, OpenShop
from sagamart.app import Shop
from sagamart.audit import audit
from sagamart.messaging.service import Service
from sagamart.messaging.transport.kafka import KafkaTransport
from sagamart.messaging.worker import Node
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES
from sagamart.transports import transport_of

BUYERS = 30
WITHIN_S = 90.0
LOOK_S = 0.05
QUIET_LOOKS = 20
"""What a consumer knows of the broker may be as old as its last fetch."""


def measured(shop: Shop, name: str) -> float:
    """What a scrape of its metrics finds under this name."""
    lines = shop.metrics.exposition().decode().splitlines()
    return float(next(line for line in lines if line.startswith(f"{name}{{")).rpartition(" ")[2])


class Company:
    """Services apart, seen as one shop."""

    def __init__(self, shops: Mapping[str, Shop], dsns: Mapping[str, str]) -> None:
        self.shops = shops
        self.dsns = dsns
        merged = SimpleNamespace(
            mounted=[one for shop in shops.values() for one in shop.mounted],
            dead_letters={name: one for shop in shops.values() for name, one in shop.dead_letters.items()},
            consumers={name: one for shop in shops.values() for name, one in shop.consumers.items()},
            operator_actions={name: one for shop in shops.values() for name, one in shop.operator_actions.items()},
            services={name: one for shop in shops.values() for name, one in shop.services.items()},
        )
        self.door = OpenShop(cast("Shop", merged))

    async def at_rest(self) -> None:
        """Return when nothing has been under way for a while, neither here nor at the broker."""
        quiet_looks = 0
        async with asyncio.timeout(WITHIN_S):
            while quiet_looks < QUIET_LOOKS:
                quiet_looks = 0 if await self._is_moving() else quiet_looks + 1
                await asyncio.sleep(LOOK_S)

    async def _is_moving(self) -> bool:
        for name, shop in self.shops.items():
            transport = shop.transport
            assert isinstance(transport, KafkaTransport)
            if any(one.lag or one.unfinished for one in transport.consumers.values()):
                return True
            if await shop.services[name].readers.fetchval("select count(*) from outbox"):
                return True
        return False


@pytest_asyncio.fixture
async def company(
    kafka: Broker, fresh_prefix: Callable[[], str], database_of: Callable[[Service], Awaitable[str]]
) -> AsyncIterator[Company]:
    """Give the services, each in a shop of its own."""
    section = KafkaSection(bootstrap_servers=(kafka.bootstrap,), prefix=fresh_prefix(), partitions=3)
    settings = ShopSettings(transport="kafka", kafka=section)
    apply(section, list(SLICES))
    dsns = {name: await database_of(build(settings).service) for name, build in SLICES.items()}
    async with AsyncExitStack() as closing:
        shops = {}
        for name, dsn in dsns.items():
            travel = await closing.enter_async_context(transport_of(settings, [name]))
            shop = Shop(settings, {name: dsn}, node=Node(name), transport=travel.transport)
            shops[name] = await closing.enter_async_context(shop)
            await closing.enter_async_context(travel.receiving())
            travel.measure(shop.metrics)
        made = Company(shops, dsns)
        closing.push_async_callback(made.door.http.aclose)
        yield made


async def test_orders_over_kafka_complete_or_are_undone_and_the_books_balance(company: Company) -> None:
    shop = company.door
    async with asyncio.timeout(WITHIN_S):
        await shop.sells("MUG", 500, pieces=BUYERS)
        await shop.sells("PEN", 100, pieces=1)
    rich = [await shop.customer(number, 1_000) for number in range(1, BUYERS + 1)]
    greedy, poor = await shop.customer(100, 1_000), await shop.customer(101)

    async def order(who: Any, sku: str, quantity: int = 1) -> dict[str, Any]:
        lines = {"lines": [{"sku": sku, "quantity": quantity}]}
        answer = await shop.post("/v1/orders", lines, caller=who, key=who.id, Prefer="wait=30")
        placed: dict[str, Any] = answer.json()
        return placed

    bought = await asyncio.gather(*(order(who, "MUG") for who in rich))
    short, unpaid = await asyncio.gather(order(greedy, "PEN", 2), order(poor, "PEN"))

    assert {one["status"] for one in bought} == {"completed"}
    assert (short["status"], short["reason"]["code"]) == ("cancelled", "stock_refused")
    assert (unpaid["status"], unpaid["reason"]["code"]) == ("cancelled", "money_refused")
    await company.at_rest()
    assert await audit(company.dsns) == []


async def test_a_paused_service_lets_its_lag_grow_and_catches_up_when_it_is_resumed(company: Company) -> None:
    shop, wallet = company.door, company.shops["wallet"]
    ann = await shop.customer(1, 1_000)
    mug = {"lines": [{"title": "A mug", "price_minor": 10}]}

    async def lag_is(wanted: Callable[[float], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not wanted(measured(wallet, "sagamart_consumer_lag_messages")):  # noqa: ASYNC110  a thread's number
                await asyncio.sleep(LOOK_S)

    await lag_is(lambda lag: lag == 0 and measured(wallet, "sagamart_consumer_partitions") > 0)
    paused = await shop.post("/v1/operations/consumers/wallet/pause", {"why": "stocktaking"}, caller=OPERATOR)
    await wallet.services["wallet"].consumer.heed()
    waiting = await shop.post("/v1/orders", mug, caller=ann, key="order")
    await lag_is(lambda lag: lag > 0)
    place = waiting.headers["Location"]
    unpaid = (await shop.get(place, caller=ann)).json()["status"]

    await shop.post("/v1/operations/consumers/wallet/resume", {"why": "counted"}, caller=OPERATOR, key="resume")
    await lag_is(lambda lag: lag == 0)
    await company.at_rest()

    assert (paused.status_code, waiting.status_code) == (200, 202)
    assert unpaid != "completed"
    assert (await shop.get(place, caller=ann)).json()["status"] == "completed"
