"""The whole shop and the real bank over the road, with customers who pay on the bank's page.

market = await open_market()                     # a fixture; it sells mugs and plates, and knows a courier
ann = await market.shop.customer(1, 10_000)
order = await market.order(ann, delivery=BY_COURIER)
await market.confirms(await market.pays(ann, order, "bank"))

Its services tell each other in memory, or over a real Kafka where a test's fixture `transport` says so.  When a test
ends, the shop's invariants are audited, and so are the bank's books.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
import pytest_asyncio

from bank_at_work import DEADLINE_S, SECRET, SHOP_KEY, BankAtWork, BankDatabase, until
from kafka_broker import Broker
from open_shop import OPERATOR, STOCK_OPERATOR, OpenShop, shop_at_work
from payments_street import PAYS, a_bank
from sagamart.audit import audit
from sagamart.contracts.orders import payment_id
from sagamart.messaging.worker import Node, Worker
from sagamart.platform.http import Caller
from sagamart.platform.http.server import Server
from sagamart.platform.kafka import KafkaSection
from sagamart.settings import BankSection, OrdersSection, ShopSettings
from sagamart.shop.orders.messages import PAYMENTS_MAX
from sagamart.shop.orders.records import DeliveryCopy
from shop_fixtures import DatabaseOf
from shop_over_kafka import shop_over_kafka

SHIPPING_OPERATOR = Caller("cus_" + "0" * 31 + "c", frozenset({"SHIPPING_OPERATOR"}))
MUG_MINOR, PLATE_MINOR, WAY_MINOR = 45_000, 70_001, 30_000
TWO_MUGS = {"sku": "MUG", "quantity": 2}
ONE_PLATE = {"sku": "PLATE"}
HOME = {"recipient": "Ann", "country": "RU", "city": "Perm", "street": "Lenina 1"}
BY_COURIER = {"method": "courier", "address": HOME}
COURIER = {
    "method": "courier",
    "title_en": "Courier",
    "title_ru": "Курьер",
    "price_minor": WAY_MINOR,
    "currency": "RUB",
}


class Market:
    """A shop, a bank, and what customers and staff do there."""

    def __init__(self, bank: BankAtWork) -> None:
        self.shop: OpenShop
        self.bank = bank
        self.node = Node("test", lambda: datetime.now(UTC) + self._passed)
        self._passed = timedelta()
        self._keys = 0

    async def post(self, path: str, body: Any = None, *, caller: Caller, **headers: str) -> Any:
        """POST under a key of its own."""
        self._keys += 1
        return await self.shop.post(path, body, caller=caller, key=f"key-{self._keys}", **headers)

    async def order(self, caller: Caller, *lines: Any, **more: Any) -> str:
        """The id of an order, of two mugs by default, that waits for its payment."""
        wish = {"lines": list(lines or (TWO_MUGS,)), "pay": "later", **more}
        answer = await self.post("/v1/orders", wish, caller=caller, Prefer="wait=30")
        assert answer.is_success, answer.text
        order_id = str(answer.json()["id"])
        await self.becomes(caller, order_id, "booked", "checked")
        return order_id

    async def pays(self, caller: Caller, order_id: str, source: str, amount_minor: int | None = None) -> Any:
        """Start a payment; the order once it needs its customer, or is settled."""
        payment = {"source": source} if amount_minor is None else {"source": source, "amount_minor": amount_minor}
        answer = await self.post(f"/v1/orders/{order_id}/payments", payment, caller=caller, Prefer="wait=30")
        assert answer.is_success, answer.text

        async def answered() -> Any:
            order = await self.shown(caller, order_id)
            moves = order["stage"]["code"] in {"accepted", "processing"}
            return None if moves and "redirect_url" not in order["payments"][-1] else order

        return await until(answered)

    async def confirms(self, order: Any, card: str = PAYS) -> None:
        """The customer types a card into the bank's page of the order's last payment."""
        answer = await self.bank.http.post(
            order["payments"][-1]["redirect_url"], data={"card": card, "answer": "confirm"}
        )
        assert answer.status_code == 200, answer.text

    async def shown(self, caller: Caller, order_id: str) -> Any:
        """The order as it is now."""
        return (await self.shop.get(f"/v1/orders/{order_id}", caller=caller)).json()

    async def becomes(self, caller: Caller, order_id: str, *statuses: str) -> Any:
        """The order once it has one of these statuses."""

        async def there() -> Any:
            order = await self.shown(caller, order_id)
            return order if order["status"] in statuses else None

        return await until(there)

    async def has(self, caller: Caller, balance_minor: int) -> None:
        """Wait until so much is in the wallet, and nothing of it is held."""

        async def there() -> bool:
            wallet = (await self.shop.get("/v1/wallet", caller=caller)).json()
            return bool(wallet["balance_minor"] == wallet["available_minor"] == balance_minor)

        await until(there)

    async def in_stock(self, sku: str, pieces: int) -> None:
        """Wait until so many pieces are there, and none of them is reserved."""

        async def there() -> bool:
            level = (await self.shop.get(f"/v1/stock/{sku}", caller=STOCK_OPERATOR)).json()
            return bool(level["on_hand"] == level["available"] == pieces)

        await until(there)

    async def bank_has(self, taken_minor: int) -> None:
        """Wait until the shop has got so much from the bank, all refunds taken off, and nothing is held there."""

        async def there() -> bool:
            ((held,),) = await self.bank.rows(
                "select count(*) from payments where status in ('held', 'needs_confirmation')"
            )
            return held == 0 and await self.taken_minor() == taken_minor

        await until(there)

    async def bank_took(self, *order_ids: str) -> int:
        """What the bank took and did not give back for these orders, once it holds nothing of them."""
        payments = [payment_id(one, number) for one in order_ids for number in range(1, PAYMENTS_MAX + 1)]

        async def settled() -> bool:
            sql = "select from payments where reference = any($1::text[]) and status in ('held', 'needs_confirmation')"
            return not await self.bank.rows(sql, payments)

        await until(settled)
        sql = "select sum(captured_minor - refunded_minor)::bigint from payments where reference = any($1::text[])"
        ((taken,),) = await self.bank.rows(sql, payments)
        return int(taken)

    async def taken_minor(self) -> int:
        """What the shop has got from the bank by now, all refunds taken off."""
        sql = "select coalesce(sum(amount_minor), 0)::bigint from postings where entry is not null"
        ((taken,),) = await self.bank.rows(sql)
        return int(taken)

    async def runs_out(self, order_id: str, after_s: int = 0) -> None:
        """Let the time pass for which the order waits now, if it waits: so much of it by the shop's clock."""
        self._passed += timedelta(seconds=after_s)
        readers = self.shop.shop.services["orders"].readers
        await readers.execute("update timers set due_at = now() where key = $1", order_id)

    def worker(self, service: str) -> Worker:
        """The one that handles what a service hears."""
        return self.shop.shop.services[service].worker

    @asynccontextmanager
    async def paused(self, service: str) -> AsyncIterator[None]:
        """Let a service hear nothing of the others for a while; what they tell it waits."""
        path, why = f"/v1/operations/consumers/{service}", {"why": "to see"}
        (await self.post(f"{path}/pause", why, caller=OPERATOR)).raise_for_status()
        yield
        (await self.post(f"{path}/resume", why, caller=OPERATOR)).raise_for_status()

    async def gives_code(self, code: str, percent: int, **more: Any) -> None:
        """There is a promo code that takes off so much."""
        made = {"code": code, "currency": "RUB", "percent_bp": percent * 100, **more}
        (await self.post("/v1/promo-codes", made, caller=OPERATOR)).raise_for_status()

    async def code_is_used(self, code: str, times: int) -> None:
        """Wait until a promo code counts so often."""

        async def there() -> bool:
            found = (await self.shop.get(f"/v1/promo-codes/{code}", caller=OPERATOR)).json()
            return bool(found["used"] == times)

        await until(there)

    async def parcel_of(self, caller: Caller, order_id: str) -> str:
        """The shipment of an order, once it can be sent."""
        await self.becomes(caller, order_id, "shipping_pending")
        items = (await self.shop.get("/v1/shipments", caller=caller)).json()["items"]
        return next(str(one["id"]) for one in items if one["order_id"] == order_id)

    async def hands_over(self, shipment_id: str) -> Any:
        """Shipping gives a parcel to the carrier."""
        dispatch = {"carrier": "Post", "tracking": "RA123456789RU"}
        return await self.post(f"/v1/shipments/{shipment_id}/hand-over", dispatch, caller=SHIPPING_OPERATOR)

    async def delivers(self, caller: Caller, order_id: str) -> str:
        """The parcel goes its way, and the order is complete; the shipment's id."""
        shipment_id = await self.parcel_of(caller, order_id)
        (await self.hands_over(shipment_id)).raise_for_status()
        delivery = await self.post(f"/v1/shipments/{shipment_id}/delivery", caller=SHIPPING_OPERATOR)
        delivery.raise_for_status()
        await self.becomes(caller, order_id, "completed")
        return shipment_id

    async def gets_back(self, caller: Caller, order_id: str, line: int, quantity: int) -> None:
        """The customer announces what comes back from a delivered order, and it arrives."""
        wish = {"lines": [{"line": line, "quantity": quantity}]}
        agreed = await self.post(f"/v1/orders/{order_id}/returns", wish, caller=caller)
        return_id = agreed.json()["returns"][-1]["id"]
        items = (await self.shop.get("/v1/shipments", caller=caller)).json()["items"]
        shipment_id = next(one["id"] for one in items if one["order_id"] == order_id)
        path = f"/v1/shipments/{shipment_id}/returns/{return_id}/receipt"

        async def arrived() -> bool:
            return bool((await self.post(path, caller=SHIPPING_OPERATOR)).is_success)

        await until(arrived)

    async def is_in_order(self) -> None:
        """Wait until the audit finds nothing."""
        dsns = {name: running.database.dsn for name, running in self.shop.shop.services.items()}

        async def clean() -> bool:
            self.found = await audit(dsns, settle_s=0.5)
            return not self.found

        try:
            await until(clean)
        except TimeoutError:
            raise AssertionError(self.found) from None


