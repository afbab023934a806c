"""Orders at work behind its routes, the other services played by the test.

orders = await orders_open()                     # a fixture; it knows two products and a courier
order_id = await orders.placed(pay="later")      # two cups
await orders.booked(order_id)
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from orders_examples import CUP, PLATE
from orders_ways import COURIER
from sagamart.contracts.payments import PaymentCaptured, PaymentHeld
from sagamart.contracts.stock import StockBooked
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld
from sagamart.messaging.message import Body
from sagamart.platform.http import Caller
from sagamart.shop.orders.api import OrderSettings, routes
from sagamart.shop.orders.records import Terms
from sagamart.shop.orders.service import ORDERS_SERVICE
from sagamart.shop.orders.waiting import Waiters
from sagamart.shop.orders.watching import Watchers
from shop_fixtures import TOKENS, RunningService, Started

ANNA = Caller("cus_anna", frozenset({"CUSTOMER"}))
BORIS = Caller("cus_boris", frozenset({"CUSTOMER"}))
OPERATOR = Caller("usr_operator", frozenset({"OPERATOR"}))
STOREKEEPER = Caller("usr_storekeeper", frozenset({"STOCK_OPERATOR"}))

TWO_CUPS = {"sku": "CUP", "quantity": 2}
ONE_PLATE = {"sku": "PLATE"}
CUPS_MINOR = 90_000
HOME = {"recipient": "Anna", "country": "RU", "city": "Perm", "street": "Lenina 1"}
BY_COURIER = {"method": "courier", "address": HOME}
WAY_MINOR = 30_000
HOLDS_UNTIL = datetime(2100, 1, 1, tzinfo=UTC)


class OrdersAtWork:
    """Orders, a client of it, and what an order hears on its way."""

    def __init__(self, service: RunningService) -> None:
        self.service = service

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        caller: Caller | None = ANNA,
        headers: Mapping[str, str] = {},
    ) -> httpx.Response:
        """A request of this caller (None: nobody).  The same wish has the same key, unless the headers name one."""
        said = {"Idempotency-Key": f"{path} {body}".replace(" ", "_")} if method == "POST" else {}
        if caller is not None:
            said["Authorization"] = f"Bearer {TOKENS.sign(caller)}"
        return await self.service.http.request(method, path, json=body, headers={**said, **headers})

    async def get(self, path: str, *, caller: Caller | None = ANNA, headers: Mapping[str, str] = {}) -> httpx.Response:
        """GET as this caller."""
        return await self.call("GET", path, caller=caller, headers=headers)

    async def place(self, *lines: Any, caller: Caller = ANNA, key: str = "key-1", **more: Any) -> httpx.Response:
        """Order these lines, or two cups."""
        wish = {"lines": list(lines or (TWO_CUPS,)), **more}
        return await self.call("POST", "/v1/orders", wish, caller=caller, headers={"Idempotency-Key": key})

    async def placed(self, *lines: Any, caller: Caller = ANNA, key: str = "key-1", **more: Any) -> str:
        """The id of a new order."""
        answer = await self.place(*lines, caller=caller, key=key, **more)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def pay(
        self, order_id: str, source: str, amount_minor: int | None = None, headers: Mapping[str, str] = {}
    ) -> httpx.Response:
        """Start a payment."""
        payment = {"source": source} if amount_minor is None else {"source": source, "amount_minor": amount_minor}
        return await self.call("POST", f"/v1/orders/{order_id}/payments", payment, headers=headers)

    async def shown(self, order_id: str) -> Any:
        """The order as its customer sees it."""
        return (await self.get(f"/v1/orders/{order_id}")).json()

    async def acts_on(self, order_id: str) -> list[Any]:
        """What staff did to the order, the newest act first."""
        items: list[Any] = (await self.get(f"/v1/operations/actions?subject={order_id}", caller=OPERATOR)).json()[
            "items"
        ]
        return items

    async def version_of(self, order_id: str) -> dict[str, str]:
        """The header by which a writer says what it has seen."""
        return {"If-Match": (await self.get(f"/v1/orders/{order_id}", caller=OPERATOR)).headers["ETag"]}

    async def awaiting(self, *lines: Any, key: str = "key-1", **more: Any) -> str:
        """An order whose goods are reserved, and that waits for its payment."""
        order_id = await self.placed(*lines, pay="later", key=key, **more)
        await self.service.hears(StockBooked(order_id, 1))
        return order_id

    async def paid(self, order_id: str, total_minor: int, payment: int = 1) -> None:
        """The wallet pays it all."""
        paid = (MoneyHeld(order_id, payment, total_minor, "RUB"), MoneyCaptured(order_id, payment, total_minor, "RUB"))
        await self.service.hears(*paid)

    async def paid_at_the_bank(self, order_id: str, total_minor: int, payment: int = 1) -> None:
        """The bank pays it all."""
        held = PaymentHeld(order_id, payment, total_minor, "RUB", HOLDS_UNTIL)
        await self.service.hears(held, PaymentCaptured(order_id, payment, total_minor, "RUB"))

    async def completed(self, *lines: Any, key: str = "key-1") -> str:
        """An order that was paid at once, of two cups."""
        order_id = await self.placed(*lines, key=key)
        await self.service.hears(StockBooked(order_id, 1))
        await self.paid(order_id, CUPS_MINOR)
        return order_id

    async def shipped(self) -> str:
        """An order for a courier, of two cups, paid through the bank."""
        order_id = await self.awaiting(delivery=BY_COURIER)
        await self.pay(order_id, "bank")
        await self.paid_at_the_bank(order_id, CUPS_MINOR + WAY_MINOR)
        return order_id

    def told(self, kind: type[Body]) -> list[Any]:
        """What it told other services of this kind."""
        return [body for body in self.service.sent if isinstance(body, kind)]


OrdersOpen = Callable[..., Awaitable[OrdersAtWork]]


@pytest.fixture
def orders_open(started: Started) -> OrdersOpen:
    """Give `await orders_open(…)`: orders, knowing two products and a courier; a customer may have many unpaid ones."""

    async def open_(terms: Terms = Terms(), watchers: Watchers | None = None) -> OrdersAtWork:  # noqa: B008  immutable
        settings = OrderSettings("all", unpaid_orders_max=50, terms=terms)
        service = await started(ORDERS_SERVICE, routes(settings, Waiters(), watchers))
        await service.hears(CUP, PLATE, COURIER)
        return OrdersAtWork(service)

    return open_


@pytest.fixture
async def shop(orders_open: OrdersOpen) -> OrdersAtWork:
    """Give orders as it is by default."""
    return await orders_open()
