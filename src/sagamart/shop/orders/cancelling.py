"""Cancelling an order by request: who may, and what they get to see."""

from typing import ClassVar

from msgspec.structs import replace

from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.orders.lifecycle import step
from sagamart.shop.orders.messages import CancelOrder
from sagamart.shop.orders.records import Order
from sagamart.shop.orders.view import view


class NotFound(Refusal, frozen=True):
    """There is no such order, or it is somebody else's."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such order"


def call_off(message: Message[CancelOrder], order: Order | None) -> Decision:
    """Cancel an order of one's own, or as staff any.  The lifecycle says whether it can be undone still."""
    asked = message.body
    if order is None or not (asked.staff or order.customer_id == asked.caller_id):
        return Decision(reply=NotFound())

    decision = step(order, message)
    if decision.reply is not None:
        return decision
    after = next((row for row in decision.save if isinstance(row, Order)), order)
    return replace(decision, reply=Reply(200, view(after, asked.language)))
