"""Two replicas of each service, as four processes that post to each other: what the shop promises holds over all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from open_shop import OPERATOR, STOCK_OPERATOR, OpenShop
from sagamart.app import SLICES, Shop, ShopSettings, services_of
from sagamart.messaging.fold import Batch
from sagamart.messaging.service import Service
from sagamart.messaging.transport.http import HttpTransport
from sagamart.messaging.worker import Node
from sagamart.platform.http.server import Server
from sagamart.platform.http_client import Address
from sagamart.platform.internal.listener import InternalListener
from sagamart.platform.internal.posting import Destinations, Posting
from sagamart.platform.internal.service_tokens import ServiceKeys, ServiceTokens
from sagamart.shop.orders.records import ProductCopy
from sagamart.transports import consumers

TAKES_ORDERS = ("accounts", "orders", "notifications")
OTHERS = tuple(name for name in SLICES if name not in TAKES_ORDERS)
PRIVATE = {name: Ed25519PrivateKey.generate() for name in SLICES}
TOKENS = ServiceTokens(ServiceKeys(PRIVATE, {name: (key.public_key(),) for name, key in PRIVATE.items()}))
WHY = {"why": "to see"}
DEADLINE_S = 60.0
WAIT = {"Prefer": "wait=30"}


class Known(Destinations):
    """Addresses that are known only when everybody listens."""

    def __init__(self) -> None:
        super().__init__(())
        self.addresses: dict[str, list[Address]] = {name: [] for name in SLICES}

    def of(self, service: str) -> list[Address]:
        return self.addresses[service]


class Town:
    """Two replicas of the services that take orders, and two of those behind them."""

    def __init__(self, fronts: list[OpenShop], backs: list[OpenShop]) -> None:
        self.fronts = fronts
        self.backs = backs


@pytest_asyncio.fixture
async def town(database_of: Callable[[Service], Awaitable[str]]) -> AsyncIterator[Town]:
    services = services_of(ShopSettings())
    dsns = {name: await database_of(service) for name, service in services.items()}
    known = Known()
    emits = {name: service.emits for name, service in services.items()}

    async with AsyncExitStack() as closing:

        async def process(node: str, names: tuple[str, ...]) -> OpenShop:
            posting = Posting(known, TOKENS)
            closing.callback(posting.close)
            transport = await closing.enter_async_context(HttpTransport(consumers(ShopSettings()), posting))
            here = {name: dsns[name] for name in names}
            shop = await closing.enter_async_context(Shop(ShopSettings(), here, node=Node(node), transport=transport))
            listener = InternalListener(transport, {name: services[name] for name in names}, emits, TOKENS)
            server = await closing.enter_async_context(Server(listener, host="127.0.0.1", port=0))
            for name in names:
                known.addresses[name].append(Address("127.0.0.1", server.port))
            opened = OpenShop(shop)
            closing.push_async_callback(opened.http.aclose)
            return opened

        fronts = [await process(f"front-{number}", TAKES_ORDERS) for number in (1, 2)]
        backs = [await process(f"back-{number}", OTHERS) for number in (1, 2)]
        yield Town(fronts, backs)


async def sells(town: Town, sku: str, price_minor: int, pieces: int) -> None:
    """Put a product up for sale, and wait until orders has heard of it, in whichever replica."""
    known = [front.batch_of("orders", lambda batch: _tells_of(batch, sku)) for front in town.fronts]
    back = town.backs[0]
    product = {"sku": sku, "title": sku.title(), "price_minor": price_minor, "currency": "RUB"}
    (await back.post("/v1/products", product, caller=OPERATOR, key=sku)).raise_for_status()
    receipt = await back.post(f"/v1/stock/{sku}/receipts", {"quantity": pieces}, caller=STOCK_OPERATOR, key=sku)
    receipt.raise_for_status()
    await asyncio.wait(known, return_when=asyncio.FIRST_COMPLETED)


def _tells_of(batch: Batch, sku: str) -> bool:
    return any(isinstance(row, ProductCopy) and row.sku == sku and row.catalogue_version > 0 for row in batch.saved)


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
    await sells(town, "LAST", 100, pieces=1)
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
