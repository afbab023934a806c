"""One step of an order: what a message means to it, read off the table in `lifecycle.py`.

- The order after it has the status that follows from what it knows; the table says which of them may follow.
- It tells what entering that status tells, and asks for what it had not asked for before.
- It has one timer, armed when it is placed, disarmed when it ends.  A firing that finds the order further on arms what
  is left of the present status's time: an order that takes its way at once arms one timer and not one a status.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from sagamart.contracts.orders import OrderMessage, PaymentAwaited, Status
from sagamart.messaging.decision import NOTHING, Arm, Decision, Disarm, Refusal
from sagamart.messaging.message import Body, Message
from sagamart.shop.orders.asking import Ask, Asks
from sagamart.shop.orders.decide import status_of, with_payment
from sagamart.shop.orders.lifecycle import BOOKING_S, LIFECYCLE, Transition
from sagamart.shop.orders.messages import OrderDeadline
from sagamart.shop.orders.money import Counted, live
from sagamart.shop.orders.paying import ends_at, lapses_at
from sagamart.shop.orders.records import Order
from sagamart.shop.orders.telling import news, request

DEADLINE = "deadline"
"""The one timer of an order."""


class UnlistedError(AssertionError):
    """A message that cannot come in this status came."""


def step(order: Order, message: Message[Any]) -> Decision:
    """What a message means to an order.  Raises UnlistedError where the table has no such way."""
    body, at = message.body, message.at
    cell = LIFECYCLE[order.status].on[type(body)]
    if cell.rule is None:
        raise UnlistedError(f"{order.order_id}: {message.type} came while {order.status}, but {cell.because}")
    if isinstance(body, OrderDeadline) and body.status != order.status:
        return NOTHING if LIFECYCLE[order.status].final else Decision(timers=[_armed(order, at)])

    outcome = cell.rule(order, body, at)
    if isinstance(outcome, Refusal):
        return Decision(reply=outcome)
    if outcome is order and order.version:
        return _again(order, cell, at) if isinstance(body, OrderDeadline) else NOTHING
    return _moved(order, outcome, cell, message)


def _moved(before: Order, learned: Order, cell: Transition, message: Message[Any]) -> Decision:
    """The order as it is then, and all that follows from its being so."""
    payments = live(learned)
    status = status_of(learned, payments)
    changed_at = learned.changed_at
    if status != before.status:
        if status not in cell.to:
            raise UnlistedError(f"{before.order_id}: {message.type} led from {before.status} to {status}")
        if learned.plan.terms.later:
            learned = _having_waited(before, learned, message.at)
        changed_at = message.at
    after = replace(learned, version=before.version + 1, status=status, changed_at=changed_at)
    fresh = _fresh(before, after, payments)
    if fresh:
        after = _asked(after, fresh)
    send = _told(before, after, cell, message)
    send += [request(ask, after) for ask in fresh]
    return Decision(save=[after], send=send, timers=_timers(before, after, message))


def _again(order: Order, cell: Transition, at: datetime) -> Decision:
    """The deadline has passed and changed nothing."""
    if LIFECYCLE[order.status].final:
        return NOTHING
    send = [request(ask, order) for ask in _asks(order)] if cell.again else []
    return Decision(send=send, timers=[_armed(replace(order, changed_at=at) if cell.again else order, at)])


def _asks(order: Order) -> list[Ask]:
    """What the order asks for in its status."""
    payments = live(order)
    return [ask for asks in LIFECYCLE[order.status].asks for ask in asks.of(order, payments)]


def _fresh(before: Order, after: Order, payments: Sequence[Counted]) -> list[Ask]:
    """What it asks for that it did not ask for before."""
    begun, going_on = TURNS[before.status if before.version else None, after.status]
    fresh = [ask for asks in begun for ask in asks.of(after, payments)]
    for asks in going_on:
        now = asks.of(after, payments)
        if now:
            known = asks.of(before, live(before))
            fresh += [ask for ask in now if ask not in known]
    return fresh


def _turn(before: Status | None, after: Status) -> tuple[Sequence[Asks], Sequence[Asks]]:
    earlier = LIFECYCLE[before].asks if before is not None else ()
    now = LIFECYCLE[after].asks
    return [asks for asks in now if asks not in earlier], [asks for asks in now if asks in earlier]


TURNS = {(before, after): _turn(before, after) for before in (None, *LIFECYCLE) for after in LIFECYCLE}
"""What an order begins to ask between two statuses, and what it goes on asking; before its first it asks nothing."""


def _asked(order: Order, fresh: list[Ask]) -> Order:
    """Note which payments have been asked for."""
    for ask in fresh:
        if ask.holds:
            order = with_payment(order, ask.number, replace(order.payments[ask.number - 1], asked=True))
    return order


def _told(before: Order, after: Order, cell: Transition, message: Message[Any]) -> list[OrderMessage]:
    """What everybody is told: of the message itself, and of every status on the way, each once."""
    body = message.body
    told = [] if cell.tells is None else [news(cell.tells, after, after.status, body)]
    if after.status != before.status or not before.version:
        for status in _way(before.status, after.status):
            kind = LIFECYCLE[status].tells
            if kind is not None and kind is not cell.tells:
                told.append(news(kind, after, status, body))
    elif cell.tells is PaymentAwaited:
        told = [_with_time_left(one, after, message.at) for one in told]
    return [one for one in told if one is not None]


def _with_time_left(told: Any, order: Order, at: datetime) -> Any:
    """What is due has changed while it was awaited already: so much less time is left."""
    return replace(told, window_s=max(1, int((due_at(order) - at).total_seconds())))


def _way(before: Status, after: Status) -> tuple[Status, ...]:
    by = LIFECYCLE[after].by
    return (after,) if by is None or not LIFECYCLE[before].unpaid else (by, after)


# -- time --------------------------------------------------------------------------------------------------------------


def _timers(before: Order, after: Order, message: Message[Any]) -> list[Arm | Disarm]:
    if LIFECYCLE[after.status].final:
        return [] if LIFECYCLE[before.status].final else [Disarm(DEADLINE)]
    begins = not before.version or LIFECYCLE[before.status].final
    bounded = after.plan.terms.later and isinstance(LIFECYCLE[after.status].deadline, str)
    # such a time may be shorter than what is armed
    waits = bounded and (after.status != before.status or lapses_at(after) != lapses_at(before))
    fired = isinstance(message.body, OrderDeadline)
    return [_armed(after, message.at)] if begins or waits or fired else []


def _having_waited(before: Order, learned: Order, at: datetime) -> Order:
    """The order leaves its status: where it waited for its customer there, so much less is left of the window."""
    if LIFECYCLE[before.status].deadline != "window":
        return learned
    waited_s = learned.plan.waited_s + max(0, (at - before.changed_at).total_seconds())
    return replace(learned, plan=replace(learned.plan, waited_s=waited_s))


def _armed(order: Order, at: datetime) -> Arm:
    left_s = (due_at(order) - at).total_seconds()
    return Arm(DEADLINE, max(0, left_s), OrderDeadline(order.order_id, order.status))


def due_at(order: Order) -> datetime:
    """When the order's status must have been left.  Deadlines end before the earliest hold lapses."""
    deadline = LIFECYCLE[order.status].deadline
    if deadline == "window":
        due = order.changed_at + timedelta(seconds=order.plan.window_left_s)
    elif deadline == "attempt":
        ends = [ends_at(order, one.payment) for one in live(order) if one.standing == "in_flight"]
        due = min(ends, default=order.changed_at + timedelta(seconds=BOOKING_S))
    else:
        due = order.changed_at + timedelta(seconds=deadline or 0)
    lapse = lapses_at(order) if deadline in {"window", "attempt"} else None
    return due if lapse is None else min(due, lapse)


# -- what the table says -----------------------------------------------------------------------------------------------


def emitted_for(kind: type[Body]) -> tuple[type[Body], ...]:
    """All that a message may cause: read off the table."""
    emitted: set[type[Body] | None] = {OrderDeadline}
    for status, state in LIFECYCLE.items():
        cell = state.on[kind]
        emitted.add(cell.tells)
        for target in (status, *cell.to) if cell.rule is not None else ():
            emitted.update(asked for asks in LIFECYCLE[target].asks for asked in asks.kinds)
        for target in set(cell.to) - {status}:
            emitted.update(LIFECYCLE[passed].tells for passed in (target, LIFECYCLE[target].by) if passed is not None)
    return tuple(sorted(filter(None, emitted), key=lambda one: one.__name__))
