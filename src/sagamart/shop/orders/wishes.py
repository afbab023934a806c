"""Wishes about a placed order: who may have them, and what they get to see."""

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from sagamart.contracts.payments import PaymentCaptured, PaymentHeld
from sagamart.messaging.decision import Arm, Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.messaging.operator_actions import DecidedAction, OperatorAction
from sagamart.shop.orders.facts import fact_of
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import (
    CancelOrder,
    ChangeOrder,
    LateMoney,
    MoveOrder,
    OrderWish,
    PayOrder,
    ReturnItems,
    late_money,
)
from sagamart.shop.orders.paying import can_revive
from sagamart.shop.orders.records import Order, UnpaidOrders
from sagamart.shop.orders.stepping import step
from sagamart.shop.orders.view import link_to, view


class NotFound(Refusal, frozen=True):
    """There is no such order, or it is somebody else's."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such order"


class VersionChanged(Refusal, frozen=True):
    """The caller has seen an earlier version of it."""

    status: ClassVar[int] = 412
    title: ClassVar[str] = "It has changed meanwhile"

    version: int


class NotYourWallet(Refusal, frozen=True):
    """Only who owns a wallet spends from it: staff start payments through the bank, which the customer confirms."""

    status: ClassVar[int] = 403
    title: ClassVar[str] = "Only its owner pays from a wallet"


ACTS: Mapping[type[OrderWish], DecidedAction] = {
    PayOrder: "pay_order",
    ChangeOrder: "change_order",
    CancelOrder: "cancel_order",
    MoveOrder: "move_order",
    ReturnItems: "return_order",
}


def unheard(order: Order | None, asked: OrderWish) -> Refusal | None:
    """Why a wish is not even looked into; None where it is."""
    if order is None or not (asked.staff or order.customer_id == asked.caller_id):
        return NotFound()
    if asked.version is not None and asked.version != order.version:
        return VersionChanged(order.version)
    if isinstance(asked, PayOrder) and asked.source == "wallet" and asked.caller_id != order.customer_id:
        return NotYourWallet()
    return None


def grant(message: Message[Any], order: Order | None) -> Decision:
    """Do what is wished, if the lifecycle lets it.  The order is shown as it is then: 202 where it moves on from there.

    200: it has come to an end, or to where it waits for its customer.  What staff do to it is written down.
    """
    asked = message.body
    refusal = unheard(order, asked)
    if order is None or refusal is not None:
        return Decision(reply=refusal)
    decision = step(order, message)
    if decision.reply is not None:
        return decision
    after = next((row for row in decision.save if isinstance(row, Order)), order)
    plan = after.plan
    moves = plan.stopping is not None or plan.elsewhere is not None or not LIFECYCLE[after.status].settled
    reply = Reply(202 if moves else 200, view(after, asked.language), link_to(after.order_id))
    if after is order or not (asked.staff and asked.caller_id != order.customer_id):
        return replace(decision, reply=reply)
    return replace(decision, save=[*decision.save, _noted(message, order, after)], reply=reply)


def _noted(message: Message[Any], before: Order, after: Order) -> OperatorAction:
    asked = message.body
    why = asked.why if isinstance(asked, MoveOrder) else ""
    act = ACTS[type(asked)], before.order_id, asked.caller_id, why, message.at
    return OperatorAction(message.id, *act, before.status, after.status)


def take_money(
    message: Message[PaymentHeld] | Message[PaymentCaptured], order: Order, slots: UnpaidOrders | None
) -> Decision:
    """Money from the bank.  An order that it would revive needs a slot again: its own, or another one that is free.

    Where its own is gone, it takes a look of its own to see which of the others have been settled since.
    """
    if order.status != "cancelled":
        return step(order, message)
    if slots is not None and order.order_id in slots.order_ids:
        return _revived(message, order, slots)
    if slots is None or fact_of(message.body) in order.known or not can_revive(order, message.body):
        return step(_without_slot(order), message)
    return Decision(timers=[Arm(message.type, 0, late_money(order.customer_id, message.body))])


def seek_slot(message: Message[LateMoney], order: Order, slots: UnpaidOrders, earlier: Mapping[str, Order]) -> Decision:
    """Money from the bank for an order whose slot is gone: it takes one that is free.  `earlier` took the slots."""
    money = message.body.money
    told = replace(message, type=type(money).__name__, body=money)
    if order.status != "cancelled":
        return step(order, told)
    unpaid = tuple(sorted(one for one, other in earlier.items() if LIFECYCLE[other.status].unpaid))
    if len(unpaid) >= slots.orders_max:
        return step(_without_slot(order), told)
    return _revived(told, order, replace(slots, order_ids=(*unpaid, order.order_id)))


def _without_slot(order: Order) -> Order:
    return replace(order, plan=replace(order.plan, slot_lost=True))


def _revived(message: Message[Any], order: Order, slots: UnpaidOrders) -> Decision:
    """What money means to a cancelled order that may have these slots."""
    decision = step(order, message)
    revived = any(isinstance(row, Order) and row.status != "cancelled" for row in decision.save)
    return replace(decision, save=[*decision.save, replace(slots, version=slots.version + 1)]) if revived else decision
