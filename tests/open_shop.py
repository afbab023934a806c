"""The whole shop at work in this process, every service over a real database of its own, and a client at its door.

shop = await open_shop()                         # a fixture
await shop.sells("MUG", 100, pieces=5)
ann = await shop.customer(1, 10_000)             # somebody with money
await shop.post("/v1/orders", {…}, caller=ann)
"""

from asyncio import Future, get_running_loop
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import httpx
import pytest_asyncio
from litestar.handlers import HTTPRouteHandler

from documented import as_documented
from sagamart.app import Shop
from sagamart.messaging.fold import Batch
from sagamart.messaging.limits import Limits
from sagamart.messaging.worker import Node
from sagamart.platform.http import Caller, Process, build_app
from sagamart.platform.settings import HttpSettings
from sagamart.platform.traces import Traces
from sagamart.rooms import Rooms
from sagamart.settings import ShopSettings
from sagamart.shop.notifications.known_contacts import KnownContacts
from sagamart.shop.orders.records import ProductCopy
from sagamart.slices import SLICES
from shop_fixtures import TOKENS, DatabaseOf, selling_anything

OPERATOR = Caller("cus_" + "0" * 31 + "a", frozenset({"OPERATOR"}))
STOCK_OPERATOR = Caller("cus_" + "0" * 31 + "b", frozenset({"STOCK_OPERATOR"}))


class OpenShop:
    """A shop, its application and a client of it."""

    def __init__(self, shop: Shop, routes: Sequence[HTTPRouteHandler] = ()) -> None:
        self.shop = shop
        process = Process(
            HttpSettings(rate_limit_per_s=0),
            metrics=shop.metrics,
            letters=shop.dead_letters,
            consumers=shop.consumers,
            actions=shop.operator_actions,
            traces=shop.traces,
            routes=routes,
        )
        self.app = build_app(shop.mounted, tokens=TOKENS, process=process)
        transport = httpx.ASGITransport(app=cast("Any", self.app))
        hooks = {"response": [as_documented]}
        self.http = httpx.AsyncClient(transport=transport, base_url="http://shop", event_hooks=hooks)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        caller: Caller | None = None,
        key: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """A request of this caller (None: nobody) under this idempotency key; bytes go as they are, else JSON."""
        if caller is not None:
            headers["Authorization"] = f"Bearer {self.token_of(caller)}"
        if key is not None:
            headers["Idempotency-Key"] = key
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        return await self.http.request(method, path, headers=headers, **sent)

    def token_of(self, caller: Caller) -> str:
        """What shows who asks."""
        return TOKENS.sign(caller)

    async def get(self, path: str, *, caller: Caller | None = None) -> httpx.Response:
        """GET as this caller."""
        return await self.call("GET", path, caller=caller)

    async def post(self, path: str, body: Any, *, caller: Caller, key: str = "key-1", **headers: str) -> httpx.Response:
        """POST as this caller."""
        return await self.call("POST", path, body, caller=caller, key=key, **headers)

    async def sells(self, sku: str, price_minor: int, *, pieces: int) -> None:
        """Put a product into the catalogue and the stock, and wait until it can be ordered."""
        known = self.batch_of("orders", lambda batch: any(_can_be_ordered(row, sku) for row in batch.saved))
        product = {"sku": sku, "title": sku.title(), "price_minor": price_minor, "currency": "RUB"}
        created = await self.post("/v1/products", product, caller=OPERATOR, key=sku)
        created.raise_for_status()
        receipt = await self.post(f"/v1/stock/{sku}/receipts", {"quantity": pieces}, caller=STOCK_OPERATOR, key=sku)
        receipt.raise_for_status()
        await known

    async def customer(self, number: int, deposit_minor: int = 0) -> Caller:
        """Somebody who has this much money."""
        caller = Caller(f"cus_{number:032x}", frozenset({"CUSTOMER"}))
        if deposit_minor:
            deposit = {"amount_minor": deposit_minor, "currency": "RUB", "customer_id": caller.id}
            answer = await self.post("/v1/wallet/deposits", deposit, caller=OPERATOR, key=caller.id)
            answer.raise_for_status()
        return caller

    def batch_of(self, service: str, wanted: Callable[[Batch], bool]) -> Future[Batch]:
        """The first batch from now on that a service has committed and that is wanted."""
        found: Future[Batch] = get_running_loop().create_future()

        def look(batch: Batch, _seconds: float) -> None:
            if not found.done() and wanted(batch):
                found.set_result(batch)

        self.shop.services[service].worker.on_batch.append(look)
        return found


def _can_be_ordered(row: Any, sku: str) -> bool:
    """What stock tells of a sku may come before what the catalogue does."""
    return isinstance(row, ProductCopy) and row.sku == sku and row.catalogue_version > 0


Opened = Callable[..., Awaitable[OpenShop]]


@asynccontextmanager
async def shop_at_work(
    database_of: DatabaseOf,
    settings: ShopSettings = ShopSettings(),  # noqa: B008  immutable
    limits: Limits = Limits(),  # noqa: B008  immutable
    node: Node = Node("test"),  # noqa: B008  immutable
    traces: Traces | None = None,
) -> AsyncIterator[OpenShop]:
    """A shop with these settings over fresh databases, in which customers order anything."""
    settings = selling_anything(settings)
    dsns = {name: await database_of(build(settings).service) for name, build in SLICES.items()}
    async with Shop(settings, dsns, node=node, limits=limits, traces=traces) as shop:
        shop.write_letters(TOKENS, KnownContacts())
        opened = OpenShop(shop, Rooms(shop, dsns).routes)
        yield opened
        await opened.http.aclose()


@pytest_asyncio.fixture
async def open_shop(database_of: DatabaseOf) -> AsyncIterator[Opened]:
    """Give `await open_shop(settings=…, limits=…)`: the shop at work; it is closed at the end of the test."""
    async with AsyncExitStack() as closing:

        async def start(*settings: Any, **more: Any) -> OpenShop:
            return await closing.enter_async_context(shop_at_work(database_of, *settings, **more))

        yield start
