"""Paying a placed order: in any number of payments that add up, each with a deadline of its own.

- The second payment sees what the first one holds, or has in flight: nobody pays more than is due.
- A payment that ends is over; the order waits for another one for as long as is left of its window, `PAYMENTS_MAX` in
  all.
- Money that comes after the order has given up on it is never kept and never lost: it is let go or refunded, or it
  revives the order where its terms allow it.
"""

from datetime import datetime, timedelta
from typing import ClassVar

from msgspec.structs import replace

from sagamart.contracts.orders import Status
from sagamart.contracts.payments import PaymentCaptured, PaymentHeld
from sagamart.messaging.decision import Refusal
from sagamart.messaging.message import Body
from sagamart.shop.orders.decide import counted_again, learn
from sagamart.shop.orders.messages import PAYMENTS_MAX, PayOrder
from sagamart.shop.orders.money import due_minor, live
from sagamart.shop.orders.records import Fact, Order, Payment

LAPSE_MARGIN_S = 60
"""An order gives up so long before the first of its holds may lapse."""


class NotPayableNow(Refusal, frozen=True):
    """An order is paid while it awaits payment."""

    title: ClassVar[str] = "The order does not await a payment now"

    order_id: str
    order_status: Status


class MoreThanDue(Refusal, frozen=True):
    """Nobody pays more than is neither paid nor being paid."""

    title: ClassVar[str] = "That is more than is due"

    amount_minor: int
    due_minor: int
    currency: str


class TooManyPayments(Refusal, frozen=True):
    """An order takes so many payments, ended ones included."""

    title: ClassVar[str] = "The order has had too many payments"

    payments_max: int = PAYMENTS_MAX


def pay(order: Order, message: PayOrder, at: datetime) -> Order | Refusal:
    """Start a payment."""
    due = due_minor(order)
    amount = due if message.amount_minor is None else message.amount_minor
    if not 0 < amount <= due:
        return MoreThanDue(amount, due, order.currency)
    if len(order.payments) >= PAYMENTS_MAX:
        return TooManyPayments()

    # From here the payment is started.
    return replace(order, payments=(*order.payments, Payment(message.source, amount, at)))


def refuse_to_pay(order: Order, _message: PayOrder, _at: datetime) -> NotPayableNow:
    """Nothing is awaited now."""
    return NotPayableNow(order.order_id, order.status)


def end_payments(order: Order, _message: Body, at: datetime) -> Order:
    """The deadline of a payment has passed: the payment is over.  What is paid at once is over with it.

    So is an order of which a hold is about to lapse, and one that waits for its goods in vain.
    """
    in_flight = [one for one in live(order) if one.standing == "in_flight"]
    if not in_flight:
        return replace(order, reason="booking_timeout")
    lapse = lapses_at(order)
    if not order.plan.terms.later or (lapse is not None and lapse <= at):
        return replace(order, reason="payment_timeout")
    late = {one.number for one in in_flight if ends_at(order, one.payment) <= at}
    payments = tuple(
        replace(payment, over=True) if number in late else payment
        for number, payment in enumerate(order.payments, start=1)
    )
    return replace(order, payments=payments) if late else order


def ends_at(order: Order, payment: Payment) -> datetime:
    """When an attempt to pay is over."""
    return payment.started_at + timedelta(seconds=order.plan.terms.attempt_s)


def lapses_at(order: Order) -> datetime | None:
    """When an order must have been given up, so that no hold of it lapses before it is let go."""
    ends = [one.payment.holds_until for one in live(order) if one.standing == "held" and one.payment.holds_until]
    return min(ends) - timedelta(seconds=LAPSE_MARGIN_S) if ends else None


def take_late_money(order: Order, message: PaymentHeld | PaymentCaptured, at: datetime) -> Order:
    """Money comes for an order that is cancelled: it revives the order, or is let go."""
    learned = learn(order, message, at)
    if learned is order or not can_revive(order, message):
        return learned
    given_up = tuple(replace(payment, over=True) for payment in learned.payments)
    revived = replace(learned, payments=given_up, reason=None, attempt=order.attempt + 1, changed_at=at)
    return counted_again(revived, message.payment)


def can_revive(order: Order, message: PaymentHeld | PaymentCaptured) -> bool:
    """Whether this money pays the whole of an order that was given up for want of it."""
    ended = any(Fact(message.payment, end) in order.known for end in ("declined", "voided", "capture_refused"))
    waited = order.plan.terms.revive and order.reason == "payment_timeout" and not order.plan.slot_lost
    return waited and not ended and message.amount_minor == order.total_minor
