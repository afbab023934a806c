"""Every service as a process of its own would run it, each with its own way to a real broker: orders go their ways."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest_asyncio
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from msgspec.structs import replace

from kafka_broker import Broker
from open_shop import OPERATOR
from sagamart.app import Shop
from sagamart.audit import audit
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply, compare
from sagamart.settings import ShopSettings
from shop_fixtures import DatabaseOf
from shop_over_kafka import LOOK_S, WITHIN_S, Company, shop_over_kafka

BUYERS = 30


def measured(shop: Shop, name: str) -> float:
    """What a scrape of its metrics finds under this name."""
    lines = shop.metrics.exposition().decode().splitlines()
    return float(next(line for line in lines if line.startswith(f"{name}{{")).rpartition(" ")[2])


@pytest_asyncio.fixture
async def company(kafka: Broker, fresh_prefix: Callable[[], str], database_of: DatabaseOf) -> AsyncIterator[Company]:
    """Give the services, each in a shop of its own."""
    section = KafkaSection(bootstrap_servers=(kafka.bootstrap,), prefix=fresh_prefix(), partitions=3)
    async with shop_over_kafka(database_of, ShopSettings(transport="kafka", kafka=section)) as made:
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


def test_topics_are_made_as_the_settings_have_them_and_never_changed(
    kafka: Broker, fresh_prefix: Callable[[], str]
) -> None:
    section = KafkaSection(
        bootstrap_servers=(kafka.bootstrap,), prefix=fresh_prefix(), partitions=3, replication=1, retention_days=5
    )
    made, again = apply(section, ["orders"]), apply(section, ["orders"])
    other = compare(replace(section, partitions=4, replication=2, retention_days=6), ["orders"])

    topic = ConfigResource(ConfigResource.Type.TOPIC, section.prefix + "orders")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    found = admin.describe_configs([topic])[topic].result(WITHIN_S)
    kept = {name: found[name].value for name in ("retention.ms", "min.insync.replicas", "cleanup.policy")}
    assert [one.state for one in (*made, *again, *other)] == ["created", "as declared", "differs"]
    assert kept == {"retention.ms": str(5 * 86_400_000), "min.insync.replicas": "1", "cleanup.policy": "delete"}
    assert other[0].differences == ("3 partitions, not 4", "1 copies, not 2", "kept 5 days, not 6 days")