TWO_SHOPS = (
    ("orders", "catalogue", "accounts", "promotions", "timeline"),
    ("payments", "wallet", "stock", "shipping", "notifications"),
)
"""Over Kafka: who asks, and who answers."""

OpenMarket = Callable[..., Awaitable[Market]]
Way = Literal["local", "kafka"]


@asynccontextmanager
async def market_at_work(
    database_of: DatabaseOf, bank_database: BankDatabase, orders: OrdersSection, kafka: KafkaSection | None = None
) -> AsyncIterator[Market]:
    """A shop and a bank that know each other; what they did is audited at the end."""
    async with AsyncExitStack() as closing:
        bank = await closing.enter_async_context(a_bank(await bank_database()))
        section = BankSection(url=str(bank.http.base_url), api_key=SHOP_KEY, webhook_secrets=(SECRET,))
        market = Market(bank)
        if kafka is None:
            settings = ShopSettings(bank=section, orders=orders)
            opened = shop_at_work(database_of, settings, node=market.node)
            market.shop = await closing.enter_async_context(opened)
        else:
            settings = ShopSettings(bank=section, orders=orders, transport="kafka", kafka=kafka)
            company = await closing.enter_async_context(shop_over_kafka(database_of, settings, market.node, TWO_SHOPS))
            market.shop = company.door
        market.shop.http.timeout = DEADLINE_S
        listener = await closing.enter_async_context(Server(market.shop.app, host="127.0.0.1", port=0))
        hook = {"url": f"http://127.0.0.1:{listener.port}/v1/bank-webhooks/bank", "secrets": [SECRET]}
        assert (await bank.call("PUT", "/v1/webhook", hook)).status_code == 200
        await fill(market.shop)
        yield market
        await market.is_in_order()


