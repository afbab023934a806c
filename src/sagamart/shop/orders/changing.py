"""Changing a placed order: other lines, or another delivery, as long as nothing is held or in flight.

A change is a new attempt: the code is redeemed and the goods are booked anew, and what was reserved before counts as
free for them.  Where they are not there, or the code does not count for them, the order is again what it was, with the
discount that it had.

An order takes `CHANGES_MAX` changes of lines, undone ones included, and its payment window does not open anew: nobody
keeps goods reserved by changing one's mind.
"""

from datetime import datetime
from typing import ClassVar

from msgspec.structs import replace

from sagamart.contracts.orders import Status
from sagamart.messaging.decision import Refusal
from sagamart.shop.orders.decide import fixed
from sagamart.shop.orders.messages import CHANGES_MAX, ChangeOrder
from sagamart.shop.orders.money import live
from sagamart.shop.orders.records import Content, Order


class NotChangeableNow(Refusal, frozen=True):
    """Lines and delivery are changed while the order waits for its first payment."""

    title: ClassVar[str] = "The order cannot be changed now"

    order_id: str
    order_status: Status


class TooManyChanges(Refusal, frozen=True):
    """An order takes so many changes of its lines, those that did not come about included."""

    title: ClassVar[str] = "The order has been changed too often"

    changes_max: int = CHANGES_MAX


def change(order: Order, message: ChangeOrder, _at: datetime) -> Order | Refusal:
    """Take on other lines or another delivery, which placing's guards have let pass."""
    if message.content is None:
        raise AssertionError(f"{order.order_id}: a change that nobody has priced")
    if live(order):
        return NotChangeableNow(order.order_id, order.status)
    now = Content(order.lines, order.plan.delivery, order.plan.discount_minor)
    wished = message.content
    if (wished.lines, wished.delivery) == (now.lines, now.delivery):
        return order

    if wished.lines == now.lines:
        return fixed(replace(order, plan=replace(order.plan, delivery=wished.delivery)), order.plan.discount_minor)
    if order.plan.changes >= CHANGES_MAX:
        return TooManyChanges()

    # From here the order has other lines.
    changes = order.plan.changes + 1
    plan = replace(order.plan, delivery=wished.delivery, before=now, undone=False, unmet=None, changes=changes)
    return fixed(replace(order, lines=wished.lines, plan=plan, attempt=order.attempt + 1), 0)


def refuse_to_change(order: Order, _message: ChangeOrder, _at: datetime) -> NotChangeableNow:
    """It is moving, or paid, or over."""
    return NotChangeableNow(order.order_id, order.status)
