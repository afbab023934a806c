"""The way of an order, as one table: `LIFECYCLE`.  `step` looks a message up in it and does what stands there.

How to read a row: entering the status sends `asks`; then the order waits for all of `awaits`, `deadline_s` seconds at
most; `on` names for each message the rule (in `decide.py`) and the statuses that may follow.  `undo` is what is sent so
that others let go of what they reserved or held; a status without one cannot be undone.

- A message that a status does not list is a fault: it goes to the dead letters, it is not skipped.
- A fact about money or goods is always learned; none is listed as something that changes nothing.
- A status with `passes_to` is left in the decision that enters it, at the same version.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from sagamart.contracts.order_requests import BookingRequested, CaptureRequested, HoldRequested, PaymentRequest
from sagamart.contracts.orders import OrderCancelled, OrderCompleted, OrderMessage, OrderPaid, Status
from sagamart.contracts.stock import StockBooked, StockRefused
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld, MoneyRefused
from sagamart.messaging.decision import NOTHING, Arm, Decision, Disarm, Refusal
from sagamart.messaging.message import Body, Message
from sagamart.shop.orders.decide import Rule, accept, cancel, give_up, learn, refuse_to_cancel, status_of, stay
from sagamart.shop.orders.messages import CancelOrder, OrderDeadline, PlaceOrder
from sagamart.shop.orders.records import Order, Shortfall

BOOKING_S = 60
PAYMENT_S = 900
CAPTURE_AGAIN_S = 30
DEADLINE = "deadline"
"""The one timer of an order: armed when it is placed, disarmed when it ends.

A firing that finds the order further on arms what is left of the present status's time.  So an order that takes its way
at once arms one timer and not one a status, and a short deadline may come as late as the longer one before it.
"""


class Transition(msgspec.Struct, frozen=True):
    """What a message does: the rule, and where the order may be then.  `because` says why nothing changes."""

    rule: Rule
    to: tuple[Status, ...]
    asks_again: bool = False
    because: str = ""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A status: a row of the table."""

    on: Mapping[type[Body], Transition] = {}
    asks: type[OrderMessage] | None = None
    awaits: tuple[type[Body], ...] = ()
    deadline_s: int | None = None
    undo: type[OrderMessage] | None = None
    unpaid: bool = False
    passes_to: Status | None = None
    final: bool = False


def to(rule: Rule, *statuses: Status, asks_again: bool = False, because: str = "") -> Transition:
    """A cell of the table."""
    return Transition(rule, statuses, asks_again, because)


# fmt: off
LIFECYCLE: Final[Mapping[Status, State]] = {
    "new": State(unpaid=True, on={
        PlaceOrder:    to(accept, "booking_pending", "pay_pending"),  # at once to pay where no line needs stock
    }),
    "booking_pending": State(
        unpaid=True, asks=BookingRequested, awaits=(StockBooked,), deadline_s=BOOKING_S, undo=OrderCancelled, on={
        StockBooked:   to(learn, "pay_pending"),
        StockRefused:  to(learn, "cancelled"),
        MoneyHeld:     to(learn, "pay_pending"),  # early: the capture still waits for the goods
        MoneyRefused:  to(learn, "cancelled"),
        MoneyCaptured: to(learn, "completed"),
        CancelOrder:   to(cancel, "cancelled"),
        OrderDeadline: to(give_up("booking_timeout"), "cancelled"),
    }),
    "pay_pending": State(
        unpaid=True, asks=HoldRequested, awaits=(StockBooked, MoneyHeld), deadline_s=PAYMENT_S,
        undo=OrderCancelled, on={
        StockBooked:   to(learn, "pay_pending", "capturing"),
        StockRefused:  to(learn, "cancelled"),
        MoneyHeld:     to(learn, "pay_pending", "capturing"),
        MoneyRefused:  to(learn, "cancelled"),
        MoneyCaptured: to(learn, "completed"),
        CancelOrder:   to(cancel, "cancelled"),
        OrderDeadline: to(give_up("payment_timeout"), "cancelled"),
    }),
    # The point of no return: a capture cannot be refused, and is asked for until it is done.
    "capturing": State(
        unpaid=True, asks=CaptureRequested, awaits=(MoneyCaptured,), deadline_s=CAPTURE_AGAIN_S, on={
        StockBooked:   to(learn, "capturing"),
        MoneyHeld:     to(learn, "capturing"),
        MoneyCaptured: to(learn, "completed"),
        CancelOrder:   to(refuse_to_cancel, "capturing"),
        OrderDeadline: to(stay, "capturing", asks_again=True, because="what must happen is asked for again"),
    }),
    "paid": State(asks=OrderPaid, passes_to="completed"),  # nothing is to be shipped
    "completed": State(final=True, asks=OrderCompleted, on={
        StockBooked:   to(learn, "completed"),
        MoneyHeld:     to(learn, "completed"),
        MoneyCaptured: to(learn, "completed"),
        CancelOrder:   to(refuse_to_cancel, "completed"),
        OrderDeadline: to(stay, "completed", because="the deadline lost its race"),
    }),
    # What comes late is harmless: OrderCancelled has made stock and wallet let go of every attempt, come or to come.
    "cancelled": State(final=True, asks=OrderCancelled, on={
        StockBooked:   to(learn, "cancelled"),
        StockRefused:  to(learn, "cancelled"),
        MoneyHeld:     to(learn, "cancelled"),
        MoneyRefused:  to(learn, "cancelled"),
        CancelOrder:   to(stay, "cancelled", because="it is what was wished"),
        OrderDeadline: to(stay, "cancelled", because="the deadline lost its race"),
    }),
}
# fmt: on


