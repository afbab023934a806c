"""Orders for tests: one shop with two products, one customer, and the messages of an order's life."""

from collections.abc import Sequence
from typing import Any

from one_service import OneService
from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.orders import Line, ShortLine
from sagamart.contracts.stock import StockBooked, StockRefused
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld, MoneyRefused
from sagamart.messaging.message import Body
from sagamart.shop.orders.messages import CancelOrder, OrderDeadline, PlaceOrder, PlacingRules, WantedLine
from sagamart.shop.orders.records import Order
from sagamart.shop.orders.service import ORDERS_SERVICE

CUP = ProductChanged("CUP", 1, "Blue cup", 45_000, "RUB", active=True)
PLATE = ProductChanged("PLATE", 1, "White plate", 70_000, "RUB", active=True)
RULES = PlacingRules(custom_lines=True, unpaid_orders_max=1, currency="RUB")

TWO_CUPS = WantedLine("CUP", 2)
ONE_PLATE = WantedLine("PLATE", 1)
GIFT_WRAP = WantedLine(None, 1, 10_000, "Gift wrap")

ORDERED = (Line("CUP", "Blue cup", 2, 45_000), Line("PLATE", "White plate", 1, 70_000))
TOTAL_MINOR = 160_000

BOOKED = StockBooked("ord_1", 1)
SHORT = StockRefused("ord_1", 1, (ShortLine("CUP", 2, 1),))
HELD = MoneyHeld("ord_1", 1, TOTAL_MINOR, "RUB")
POOR = MoneyRefused("ord_1", 1, TOTAL_MINOR, "RUB", "insufficient_funds", 100)
CAPTURED = MoneyCaptured("ord_1", 1, TOTAL_MINOR, "RUB")
CANCEL = CancelOrder("ord_1", "cus_1", staff=False)

WAY: dict[str, Sequence[Body]] = {
    "booking_pending": (),
    "pay_pending": (BOOKED,),
    "capturing": (BOOKED, HELD),
    "completed": (BOOKED, HELD, CAPTURED),
    "cancelled": (CANCEL,),
}
"""What an order hears on its way to each status."""


def deadline(status: Any) -> OrderDeadline:
    return OrderDeadline("ord_1", status)


def wish(
    *lines: WantedLine,
    order_id: str = "ord_1",
    customer_id: str = "cus_1",
    rules: PlacingRules = RULES,
    currency: str | None = None,
) -> PlaceOrder:
    return PlaceOrder(order_id, customer_id, lines or (TWO_CUPS, ONE_PLATE), rules, currency)


def shop() -> OneService:
    """Orders, knowing the two products."""
    service = OneService(ORDERS_SERVICE)
    service.hears(CUP, PLATE)
    return service


def shop_with_order(status: str = "booking_pending") -> OneService:
    """A shop with the order `ord_1` of two cups and a plate, in this status; what was sent so far is forgotten."""
    service = shop()
    service.hears(wish(), *WAY[status])
    assert order_in(service).status == status
    service.sent.clear()
    return service


def order_in(service: OneService, order_id: str = "ord_1") -> Order:
    return service.record(Order, order_id)


def names(sent: Sequence[Body]) -> list[str]:
    return [type(body).__name__ for body in sent]
