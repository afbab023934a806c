"""A shop that ran, for the audit to look at: real services and a real bank, and orders that went every way.

`clean` is at rest and in order; `await corrupted(service, sql)` is a copy of it with that done to one database.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg
import httpx
import msgspec
import pytest_asyncio
from msgspec.structs import replace

from bank_at_work import PAYS, SHOP_KEY, BankDatabase
from payments_street import a_bank
from postgres_fixtures import FreshDatabase
from sagamart.app import Shop
from sagamart.contracts.orders import Address, PaymentSource, ReturnedLine, payment_id
from sagamart.messaging.message import Body, Message, new_id
from sagamart.messaging.requests import StoredReply, request_of
from sagamart.messaging.worker import Node
from sagamart.platform.migrations import migrate
from sagamart.programs import histories
from sagamart.settings import BankSection, ShopSettings
from sagamart.shop.accounts.messages import RegisterCustomer
from sagamart.shop.catalogue.messages import CreateProduct
from sagamart.shop.orders.messages import (
    CancelOrder,
    PayOrder,
    PlaceOrder,
    PlacingRules,
    ReturnItems,
    WantedDelivery,
    WantedLine,
    order_id_of,
    return_id_of,
)
from sagamart.shop.orders.records import Terms
from sagamart.shop.payments.messages import BankNotified, OpenTopUp, Reconcile
from sagamart.shop.promotions.messages import CreateCode
from sagamart.shop.shipping.messages import ConfirmDelivery, HandOverShipment, ReceiveReturn, SetMethod
from sagamart.shop.shipping.records import ParcelLimits, shipment_id_of
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock
from sagamart.shop.wallet.messages import DepositMoney
from sagamart.slices import SLICES

DEADLINE_S = 60.0
QUIET_LOOKS = 3

ANN = "cus_00000000000000000000000000000001"
BOB = "cus_00000000000000000000000000000002"
STAFF = "cus_0000000000000000000000000000000f"
HOME = Address("Ann", "RU", "Perm", "Lenina 1")
AT_ONCE, LATER = Terms(), Terms(later=True)

_numbers = itertools.count(1)


class CleanShop(NamedTuple):
    """A shop at rest: its databases, one order of each kind, and the payment of the completed one."""

    dsns: dict[str, str]
    orders: dict[str, str]


async def asked(shop: Shop, service: str, route: str, body: Callable[[str], Body]) -> StoredReply:
    now, number = datetime.now(UTC), next(_numbers)
    message_id = new_id(now, number.to_bytes(10))
    said = body(message_id)
    kind = type(said).__name__
    message = Message(
        id=message_id, type=kind, key=said.key, source="test", at=now, correlation=message_id, body=said
    )  # fmt: skip
    reply = await shop.services[service].worker.ask(message, request_of(STAFF, route, f"key-{number}", kind))
    assert not reply.refused, reply.body
    return reply


async def at_rest(dsns: dict[str, str]) -> None:
    """Nothing is under way, however often one looks."""
    quiet = 0
    async with asyncio.timeout(DEADLINE_S):
        while quiet < QUIET_LOOKS:
            left = [await value(dsn, "select count(*) from outbox") for dsn in dsns.values()]
            quiet = 0 if any(left) else quiet + 1
            await asyncio.sleep(0.01)


async def value(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def name_of(dsn: str) -> str:
    return urlsplit(dsn).path[1:]


async def registered(shop: Shop, customer: str, email: str) -> None:
    someone = RegisterCustomer(customer, email, "$argon2id$nobody", "Ann", "en")
    await asked(shop, "accounts", "POST /v1/users", lambda _: someone)


async def stocked(shop: Shop, sku: str, price_minor: int, pieces: int) -> None:
    def product(_: str) -> CreateProduct:
        return CreateProduct(sku, STAFF, sku.title(), "", price_minor, "RUB", 0, None, None, None, 2000, active=True)

    await asked(shop, "catalogue", "POST /v1/products", product)
    await asked(shop, "stock", f"POST /v1/stock/{sku}/receipts", lambda _: ReceiveStock(sku, pieces, STAFF))


async def placed(
    shop: Shop,
    customer: str,
    *lines: WantedLine,
    terms: Terms = AT_ONCE,
    shipped: bool = False,
    code: str | None = None,
) -> str:
    rules = PlacingRules(custom_lines=True, unpaid_orders_max=1, currency="RUB", terms=terms)
    delivery = WantedDelivery("courier", HOME) if shipped else None

    def order(message_id: str) -> PlaceOrder:
        return PlaceOrder(order_id_of(message_id), customer, lines, rules, delivery=delivery, promo_code=code)

    reply = await asked(shop, "orders", "POST /v1/orders", order)
    order_id: str = msgspec.json.decode(reply.body)["id"]
    return order_id


class Running(NamedTuple):
    """A shop at work, and what its bank is asked over."""

    shop: Shop
    dsns: dict[str, str]
    http: httpx.AsyncClient

    async def reaches(self, order_id: str, status: str) -> None:
        sql = f"select status from orders where order_id = '{order_id}'"
        async with asyncio.timeout(DEADLINE_S):
            while await value(self.dsns["orders"], sql) != status:  # noqa: ASYNC110  a database tells nobody
                await asyncio.sleep(0.01)
        await at_rest(self.dsns)

    async def pays(self, order_id: str, source: PaymentSource, amount_minor: int | None = None) -> None:
        wish = PayOrder(order_id, ANN, staff=False, source=source, amount_minor=amount_minor)
        await asked(self.shop, "orders", "POST payments", lambda _: wish)
        await at_rest(self.dsns)

    async def confirms(self, payment: str) -> None:
        """The customer types a card on the bank's page; the bank tells that it has news."""
        page = await value(self.dsns["payments"], f"select redirect_url from payments where payment_id = '{payment}'")
        answer = await self.http.post(str(page), data={"card": PAYS, "answer": "confirm"})
        assert answer.status_code == 200, answer.text
        await asked(self.shop, "payments", "POST /v1/bank-webhooks/bank", lambda _: BankNotified(payment, 99))
        await at_rest(self.dsns)

    async def sent_and_partly_back(self) -> str:
        """Three mugs for a tenth less, paid by parts, brought by a courier; one mug comes back."""
        order = await placed(self.shop, ANN, WantedLine("mug", 3), terms=LATER, shipped=True, code="TENTH")
        await self.reaches(order, "booked")
        await self.pays(order, "wallet", 401)
        await self.pays(order, "bank")
        await self.confirms(payment_id(order, 2))
        await self.reaches(order, "shipping_pending")
        shipment = shipment_id_of(order)
        left = HandOverShipment(shipment, STAFF, "en", "post", "T1")
        await asked(self.shop, "shipping", "POST handover", lambda _: left)
        await asked(self.shop, "shipping", "POST delivery", lambda _: ConfirmDelivery(shipment, STAFF, "en"))
        await self.reaches(order, "completed")
        back = (ReturnedLine(0, 1),)
        reply = await asked(
            self.shop,
            "orders",
            "POST returns",
            lambda one: ReturnItems(order, ANN, staff=False, return_id=return_id_of(one), returned=back),
        )
        await at_rest(self.dsns)
        return_id = msgspec.json.decode(reply.body)["returns"][0]["id"]
        here = ReceiveReturn(shipment, STAFF, "en", return_id)
        await asked(self.shop, "shipping", "POST reception", lambda _: here)
        await at_rest(self.dsns)
        return order

    async def stopped(self) -> str:
        """A mug that was paid by card, and called off before it left."""
        order = await placed(self.shop, ANN, WantedLine("mug", 1), terms=LATER, shipped=True, code="TENTH")
        await self.reaches(order, "booked")
        await self.pays(order, "bank")
        await self.confirms(payment_id(order, 1))
        await self.reaches(order, "shipping_pending")
        await self.calls_off(order)
        return order

    async def let_go(self) -> str:
        """A mug of which a part was held, in the wallet and at the bank, when it was called off."""
        order = await placed(self.shop, ANN, WantedLine("mug", 1), terms=LATER)
        await self.reaches(order, "booked")
        await self.pays(order, "wallet", 100)
        await self.pays(order, "bank", 100)
        await self.confirms(payment_id(order, 2))
        await self.calls_off(order)
        return order

    async def revoked(self) -> str:
        """All pens were promised; one is broken."""
        order = await placed(self.shop, BOB, WantedLine("pen", 3), terms=LATER)
        await self.reaches(order, "booked")
        broken = AdjustStock("pen", -1, STAFF, "broken", force=True)
        await asked(self.shop, "stock", "POST /v1/stock/pen/adjustments", lambda _: broken)
        await self.reaches(order, "cancelled")
        return order

    async def calls_off(self, order: str) -> None:
        wish = CancelOrder(order, ANN, staff=False)
        await asked(self.shop, "orders", "POST cancellation", lambda _: wish)
        await self.reaches(order, "cancelled")

    async def tops_up(self) -> None:
        reply = await asked(self.shop, "payments", "POST top-ups", lambda one: OpenTopUp(f"top_{one}", ANN, 700, "RUB"))
        await at_rest(self.dsns)
        await self.confirms(msgspec.json.decode(reply.body)["id"])