class UnlistedError(AssertionError):
    """A message that cannot come in this status came."""


def step(order: Order, message: Message[Any]) -> Decision:
    """What a message means to an order.  Raises UnlistedError where the table has no such pair."""
    transition = LIFECYCLE[order.status].on.get(type(message.body))
    if transition is None:
        raise UnlistedError(f"{order.order_id}: {message.type} came while {order.status}")
    if isinstance(message.body, OrderDeadline) and message.body.status != order.status:
        return _what_is_left(order, message.at)

    outcome = transition.rule(order, message.body)
    if isinstance(outcome, Refusal):
        return Decision(reply=outcome)

    way = _way(status_of(outcome))
    if way[-1] != order.status:
        if way[-1] not in transition.to:
            raise UnlistedError(f"{order.order_id}: {message.type} led from {order.status} to {way[-1]}")
        return _enter(way, outcome, message.at)
    if outcome is not order:
        return Decision(save=[replace(outcome, version=order.version + 1)])
    return Decision(send=[told(order, order.status)], timers=[_armed(order)]) if transition.asks_again else NOTHING


def _way(status: Status) -> tuple[Status, ...]:
    """This status, and those that it passes to at once."""
    onward = LIFECYCLE[status].passes_to
    return (status,) if onward is None else (status, *_way(onward))


def _enter(way: tuple[Status, ...], order: Order, at: datetime) -> Decision:
    """Move to the end of this way, telling every status on it."""
    after = replace(order, version=order.version + 1, status=way[-1], changed_at=at)
    timers = [_armed(after)] if order.status == "new" else [Disarm(DEADLINE)] if LIFECYCLE[way[-1]].final else []
    return Decision(save=[after], send=[told(after, status) for status in way], timers=timers)


def _armed(order: Order, passed_s: float = 0) -> Arm:
    """The deadline of the order's status, of whose time so much has passed."""
    deadline_s = LIFECYCLE[order.status].deadline_s or 0
    return Arm(DEADLINE, max(0, deadline_s - passed_s), OrderDeadline(order.order_id, order.status))


def _what_is_left(order: Order, at: datetime) -> Decision:
    """The order has left behind the status whose deadline this is."""
    if LIFECYCLE[order.status].final:
        return NOTHING
    return Decision(timers=[_armed(order, (at - order.changed_at).total_seconds())])


def told(order: Order, status: Status) -> OrderMessage:
    """What entering a status says to the other services."""
    kind = LIFECYCLE[status].asks
    if kind is None:
        raise AssertionError(f"entering {status} says nothing")
    same = (
        order.order_id,
        order.version,
        status,
        order.customer_id,
        order.attempt,
        order.lines,
        order.total_minor,
        order.currency,
    )
    if issubclass(kind, PaymentRequest):
        return kind(*same, order.attempt, order.total_minor)
    if kind is not OrderCancelled:
        return kind(*same)
    if order.reason is None:
        raise AssertionError(f"{order.order_id} is cancelled without a reason")
    lacked = order.shortfall or Shortfall()
    available_minor = lacked.available_minor if lacked.money == "insufficient_funds" else None
    return OrderCancelled(*same, order.reason, lacked.short, available_minor)


def emitted_for(kind: type[Body]) -> tuple[type[Body], ...]:
    """All that a message may cause: read off the table."""
    cells = [state.on[kind] for state in LIFECYCLE.values() if kind in state.on]
    entered = {passed for cell in cells for target in cell.to for passed in _ways_to(target)}
    asked = {LIFECYCLE[status].asks for status in entered}
    return tuple(sorted({OrderDeadline, *filter(None, asked)}, key=lambda one: one.__name__))


def _ways_to(status: Status) -> set[Status]:
    """A status, and those that pass to it."""
    return {status, *(before for before, state in LIFECYCLE.items() if state.passes_to == status)}
