"""The facts that an order learns from others: what each is called, what it is about, and which cannot be.

A fact that contradicts what is known, or speaks of something that never was, is a fault and not skipped: its message
goes to the dead letters, and an operator looks.
"""

from collections.abc import Mapping
from typing import Any

from sagamart.contracts.payments import (
    CaptureRefused,
    PaymentCaptured,
    PaymentDeclined,
    PaymentHeld,
    PaymentRefunded,
    PaymentVoided,
    RefundRefused,
)
from sagamart.contracts.promotions import PromoRedeemed, PromoRefused
from sagamart.contracts.shipping import (
    ReturnReceived,
    ShipmentCannotBeChanged,
    ShipmentCannotBeStopped,
    ShipmentChanged,
    ShipmentDelivered,
    ShipmentHandedOver,
    ShipmentPending,
    ShipmentRefused,
    ShipmentStopped,
)
from sagamart.contracts.stock import ReservationRevoked, StockBooked, StockChecked, StockRefused
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld, MoneyRefunded, MoneyRefused
from sagamart.messaging.message import Body
from sagamart.shop.orders.records import SHIPMENT, Fact, FactName, Order

OF_PROMO: Mapping[type[Body], FactName] = {PromoRedeemed: "promo_redeemed", PromoRefused: "promo_refused"}
OF_GOODS: Mapping[type[Body], FactName] = {
    StockChecked: "checked",
    StockBooked: "booked",
    StockRefused: "stock_refused",
    ReservationRevoked: "revoked",
}
OF_MONEY: Mapping[type[Body], FactName] = {
    MoneyHeld: "held",
    MoneyRefused: "money_refused",
    MoneyCaptured: "captured",
    PaymentHeld: "held",
    PaymentDeclined: "declined",
    PaymentCaptured: "captured",
    CaptureRefused: "capture_refused",
    PaymentVoided: "voided",
}
OF_REFUNDS: Mapping[type[Body], FactName] = {
    MoneyRefunded: "refunded",
    PaymentRefunded: "refunded",
    RefundRefused: "refund_refused",
}
OF_PARCEL: Mapping[type[Body], FactName] = {
    ShipmentPending: "shipment_pending",
    ShipmentRefused: "shipment_refused",
    ShipmentHandedOver: "handed_over",
    ShipmentDelivered: "delivered",
    ShipmentStopped: "stopped",
    ShipmentCannotBeStopped: "cannot_be_stopped",
    ShipmentChanged: "shipment_changed",
    ShipmentCannotBeChanged: "shipment_not_changed",
}
OF_RETURNS: Mapping[type[Body], FactName] = {ReturnReceived: "received"}

FACTS: Mapping[type[Body], FactName] = {
    **OF_PROMO,
    **OF_GOODS,
    **OF_MONEY,
    **OF_REFUNDS,
    **OF_PARCEL,
    **OF_RETURNS,
}
"""What an order learns from which message."""

_ABOUT: Mapping[type[Body], str | None] = {
    **dict.fromkeys((*OF_PROMO, *OF_GOODS), "attempt"),
    **dict.fromkeys(OF_MONEY, "payment"),
    **dict.fromkeys(OF_REFUNDS, "refund_id"),
    **dict.fromkeys(OF_PARCEL),
    **dict.fromkeys((ShipmentChanged, ShipmentCannotBeChanged), "change"),
    **dict.fromkeys(OF_RETURNS, "return_id"),
}
"""The field of a message that says what its fact is about."""

CONTRADICTIONS: Mapping[FactName, tuple[FactName, ...]] = {
    "booked": ("stock_refused",),
    "stock_refused": ("booked",),
    "held": ("money_refused",),
    "money_refused": ("held", "captured"),
    "handed_over": ("stopped", "shipment_refused"),
    "delivered": ("stopped", "shipment_refused"),
    "stopped": ("handed_over", "delivered", "cannot_be_stopped"),
    "shipment_refused": ("handed_over", "delivered"),
    "cannot_be_stopped": ("stopped",),
    "shipment_changed": ("shipment_not_changed",),
    "shipment_not_changed": ("shipment_changed",),
}
"""What cannot be true of the same thing."""


def fact_of(message: Body) -> Fact:
    """What a message makes known."""
    field = _ABOUT[type(message)]
    return Fact(SHIPMENT if field is None else getattr(message, field), FACTS[type(message)])


def check(order: Order, message: Any, fact: Fact) -> None:
    """Raise AssertionError for a fact that cannot be."""
    kind = type(message)
    if kind in OF_GOODS or kind in OF_PROMO:
        _check_attempt(order, message)
    elif kind in OF_MONEY or kind in OF_REFUNDS:
        _check_payment(order, message)
    elif kind in {ShipmentChanged, ShipmentCannotBeChanged} and not 1 <= message.change <= order.plan.redirections:
        raise AssertionError(f"{order.order_id}: about change {message.change} of {order.plan.redirections}")
    elif kind in OF_RETURNS and not any(
        one.return_id == message.return_id and one.lines == message.returned for one in order.returns
    ):
        raise AssertionError(f"{order.order_id}: {message.return_id} was not announced so")
    for one in CONTRADICTIONS.get(fact.name, ()):
        if (fact.about, one) in order.known and (kind not in OF_GOODS or order.reason is None):
            raise AssertionError(f"{order.order_id}: {fact.name}, but it is known to be {one}")


def _check_attempt(order: Order, message: Any) -> None:
    if message.attempt > order.attempt:
        raise AssertionError(f"{order.order_id}: an answer to attempt {message.attempt} of {order.attempt}")
    is_present = message.attempt == order.attempt  # an earlier attempt was for other lines
    if isinstance(message, PromoRedeemed) and is_present and not 0 <= message.discount_minor <= order.goods_minor:
        raise AssertionError(f"{order.order_id}: {message.discount_minor} off {order.goods_minor}")


def _check_payment(order: Order, message: Any) -> None:
    if not 1 <= message.payment <= len(order.payments):
        raise AssertionError(f"{order.order_id}: about payment {message.payment} of {len(order.payments)}")
    due = order.payments[message.payment - 1].amount_minor
    is_part = type(message) in OF_REFUNDS and 0 < message.amount_minor <= due
    if message.currency != order.currency or not (message.amount_minor == due or is_part):
        amount = (message.amount_minor, message.currency)
        raise AssertionError(f"{order.order_id}: {type(message).__name__} of {amount}, but {due} is due")