async def filled(shop: Shop, dsns: dict[str, str]) -> None:
    """Customers, goods, money, a courier and a code."""
    for customer, email in ((ANN, "ann@example.com"), (BOB, "bob@example.com")):
        await registered(shop, customer, email)
    await stocked(shop, "mug", 500, 10)
    await stocked(shop, "pen", 100, 3)
    await asked(shop, "wallet", "POST /v1/wallet/deposits", lambda _: DepositMoney(ANN, 5000, "RUB", STAFF))
    box = ParcelLimits(20_000, 1_000, 100_000)
    courier = SetMethod("courier", None, "Courier", "Курьер", 250, 0, "RUB", True, True, (), box, True)  # noqa: FBT003  a row
    await asked(shop, "shipping", "POST /v1/delivery-methods", lambda _: courier)
    tenth = CreateCode("TENTH", 1_000, 0, "RUB", 0, None, None, 9, 5, active=True)
    await asked(shop, "promotions", "POST /v1/promo-codes", lambda _: tenth)
    await at_rest(dsns)


@pytest_asyncio.fixture(scope="module")
async def clean(lasting_database: FreshDatabase, lasting_bank_database: BankDatabase) -> CleanShop:
    """Give the databases of a shop that has come to rest."""
    dsns = {service: await lasting_database() for service in SLICES}
    for service, dsn in dsns.items():
        await migrate(dsn, histories(service))
    async with a_bank(await lasting_bank_database()) as bank:
        settings = replace(ShopSettings(), bank=BankSection(url=str(bank.http.base_url), api_key=SHOP_KEY))
        async with Shop(settings, dsns, node=Node("test")) as shop:
            await filled(shop, dsns)
            run = Running(shop, dsns, bank.http)
            orders = {"completed": await placed(shop, ANN, WantedLine("mug", 2), WantedLine(None, 1, 50, "Gift wrap"))}
            await run.reaches(orders["completed"], "completed")
            orders["payment"] = payment_id(orders["completed"], 1)
            orders["short"] = await placed(shop, ANN, WantedLine("pen", 4))
            orders["poor"] = await placed(shop, BOB, WantedLine("mug", 1))
            await run.reaches(orders["poor"], "cancelled")
            orders["sent"] = await run.sent_and_partly_back()
            orders["stopped"] = await run.stopped()
            orders["let_go"] = await run.let_go()
            orders["revoked"] = await run.revoked()
            orders["card"] = payment_id(orders["sent"], 2)
            orders["shipment"] = shipment_id_of(orders["sent"])
            await run.tops_up()
            await asked(shop, "payments", "POST /v1/operations/reconciliation", lambda _: Reconcile())
            await at_rest(dsns)
    for dsn in dsns.values():
        await execute(dsn, "update timers set due_at = now() + interval '1 day'")  # nobody is there to fire them
    return CleanShop(dsns, orders)


Corrupted = Callable[[str, str], Awaitable[dict[str, str]]]


@pytest_asyncio.fixture
async def corrupted(clean: CleanShop, fresh_database: FreshDatabase) -> Corrupted:
    """Give `await corrupted(service, sql)`: the DSNs of a copy that is not in order."""

    async def corrupt(service: str, sql: str) -> dict[str, str]:
        dsn = await fresh_database(template=name_of(clean.dsns[service]))
        await execute(dsn, sql.format(**clean.orders, ANN=ANN, BOB=BOB))
        return {**clean.dsns, service: dsn}

    return corrupt


async def execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
