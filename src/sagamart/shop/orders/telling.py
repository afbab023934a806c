"""The messages of an order, made from its row: what it tells everybody, and what it asks of one service."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from sagamart.contracts.order_requests import (
    BankCaptureRequested,
    BankHoldRequested,
    BankRefundRequested,
    BankVoidRequested,
    CaptureRequested,
    HoldRequested,
    PaymentRequest,
    PromoRedemptionRequested,
    RefundRequest,
    RefundRequested,
    ReleaseRequested,
    ReturnRequested,
    ShipmentChangeRequested,
    ShipmentRequested,
)
from sagamart.contracts.orders import (
    AddressNotChanged,
    DeliveryReported,
    Line,
    OrderCancelled,
    OrderChangeUndone,
    OrderMessage,
    OrderPlaced,
    OrderReturned,
    OrderRevived,
    PaymentAwaited,
    PaymentStarted,
    Status,
)
from sagamart.contracts.promotions import PromoRefused
from sagamart.messaging.message import Body
from sagamart.shop.orders.asking import Ask
from sagamart.shop.orders.money import due_minor
from sagamart.shop.orders.records import Order, Shortfall

AWAITING: frozenset[Status] = frozenset({"checked", "booked", "partially_paid"})
"""Where an order waits for its customer to pay."""

Told = tuple[str, int, Status, str, int, tuple[Line, ...], int, str]
"""The fields that every message of an order begins with."""


def request(ask: Ask, order: Order) -> OrderMessage:
    """What is asked, as a message."""
    same = _same(order, order.status)
    make = _REQUESTS.get(ask.kind)
    return ask.kind(*same) if make is None else make(order, same, ask)


def news(kind: type[OrderMessage], order: Order, status: Status, message: Body) -> OrderMessage | None:
    """What the order tells upon this message; None where this order has nothing of the kind to tell."""
    same = _same(order, status)
    tell = _NEWS.get(kind)
    return kind(*same) if tell is None else tell(order, same, message)


def _same(order: Order, status: Status) -> Told:
    return (
        order.order_id,
        order.version,
        status,
        order.customer_id,
        order.attempt,
        order.lines,
        order.total_minor,
        order.currency,
    )


def _placed(order: Order, same: Told, _message: Body) -> OrderPlaced | None:
    """An order that is paid at once is told with its outcome."""
    return OrderPlaced(*same) if order.plan.terms.later else None


def _awaited(order: Order, same: Told, _message: Body) -> PaymentAwaited | None:
    """Told of a change too, where the order still waits for its payment after it."""
    if order.status not in AWAITING:
        return None
    return PaymentAwaited(*same, due_minor(order), int(order.plan.window_left_s))


def _started(order: Order, same: Told, _message: Body) -> PaymentStarted:
    payment = order.payments[-1]
    return PaymentStarted(*same, len(order.payments), payment.source, payment.amount_minor)


def _cancelled(order: Order, same: Told, _message: Body) -> OrderCancelled:
    if order.reason is None:
        raise AssertionError(f"{order.order_id} is cancelled without a reason")
    lacked = order.shortfall or Shortfall()
    available_minor = lacked.available_minor if lacked.money == "insufficient_funds" else None
    return OrderCancelled(*same, order.reason, lacked.short, available_minor, lacked.promo)


def _undone(order: Order, same: Told, message: Any) -> OrderChangeUndone | None:
    """Told upon the refusal that undid it; most refusals end an order."""
    unmet = order.plan.unmet
    if unmet is None or message.attempt != unmet.attempt:
        return None
    if isinstance(message, PromoRefused) != (unmet.promo is not None):
        return None  # what was undone for its code lacks goods too
    return OrderChangeUndone(*same, unmet.wished, unmet.short, unmet.promo)


def _kept(order: Order, same: Told, message: Any) -> AddressNotChanged | None:
    """Where a parcel goes is no matter any more for an order that is being cancelled."""
    kept = order.plan.kept
    if kept is None or message.change != order.plan.redirections or order.plan.stopping is not None:
        return None
    return AddressNotChanged(*same, kept)


def _revived(order: Order, same: Told, _message: Body) -> OrderRevived | None:
    """Most late money revives nothing: it is given back."""
    return None if order.status == "cancelled" else OrderRevived(*same)


def _returned(order: Order, same: Told, message: Any) -> OrderReturned | None:
    """Told once the pieces are here."""
    one = next(one for one in order.returns if one.return_id == message.return_id)
    if one.arrival not in order.known:
        return None
    return OrderReturned(*same, one.return_id, one.lines, sum(share for _, share in one.shares))


def _reported(_order: Order, same: Told, message: Any) -> DeliveryReported | None:
    """Of all that staff may move an order to, only this concerns the parcel."""
    return DeliveryReported(*same) if message.to == "completed" else None


_NEWS: Mapping[type[OrderMessage], Callable[[Order, Told, Any], OrderMessage | None]] = {
    OrderPlaced: _placed,
    PaymentAwaited: _awaited,
    OrderChangeUndone: _undone,
    AddressNotChanged: _kept,
    PaymentStarted: _started,
    OrderCancelled: _cancelled,
    OrderReturned: _returned,
    OrderRevived: _revived,
    DeliveryReported: _reported,
}


def _payment(kind: type[PaymentRequest]) -> Callable[[Order, Told, Ask], OrderMessage]:
    return lambda _order, same, ask: kind(*same, ask.number, ask.amount_minor)


def _refund(kind: type[RefundRequest]) -> Callable[[Order, Told, Ask], OrderMessage]:
    return lambda _order, same, ask: kind(*same, ask.number, ask.amount_minor, ask.name)


def _bank_hold(order: Order, same: Told, ask: Ask) -> OrderMessage:
    return BankHoldRequested(*same, ask.number, ask.amount_minor, order.plan.terms.attempt_s)


def _redemption(order: Order, same: Told, _ask: Ask) -> OrderMessage:
    again_minor = order.plan.discount_minor if order.plan.undone else None
    return PromoRedemptionRequested(*same, order.plan.promo_code or "", order.goods_minor, again_minor)


def _shipment(order: Order, same: Told, _ask: Ask) -> OrderMessage:
    if order.plan.delivery is None:
        raise AssertionError(f"{order.order_id} is to be shipped, but nobody knows how")
    return ShipmentRequested(*same, order.plan.delivery)


def _change(order: Order, same: Told, ask: Ask) -> OrderMessage:
    if order.plan.delivery is None:
        raise AssertionError(f"{order.order_id} is to go elsewhere, but nobody knows how")
    return ShipmentChangeRequested(*same, ask.number, replace(order.plan.delivery, address=order.plan.elsewhere))


def _return(order: Order, same: Told, ask: Ask) -> OrderMessage:
    lines = next(one.lines for one in order.returns if one.return_id == ask.name)
    return ReturnRequested(*same, ask.name, lines)


_REQUESTS: Mapping[type[OrderMessage], Callable[[Order, Told, Ask], OrderMessage]] = {
    HoldRequested: _payment(HoldRequested),
    CaptureRequested: _payment(CaptureRequested),
    ReleaseRequested: _payment(ReleaseRequested),
    BankCaptureRequested: _payment(BankCaptureRequested),
    BankVoidRequested: _payment(BankVoidRequested),
    RefundRequested: _refund(RefundRequested),
    BankRefundRequested: _refund(BankRefundRequested),
    BankHoldRequested: _bank_hold,
    PromoRedemptionRequested: _redemption,
    ShipmentRequested: _shipment,
    ShipmentChangeRequested: _change,
    ReturnRequested: _return,
}
