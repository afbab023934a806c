"""Ending an order by wish: cancelling it while it can be undone, and stopping its shipment first where it is paid."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from msgspec.structs import replace

from sagamart.contracts.orders import CancelReason, Status
from sagamart.messaging.decision import Refusal
from sagamart.shop.orders.decide import Rule
from sagamart.shop.orders.messages import MoveOrder, OrderWish
from sagamart.shop.orders.records import SHIPMENT, Fact, Order


class TooLateToCancel(Refusal, frozen=True):
    """The money is being taken, or the goods are out of the house: the order can only go on."""

    title: ClassVar[str] = "The order is past the point where it can be cancelled"

    order_id: str
    order_status: Status


class MoveNotAllowed(Refusal, frozen=True):
    """Staff move an order only where its lifecycle leads by their word alone."""

    title: ClassVar[str] = "The order cannot be moved there"

    order_id: str
    order_status: Status
    to: Status
    allowed: tuple[Status, ...]


def cancel(order: Order, message: OrderWish, _at: datetime) -> Order:
    """Whoever owns the order, or works here, may call it off."""
    return replace(order, reason=_reason(order, message))


def stop(order: Order, message: OrderWish, _at: datetime) -> Order | Refusal:
    """The order is paid: it is cancelled once shipping has stopped the parcel, if it still can."""
    if order.shipment("handed_over", "delivered", "cannot_be_stopped"):
        return TooLateToCancel(order.order_id, order.status)
    if order.plan.stopping is not None:
        return order
    return replace(order, plan=replace(order.plan, stopping=_reason(order, message)))


def refuse_to_cancel(order: Order, _message: OrderWish, _at: datetime) -> TooLateToCancel:
    """What cannot be undone is not cancelled."""
    return TooLateToCancel(order.order_id, order.status)


def deliver(order: Order, _message: MoveOrder, _at: datetime) -> Order | Refusal:
    """Staff know that the customer has it; shipping is told (`DeliveryReported`)."""
    if order.plan.stopping is not None or order.shipment("stopped", "shipment_refused"):
        return TooLateToDeliver(order.order_id)
    if not order.shipment("handed_over"):
        return NotHandedOverYet(order.order_id)
    return order.noting(Fact(SHIPMENT, "delivered"))


class TooLateToDeliver(Refusal, frozen=True):
    """The parcel is being stopped."""

    title: ClassVar[str] = "The order's shipment is being stopped"

    order_id: str


class NotHandedOverYet(Refusal, frozen=True):
    """A parcel that is still here has reached nobody: it could be sent after the order is complete."""

    title: ClassVar[str] = "The order's parcel has not been handed over yet"

    order_id: str


def move(allowed: Mapping[Status, Rule]) -> Rule:
    """A rule: staff move the order to one of these statuses, each by its own rule."""

    def rule(order: Order, message: MoveOrder, at: datetime) -> Order | Refusal:
        wished = allowed.get(message.to)
        if wished is None:
            return MoveNotAllowed(order.order_id, order.status, message.to, tuple(sorted(allowed)))
        return wished(order, message, at)

    return rule


def _reason(order: Order, message: OrderWish) -> CancelReason:
    return "cancelled_by_customer" if message.caller_id == order.customer_id else "cancelled_by_staff"
