"""Wishes about a placed order: who may have them, and what they get to see."""

from typing import Any, ClassVar

from msgspec.structs import replace

from sagamart.contracts.payments import PaymentCaptured, PaymentHeld
from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import OrderWish
from sagamart.shop.orders.records import Order, UnpaidOrders
from sagamart.shop.orders.stepping import step
from sagamart.shop.orders.view import link_to, view


class NotFound(Refusal, frozen=True):
    """There is no such order, or it is somebody else's."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such order"


def is_of(order: Order, asked: OrderWish) -> bool:
    """Whether the caller may know of this order."""
    return asked.staff or order.customer_id == asked.caller_id


def grant(message: Message[Any], order: Order | None) -> Decision:
    """Do what is wished, if the lifecycle lets it.  The order is shown as it is then: 202 where it moves on from there.

    200: it has come to an end, or to where it waits for its customer.
    """
    asked = message.body
    if order is None or not is_of(order, asked):
        return Decision(reply=NotFound())
    decision = step(order, message)
    if decision.reply is not None:
        return decision
    after = next((row for row in decision.save if isinstance(row, Order)), order)
    moves = after.plan.stopping is not None or not LIFECYCLE[after.status].settled
    return replace(decision, reply=Reply(202 if moves else 200, view(after, asked.language), link_to(after.order_id)))


def take_money(
    message: Message[PaymentHeld] | Message[PaymentCaptured], order: Order, slots: UnpaidOrders | None
) -> Decision:
    """Money from the bank.  An order that it would revive needs its slot again, and another one may have it by now."""
    if order.status != "cancelled":
        return step(order, message)
    if slots is None or order.order_id not in slots.order_ids:
        return step(replace(order, plan=replace(order.plan, slot_lost=True)), message)
    decision = step(order, message)
    revived = any(isinstance(row, Order) and row.status != "cancelled" for row in decision.save)
    return replace(decision, save=[*decision.save, replace(slots, version=slots.version + 1)]) if revived else decision
