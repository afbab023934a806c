"""Orders that are paid later, by the bank too, shipped and returned: examples beside `orders_examples.py`."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from one_service import AT, OneService
from orders_examples import BOOKED, RULES, TOTAL_MINOR, order_in, shop, wish
from sagamart.contracts.orders import Address, PaymentSource
from sagamart.contracts.payments import (
    CaptureRefused,
    PaymentCaptured,
    PaymentDeclined,
    PaymentHeld,
    PaymentRefunded,
    PaymentVoided,
    RefundRefused,
)
from sagamart.contracts.shipping import DeliveryMethodChanged
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld
from sagamart.messaging.message import Body
from sagamart.shop.orders.messages import (
    ChangeOrder,
    PayOrder,
    PlaceOrder,
    PlacingRules,
    WantedDelivery,
    WantedLine,
)
from sagamart.shop.orders.records import Terms

LATER = Terms(later=True)
COURIER = DeliveryMethodChanged(
    "courier", 1, "Courier", "Курьер", 30_000, "RUB", needs_shipment=True, needs_address=True, active=True
)
HOME = Address("Anna", "RU", "Perm", "Lenina 1")
HOLDS_UNTIL = AT + timedelta(days=7)


def rules(terms: Terms = LATER) -> PlacingRules:
    return replace(RULES, terms=terms)


def order(terms: Terms = LATER, *, shipped: bool = False, promo_code: str | None = None) -> PlaceOrder:
    """Two cups and a plate, brought by a courier where it is `shipped`."""
    delivery = WantedDelivery("courier", HOME) if shipped else None
    return replace(wish(rules=rules(terms)), delivery=delivery, promo_code=promo_code)


def shop_with(placed: PlaceOrder, *heard: Body) -> OneService:
    """A shop with this order, which has heard these; what was sent so far is forgotten."""
    service = shop()
    service.hears(COURIER, placed, *heard)
    service.sent.clear()
    return service


def pays(source: PaymentSource, amount_minor: int | None = None) -> PayOrder:
    return PayOrder("ord_1", "cus_1", staff=False, source=source, amount_minor=amount_minor)


def changes(
    *lines: WantedLine, delivery: WantedDelivery | None = None, version: int | None = None, caller: str = "cus_1"
) -> ChangeOrder:
    return ChangeOrder(
        "ord_1", caller, staff=False, rules=rules(), lines=lines or None, delivery=delivery, version=version
    )


def held(payment: int, amount_minor: int = TOTAL_MINOR, source: PaymentSource = "bank") -> Body:
    if source == "wallet":
        return MoneyHeld("ord_1", payment, amount_minor, "RUB")
    return PaymentHeld("ord_1", payment, amount_minor, "RUB", HOLDS_UNTIL)


def captured(payment: int, amount_minor: int = TOTAL_MINOR, source: PaymentSource = "bank") -> Body:
    kind: Any = MoneyCaptured if source == "wallet" else PaymentCaptured
    body: Body = kind("ord_1", payment, amount_minor, "RUB")
    return body


def declined(payment: int, amount_minor: int = TOTAL_MINOR) -> PaymentDeclined:
    return PaymentDeclined("ord_1", payment, amount_minor, "RUB", "declined")


def capture_refused(payment: int, amount_minor: int = TOTAL_MINOR) -> CaptureRefused:
    return CaptureRefused("ord_1", payment, amount_minor, "RUB")


def voided(payment: int, amount_minor: int = TOTAL_MINOR, *, lapsed: bool = False) -> PaymentVoided:
    return PaymentVoided("ord_1", payment, amount_minor, "RUB", "lapsed" if lapsed else "asked")


def refunded(payment: int, amount_minor: int, refund_id: str) -> PaymentRefunded:
    return PaymentRefunded("ord_1", payment, amount_minor, "RUB", refund_id)


def refund_refused(payment: int, amount_minor: int, refund_id: str) -> RefundRefused:
    return RefundRefused("ord_1", payment, amount_minor, "RUB", refund_id)


PAID_BY_BANK: tuple[Body, ...] = (BOOKED, pays("bank"), held(1), captured(1))


def paid_shipped_order() -> OneService:
    """An order for a courier, paid through the bank: 1600.00 for the goods, 300.00 for the way."""
    total = TOTAL_MINOR + 30_000
    service = shop_with(order(shipped=True), BOOKED, pays("bank"), held(1, total), captured(1, total))
    assert order_in(service).status == "paid"
    return service
