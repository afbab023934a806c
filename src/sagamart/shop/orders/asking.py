"""What an order asks of others and has no answer to yet: it follows from what the order knows, as its status does.

- A decision sends what is asked after it and was not asked before it; a deadline may ask again for all of it.
- What an order lets go of, it asks back: money of a payment that is over, or of an order that is cancelled.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from sagamart.contracts.order_requests import (
    BankCaptureRequested,
    BankHoldRequested,
    BankRefundRequested,
    BankVoidRequested,
    BookingRequested,
    CaptureRequested,
    HoldRequested,
    PromoRedemptionRequested,
    RefundRequested,
    ReleaseRequested,
    ReturnRequested,
    ShipmentChangeRequested,
    ShipmentRequested,
    ShipmentStopRequested,
    StockCheckRequested,
)
from sagamart.contracts.orders import OrderMessage, PaymentSource, payment_id
from sagamart.shop.orders.money import Counted, payments_of
from sagamart.shop.orders.records import Fact, Order

_HOLD_AT: Mapping[PaymentSource, type[OrderMessage]] = {"wallet": HoldRequested, "bank": BankHoldRequested}
_HOLDS = frozenset(_HOLD_AT.values())


class Ask(msgspec.Struct, frozen=True):
    """One thing that is asked: about which attempt or payment, how much of it, about which refund or return by name."""

    kind: type[OrderMessage]
    number: int
    amount_minor: int = 0
    name: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is to hold money, so that there is something to let go afterwards."""
        return self.kind in _HOLDS


class Asks(NamedTuple):
    """What may be asked together, and what of it an order with these live payments asks now.

    `stopped_by` is what undoes it where that is asked for, and answered, before an order is undone.
    """

    kinds: tuple[type[OrderMessage], ...]
    of: Callable[[Order, Sequence[Counted]], Sequence[Ask]]
    stopped_by: type[OrderMessage] | None = None


def _redemption(order: Order, _live: Sequence[Counted]) -> Sequence[Ask]:
    lacks = order.plan.promo_code is not None and not order.knows("promo_redeemed")
    return [Ask(PromoRedemptionRequested, order.attempt)] if lacks else ()


def _check(order: Order, _live: Sequence[Counted]) -> Sequence[Ask]:
    terms = order.plan.terms
    lacks = terms.at_payment and terms.later and order.needs_stock and not order.knows("checked")
    return [Ask(StockCheckRequested, order.attempt)] if lacks else ()


def _booking(order: Order, _live: Sequence[Counted]) -> Sequence[Ask]:
    lacks = not order.knows("booked") and order.needs_stock
    return [Ask(BookingRequested, order.attempt)] if lacks else ()


def _holds(order: Order, live: Sequence[Counted]) -> Sequence[Ask]:
    """Money is held for goods that are reserved."""
    if not order.knows("booked") and order.needs_stock:
        return ()
    return [
        Ask(_HOLD_AT[one.payment.source], one.number, one.payment.amount_minor)
        for one in live
        if one.standing == "in_flight"
    ]


def _captures(_order: Order, live: Sequence[Counted]) -> Sequence[Ask]:
    """First the bank's, one by one, for each may be refused; after the last of them nothing can be."""
    held = [one for one in live if one.standing == "held"]
    for one in held:
        if one.payment.source == "bank":
            return [Ask(BankCaptureRequested, one.number, one.payment.amount_minor)]
    return [Ask(CaptureRequested, one.number, one.payment.amount_minor) for one in held]


def _shipment(order: Order, _live: Sequence[Counted]) -> Sequence[Ask]:
    """Asked until the parcel is there: each answer tells how far it is."""
    if not order.needs_shipment or order.shipment("delivered", "stopped", "shipment_refused"):
        return ()
    asked = [Ask(ShipmentRequested, order.attempt)]
    if order.plan.stopping is not None:
        asked.append(Ask(ShipmentStopRequested, order.attempt))
    if order.plan.elsewhere is not None:
        asked.append(Ask(ShipmentChangeRequested, order.plan.redirections))
    return asked


def _returns(order: Order, _live: Sequence[Counted]) -> Sequence[Ask]:
    """Pieces that are announced are awaited; pieces that are here are refunded."""
    if not order.returns:
        return ()
    payments = {one.number: one for one in payments_of(order)}
    asked: list[Ask] = []
    for one in order.returns:
        if one.arrival not in order.known:
            asked.append(Ask(ReturnRequested, order.attempt, name=one.return_id))
        for number, share_minor in one.shares:
            asked += _refund(order, payments[number], share_minor, f"{one.return_id}/{number}")
    return asked


def _letting_go(order: Order, _live: Sequence[Counted]) -> Sequence[Ask]:
    """Money that the order does not count on any more: let go where it is held, refunded where it was taken."""
    given_up = [payment for payment in order.payments if payment.over]
    if order.reason is None and not given_up:
        return ()
    asked: list[Ask] = []
    for one in payments_of(order):
        if order.reason is None and not one.payment.over:
            continue
        if one.standing == "captured":
            name = payment_id(order.order_id, one.number)
            asked += _refund(order, one, one.payment.amount_minor, f"{name}/all")
        elif one.payment.asked and one.standing != "ended" and not _may_come_late(order, one):
            kind = ReleaseRequested if one.payment.source == "wallet" else BankVoidRequested
            asked.append(Ask(kind, one.number, one.payment.amount_minor))
    return asked


def _may_come_late(order: Order, one: Counted) -> bool:
    """Whether this payment is left to the bank, because its money would revive the order."""
    waits = order.plan.terms.revive and order.reason in {None, "payment_timeout"}
    return waits and one.payment.source == "bank" and one.standing == "in_flight"


def _refund(order: Order, one: Counted, amount_minor: int, refund_id: str) -> Sequence[Ask]:
    """What the bank refuses to refund goes to the wallet."""
    if Fact(refund_id, "refunded") in order.known:
        return ()
    kind: type[OrderMessage] = RefundRequested if one.payment.source == "wallet" else BankRefundRequested
    if Fact(refund_id, "refund_refused") in order.known:
        kind, refund_id = RefundRequested, f"{refund_id}/wallet"
        if Fact(refund_id, "refunded") in order.known:
            return ()
    return [Ask(kind, one.number, amount_minor, refund_id)]


REDEMPTION = Asks((PromoRedemptionRequested,), _redemption)
CHECK = Asks((StockCheckRequested,), _check)
BOOKING = Asks((BookingRequested,), _booking)
HOLDS = Asks((HoldRequested, BankHoldRequested), _holds)
CAPTURES = Asks((BankCaptureRequested, CaptureRequested), _captures)
SHIPMENT = Asks(
    (ShipmentRequested, ShipmentStopRequested, ShipmentChangeRequested), _shipment, stopped_by=ShipmentStopRequested
)
RETURNS = Asks((ReturnRequested, RefundRequested, BankRefundRequested), _returns, stopped_by=ShipmentStopRequested)
"""Nothing is announced to come back before it is handed over, and then no stop succeeds: such an order stays paid."""

LETTING_GO = Asks((ReleaseRequested, BankVoidRequested, RefundRequested, BankRefundRequested), _letting_go)
