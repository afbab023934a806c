"""Four processes that talk by HTTP or over Kafka: two replicas of the services that take orders, two of the others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kafka_broker import Broker
from open_shop import OPERATOR, STOCK_OPERATOR, OpenShop
from sagamart.app import Shop
from sagamart.messaging.fold import Batch
from sagamart.messaging.service import Service
from sagamart.messaging.transport.http import HttpTransport
from sagamart.messaging.worker import Node
from sagamart.platform.http.server import Server
from sagamart.platform.http_client import Address
from sagamart.platform.internal.listener import InternalListener
from sagamart.platform.internal.posting import Destinations, Posting
from sagamart.platform.internal.service_tokens import ServiceKeys, ServiceTokens
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply
from sagamart.platform.ports import LOOPBACK
from sagamart.settings import ShopSettings
from sagamart.shop.orders.records import ProductCopy
from sagamart.slices import SLICES, services_of
from sagamart.transports import Travel, consumers, kafka_travel
from shop_fixtures import selling_anything

TAKES_ORDERS = ("accounts", "orders", "notifications")
OTHERS = tuple(name for name in SLICES if name not in TAKES_ORDERS)
PRIVATE = {name: Ed25519PrivateKey.generate() for name in SLICES}
TOKENS = ServiceTokens(ServiceKeys(PRIVATE, {name: (key.public_key(),) for name, key in PRIVATE.items()}))

FoundAt = Callable[[int], int]
"""Where others find a listener of this port."""

DatabaseOf = Callable[[Service], Awaitable[str]]
Ways = Callable[[Sequence[str]], AbstractAsyncContextManager[Travel]]
"""The way by which a process with these services sends and receives."""


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

    async def sells(self, sku: str, price_minor: int, pieces: int) -> None:
        """Put a product up for sale, and wait until orders has heard of it, in whichever replica."""
        known = [front.batch_of("orders", lambda batch: _tells_of(batch, sku)) for front in self.fronts]
        back = self.backs[0]
        product = {"sku": sku, "title": sku.title(), "price_minor": price_minor, "currency": "RUB"}
        (await back.post("/v1/products", product, caller=OPERATOR, key=sku)).raise_for_status()
        receipt = await back.post(f"/v1/stock/{sku}/receipts", {"quantity": pieces}, caller=STOCK_OPERATOR, key=sku)
        receipt.raise_for_status()
        await asyncio.wait(known, return_when=asyncio.FIRST_COMPLETED)


def _tells_of(batch: Batch, sku: str) -> bool:
    return any(isinstance(row, ProductCopy) and row.sku == sku and row.catalogue_version > 0 for row in batch.saved)


def by_http(found_at: FoundAt = lambda port: port) -> Ways:
    """Posted to each other."""
    known = Known()
    services = services_of(ShopSettings())
    emits = {name: service.emits for name, service in services.items()}

    @asynccontextmanager
    async def travel(names: Sequence[str]) -> AsyncIterator[Travel]:
        posting = Posting(known, TOKENS)
        try:
            async with HttpTransport(consumers(ShopSettings()), posting) as transport:
                listener = InternalListener(transport, {name: services[name] for name in names}, emits, TOKENS)

                @asynccontextmanager
                async def receiving() -> AsyncIterator[None]:
                    async with Server(listener, host=LOOPBACK, port=0) as server:
                        address = Address(LOOPBACK, found_at(server.port))
                        for name in names:
                            known.addresses[name].append(address)
                        yield

                yield Travel(transport, receiving)
        finally:
            posting.close()

    return travel


def over_kafka(broker: Broker, prefix: str) -> Ways:
    """Over a real broker, with topics of their own."""
    section = KafkaSection(bootstrap_servers=(broker.bootstrap,), prefix=prefix, partitions=4)
    apply(section, list(SLICES))
    return lambda _names: kafka_travel(ShopSettings(transport="kafka", kafka=section))


@asynccontextmanager
async def process(ways: Ways, dsns: Mapping[str, str], node: str) -> AsyncIterator[OpenShop]:
    """One process with the services of these databases."""
    async with (
        ways(list(dsns)) as travel,
        Shop(selling_anything(), dsns, node=Node(node), transport=travel.transport) as shop,
        travel.receiving(),
    ):
        opened = OpenShop(shop)
        yield opened
        await opened.http.aclose()


async def databases(database_of: DatabaseOf) -> dict[str, str]:
    """A database for each service."""
    return {name: await database_of(service) for name, service in services_of(ShopSettings()).items()}


@asynccontextmanager
async def town_of(ways: Ways, dsns: Mapping[str, str]) -> AsyncIterator[Town]:
    """All four."""
    async with AsyncExitStack() as closing:

        async def two(kind: str, names: Sequence[str]) -> list[OpenShop]:
            here = {name: dsns[name] for name in names}
            return [await closing.enter_async_context(process(ways, here, f"{kind}-{number}")) for number in (1, 2)]

        yield Town(await two("front", TAKES_ORDERS), await two("back", OTHERS))
