"""Two replicas of each service, as four processes, by HTTP and over Kafka: what the shop promises holds over all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from integration.town import DatabaseOf, Town, by_http, databases, over_kafka, town_of
from kafka_broker import Broker
from open_shop import OPERATOR, STOCK_OPERATOR

WHY = {"why": "to see"}
DEADLINE_S = 60.0
WAIT = {"Prefer": "wait=30"}


@pytest_asyncio.fixture(params=["http", "kafka"])
async def town(
    request: pytest.FixtureRequest, database_of: DatabaseOf, fresh_prefix: Callable[[], str]
) -> AsyncIterator[Town]:
    """Give the town, on each way of travel between processes."""
    if request.param == "http":
        ways = by_http()
    else:
        broker: Broker = request.getfixturevalue("kafka")
        ways = over_kafka(broker, fresh_prefix())
    async with town_of(ways, await databases(database_of)) as opened:
        yield opened


async def test_whichever_replica_is_asked_it_answers_when_the_order_is_settled(town: Town) -> None:
    ann = await town.backs[0].customer(1, 10_000)
    wish = {"lines": [{"title": "A mug", "price_minor": 100}]}

    answers = [
        await front.post("/v1/orders", wish, caller=ann, key=f"key-{number}", **WAIT)
        for number, front in enumerate(town.fronts * 4)
    ]

    assert [(one.status_code, one.json()["status"]) for one in answers] == [(201, "completed")] * 8
    assert (await town.backs[1].get("/v1/wallet", caller=ann)).json()["balance_minor"] == 10_000 - 8 * 100


async def test_the_last_unit_is_sold_once(town: Town) -> None:
    await town.sells("LAST", 100, pieces=1)
    people = [await town.backs[number % 2].customer(number, 1_000) for number in range(1, 9)]
    wish = {"lines": [{"sku": "LAST"}]}

    answers = await asyncio.gather(
        *(
            town.fronts[number % 2].post("/v1/orders", wish, caller=person, key="one", **WAIT)
            for number, person in enumerate(people)
        )
    )

    statuses = sorted(answer.json().get("status", answer.json().get("code")) for answer in answers)
    assert statuses.count("completed") == 1, statuses
    async with asyncio.timeout(DEADLINE_S):
        while await level_of(town, "LAST") != (0, 0):  # noqa: ASYNC110  another process sets no event
            await asyncio.sleep(0.05)


async def level_of(town: Town, sku: str) -> tuple[int, int]:
    """What is on hand, and what of it is reserved: stock hears of a completed order a moment later."""
    level = (await town.backs[0].get(f"/v1/stock/{sku}", caller=STOCK_OPERATOR)).json()
    return level["on_hand"], level["reserved"]


async def test_a_customer_has_one_unpaid_order_over_both_replicas(town: Town) -> None:
    ann = await town.backs[0].customer(1, 10_000)
    (await town.backs[0].post("/v1/operations/consumers/wallet/pause", WHY, caller=OPERATOR)).raise_for_status()
    await town.backs[1].shop.services["wallet"].consumer.heed()
    wish = {"lines": [{"title": "A mug", "price_minor": 100}]}

    answers = await asyncio.gather(
        *(front.post("/v1/orders", wish, caller=ann, key=f"key-{n}") for n, front in enumerate(town.fronts * 4))
    )

    assert sorted(answer.status_code for answer in answers) == [202, *[409] * 7]


async def test_one_key_on_both_replicas_at_once_is_one_order(town: Town) -> None:
    ann = await town.backs[0].customer(1, 10_000)
    wish = {"lines": [{"title": "A mug", "price_minor": 100}]}

    answers: list[httpx.Response] = await asyncio.gather(
        *(front.post("/v1/orders", wish, caller=ann, key="the-key", **WAIT) for front in town.fronts * 4)
    )

    assert len({answer.json()["id"] for answer in answers}) == 1
    listed: Any = (await town.fronts[0].get("/v1/orders", caller=ann)).json()
    assert len(listed["items"]) == 1
