"""What a placed order learns, and where it stands by what it knows.  `lifecycle.py` says which rule applies when.

- A rule takes the order, what was said and when, and gives the order as it is then, or a refusal.  The same order means
  that there is nothing new.
- An order's status follows from what it knows, never from the order in which it learned it.
- A fact is noted whenever it comes, in whatever status, once; what it means besides stands in `FOLLOWS`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from sagamart.contracts.orders import CancelReason, Status
from sagamart.contracts.payments import (
    CaptureRefused,
    PaymentCaptured,
    PaymentDeclined,
    PaymentHeld,
    PaymentRedirected,
    PaymentVoided,
)
from sagamart.contracts.promotions import PromoRedeemed, PromoRefused
from sagamart.contracts.shipping import (
    ReturnReceived,
    ShipmentCannotBeChanged,
    ShipmentCannotBeStopped,
    ShipmentChanged,
    ShipmentRefused,
    ShipmentStopped,
)
from sagamart.contracts.stock import ReservationRevoked, StockBooked, StockChecked, StockRefused
from sagamart.contracts.wallet import MoneyRefused
from sagamart.messaging.decision import Refusal
from sagamart.messaging.message import Body
from sagamart.shop.orders.facts import check, fact_of
from sagamart.shop.orders.messages import PlaceOrder
from sagamart.shop.orders.money import Counted, due_minor, live, sum_of
from sagamart.shop.orders.records import Content, Fact, Order, Payment, PaymentEnd, Shortfall, Unmet
from sagamart.shop.orders.returning import share_out

Rule = Callable[[Order, Any, datetime], Order | Refusal]


def status_of(order: Order, payments: Sequence[Counted]) -> Status:
    """Where an order stands by what it knows, and how its live payments stand.

    Nothing is captured, and nothing completed, for goods that are not reserved; the way there needs goods and money, in
    whichever order they are told.
    """
    if order.reason is not None:
        return "cancelled"
    standings = [one.standing for one in payments]
    is_booked = order.knows("booked") or not order.needs_stock
    if not is_booked or (order.plan.promo_code is not None and _lacks_promo(order)):
        answered = "held" in standings or "captured" in standings
        return _before_booking(order, paying=bool(payments), advanced=answered)
    if "in_flight" in standings:
        return "pay_pending"
    if sum_of(payments) < order.total_minor:
        return "partially_paid" if payments else "booked"
    return "capturing" if "held" in standings else _after_payment(order)


def _lacks_promo(order: Order) -> bool:
    return order.plan.promo_code is not None and not order.knows("promo_redeemed")


def _before_booking(order: Order, *, paying: bool, advanced: bool) -> Status:
    if _lacks_promo(order):
        return "new"
    if advanced:
        return "pay_pending"  # the money came before the goods were told, or late money revived the order
    terms = order.plan.terms
    if terms.at_payment and terms.later and not paying:
        return "checked" if order.knows("checked") else "new"
    return "booking_pending"


def _after_payment(order: Order) -> Status:
    if _is_all_back(order):
        return "returned"
    if order.shipment("delivered") or not order.needs_shipment:
        return "completed"
    return "shipping_pending" if order.shipment("handed_over", "shipment_pending") else "paid"


def _is_all_back(order: Order) -> bool:
    back = sum(line.quantity for one in order.returns if one.arrival in order.known for line in one.lines)
    return bool(order.returns) and back == sum(line.quantity for line in order.lines)


# -- learning ----------------------------------------------------------------------------------------------------------


def learn(order: Order, message: Body, at: datetime) -> Order:
    """Note what has become true, and what follows from it.

    Raises AssertionError for a fact that cannot be: about an attempt or payment that was never made, about another
    amount, or against what is known.
    """
    fact = fact_of(message)
    if fact in order.known:
        return order
    check(order, message, fact)
    learned = order.noting(fact)
    follow = FOLLOWS.get(type(message))
    return learned if follow is None else follow(learned, message, at)


def fixed(order: Order, discount_minor: int) -> Order:
    """The total is fixed: the lines, less the discount, and the delivery.  What is paid at once is paid whole.

    Where nothing is to be paid, nothing is asked of the wallet.
    """
    delivery = order.plan.delivery
    total_minor = order.goods_minor - discount_minor + (delivery.price_minor if delivery is not None else 0)
    is_paid_at_once = total_minor and not order.plan.terms.later
    at_once = (Payment("wallet", total_minor, order.placed_at),) if is_paid_at_once else ()
    plan = replace(order.plan, discount_minor=discount_minor)
    return replace(order, total_minor=total_minor, plan=plan, payments=order.payments or at_once)


def _promo_redeemed(order: Order, message: PromoRedeemed, _at: datetime) -> Order:
    return _stands(fixed(order, message.discount_minor)) if _is_present(order, message.attempt) else order


def _promo_refused(order: Order, message: PromoRefused, _at: datetime) -> Order:
    """A change for which the code does not count is undone, by a new attempt; else the order ends."""
    if not _is_present(order, message.attempt):
        return order
    if order.plan.before is not None:
        return _undone(order, order.plan.before, Unmet(order.attempt, order.lines, promo=message.reason))
    lacked = replace(order.shortfall or Shortfall(), promo=message.reason)
    return replace(order, reason="promo_refused", shortfall=lacked)


def _stock_refused(order: Order, message: StockRefused, _at: datetime) -> Order:
    """A change whose goods are not there is undone, by a new attempt; else the order ends."""
    if not _is_present(order, message.attempt):
        return order
    if order.plan.before is not None:
        return _undone(order, order.plan.before, Unmet(order.attempt, order.lines, message.short))
    lacked = replace(order.shortfall or Shortfall(), short=message.short)
    return replace(order, reason="stock_refused", shortfall=lacked)


def _undone(order: Order, before: Content, unmet: Unmet) -> Order:
    """The order as it was before its change, with the discount that it had."""
    plan = replace(order.plan, before=None, delivery=before.delivery, undone=True, unmet=unmet)
    return fixed(replace(order, lines=before.lines, plan=plan, attempt=order.attempt + 1), before.discount_minor)


def _there(order: Order, message: StockBooked | StockChecked, _at: datetime) -> Order:
    if order.plan.before is None or not _is_present(order, message.attempt):
        return order
    return _stands(order)


def _stands(order: Order) -> Order:
    """A change stands once its goods are there and its code counts: it is not undone any more."""
    if order.plan.before is None or _lacks_promo(order) or not (order.knows("booked") or order.knows("checked")):
        return order
    return replace(order, plan=replace(order.plan, before=None))


def _revoked(order: Order, message: ReservationRevoked, _at: datetime) -> Order:
    """Pieces are missing: an order that is not paid makes room for one that is."""
    if not _is_present(order, message.attempt) or status_of(order, live(order)) not in REVOCABLE:
        return order
    return replace(order, reason="stock_revoked")


REVOCABLE: frozenset[Status] = frozenset({"booking_pending", "booked", "pay_pending", "partially_paid"})


def _money_refused(order: Order, message: MoneyRefused, _at: datetime) -> Order:
    """What is paid at once ends here; else this payment is over, and another may be tried."""
    if order.plan.terms.later:
        return order if message.reason == "released" else _came_to_nothing(order, message.payment, message.reason)
    if order.reason is not None:
        return order
    lacked = Shortfall(money=message.reason, available_minor=message.available_minor)
    return replace(order, reason="money_refused", shortfall=lacked)


def _declined(order: Order, message: PaymentDeclined, _at: datetime) -> Order:
    return _came_to_nothing(order, message.payment, message.reason)


def _came_to_nothing(order: Order, payment: int, why: PaymentEnd) -> Order:
    """Keep why, for whoever is to try again."""
    lacked = order.shortfall or Shortfall()
    return replace(order, shortfall=replace(lacked, ends=tuple(sorted((*lacked.ends, (payment, why))))))


def _held(order: Order, message: PaymentHeld, _at: datetime) -> Order:
    payment = replace(order.payments[message.payment - 1], holds_until=message.holds_until)
    return _welcome(with_payment(order, message.payment, payment), message.payment)


def _captured(order: Order, message: PaymentCaptured, _at: datetime) -> Order:
    return _welcome(order, message.payment)


def _welcome(order: Order, number: int) -> Order:
    """Money of a payment that was given up counts after all, where the terms allow it and it is still due.

    What is due is not known while a change may yet be undone.
    """
    payment = order.payments[number - 1]
    late = payment.over and order.reason is None and order.plan.terms.revive and order.plan.before is None
    return counted_again(order, number) if late and payment.amount_minor <= due_minor(order) else order


def counted_again(order: Order, number: int) -> Order:
    """This payment is not over any more."""
    return with_payment(order, number, replace(order.payments[number - 1], over=False))


def with_payment(order: Order, number: int, payment: Payment) -> Order:
    """The order with this payment in the place of the one of this number."""
    return replace(order, payments=(*order.payments[: number - 1], payment, *order.payments[number:]))


def _capture_refused(order: Order, _message: CaptureRefused, _at: datetime) -> Order:
    return order if order.reason is not None else replace(order, reason="capture_refused")


def _voided(order: Order, message: PaymentVoided, _at: datetime) -> Order:
    """A hold that lapses while it is to be captured: that is a capture refused.  Else the payment is over."""
    counted_on = order.status == "capturing" and not order.payments[message.payment - 1].over
    lost = counted_on and order.reason is None and Fact(message.payment, "captured") not in order.known
    return replace(order, reason="capture_refused") if lost else order


def _not_shipped(order: Order, _message: ShipmentRefused, _at: datetime) -> Order:
    return replace(order, reason=order.plan.stopping or "shipment_refused") if order.reason is None else order


def _stopped(order: Order, _message: ShipmentStopped, _at: datetime) -> Order:
    return replace(order, reason=order.plan.stopping or "cancelled_by_staff") if order.reason is None else order


def _goes_on(order: Order, _message: ShipmentCannotBeStopped, _at: datetime) -> Order:
    return replace(order, plan=replace(order.plan, stopping=None))


def _changed(order: Order, message: ShipmentChanged, _at: datetime) -> Order:
    """Its parcel goes elsewhere."""
    plan = order.plan
    if plan.elsewhere is None or plan.delivery is None or message.change != plan.redirections:
        return order
    delivery = replace(plan.delivery, address=plan.elsewhere)
    return replace(order, plan=replace(plan, delivery=delivery, elsewhere=None))


def _not_changed(order: Order, message: ShipmentCannotBeChanged, _at: datetime) -> Order:
    """Its parcel goes where it was to go, if anywhere."""
    mine = message.change == order.plan.redirections
    return replace(order, plan=replace(order.plan, elsewhere=None, kept=message.reason)) if mine else order


def _received(order: Order, message: ReturnReceived, _at: datetime) -> Order:
    return share_out(order, message.return_id)


def _is_present(order: Order, attempt: int) -> bool:
    """Whether this is about what the order wants now."""
    return attempt == order.attempt and order.reason is None


FOLLOWS: Mapping[type[Body], Callable[[Order, Any, datetime], Order]] = {
    PromoRedeemed: _promo_redeemed,
    PromoRefused: _promo_refused,
    StockChecked: _there,
    StockBooked: _there,
    StockRefused: _stock_refused,
    ReservationRevoked: _revoked,
    MoneyRefused: _money_refused,
    PaymentDeclined: _declined,
    PaymentHeld: _held,
    PaymentCaptured: _captured,
    CaptureRefused: _capture_refused,
    PaymentVoided: _voided,
    ShipmentRefused: _not_shipped,
    ShipmentStopped: _stopped,
    ShipmentCannotBeStopped: _goes_on,
    ShipmentChanged: _changed,
    ShipmentCannotBeChanged: _not_changed,
    ReturnReceived: _received,
}
"""What a fact means beyond being known."""


def redirect(order: Order, message: PaymentRedirected, _at: datetime) -> Order:
    """The bank has a page for the customer."""
    payment = order.payments[message.payment - 1]
    if payment.redirect_url == message.redirect_url:
        return order
    return with_payment(order, message.payment, replace(payment, redirect_url=message.redirect_url))


# -- wishes and deadlines that need no more than a line ----------------------------------------------------------------


def accept(order: Order, _message: PlaceOrder, _at: datetime) -> Order:
    """The order begins its way."""
    return order


def give_up(reason: CancelReason) -> Rule:
    """A rule: what was awaited did not come in time."""

    def rule(order: Order, _message: Body, _at: datetime) -> Order:
        return replace(order, reason=reason)

    return rule


def stay(order: Order, _message: Body, _at: datetime) -> Order:
    """Nothing changes; the table says why."""
    return order