@pytest.fixture
def transport() -> Way:
    """Give how the services of a market tell each other; a file may say otherwise."""
    return "local"


@pytest_asyncio.fixture
async def open_market(
    request: pytest.FixtureRequest, transport: Way, database_of: DatabaseOf, bank_database: BankDatabase
) -> AsyncIterator[OpenMarket]:
    """Give `await open_market(OrdersSection(…))`: a market of its own."""
    kafka: KafkaSection | None = None
    if transport == "kafka":
        broker: Broker = request.getfixturevalue("kafka")
        prefix: Callable[[], str] = request.getfixturevalue("fresh_prefix")
        kafka = KafkaSection(bootstrap_servers=(broker.bootstrap,), prefix=prefix(), partitions=1)
    async with AsyncExitStack() as closing:

        async def open_(orders: OrdersSection = OrdersSection()) -> Market:  # noqa: B008  immutable
            return await closing.enter_async_context(market_at_work(database_of, bank_database, orders, kafka))

        yield open_


@pytest_asyncio.fixture(scope="module")
async def lasting_market(lasting_database_of: DatabaseOf, lasting_bank_database: BankDatabase) -> AsyncIterator[Market]:
    """Give a market that stays open while the tests of a file come and go."""
    async with market_at_work(lasting_database_of, lasting_bank_database, OrdersSection()) as market:
        yield market


async def fill(shop: OpenShop) -> None:
    """Put goods on the shelves, and offer a courier."""
    await shop.sells("MUG", MUG_MINOR, pieces=10)
    await shop.sells("PLATE", PLATE_MINOR, pieces=10)
    known = shop.batch_of("orders", lambda batch: any(isinstance(row, DeliveryCopy) for row in batch.saved))
    offered = await shop.post("/v1/delivery-methods", COURIER, caller=SHIPPING_OPERATOR)
    offered.raise_for_status()
    await known
