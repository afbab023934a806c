"""Having a paid order brought to another address, by the same way and at the same price, as long as its parcel is here.

Shipping decides on the shipment's row, as it does of a stop: before the hand-over the parcel goes elsewhere, after it
where it was to go.  Until it has answered, the order keeps its address.
"""

from datetime import datetime
from typing import ClassVar

from msgspec.structs import replace

from sagamart.contracts.orders import Status
from sagamart.messaging.decision import Refusal
from sagamart.shop.orders.messages import ChangeOrder
from sagamart.shop.orders.records import Order


class OnlyTheAddress(Refusal, frozen=True):
    """What is paid has its lines, its way and its price; where the parcel goes may be mended."""

    title: ClassVar[str] = "Of a paid order only the address can be changed"

    order_id: str
    order_status: Status


class TooLateToReaddress(Refusal, frozen=True):
    """The parcel has left, or is being stopped."""

    title: ClassVar[str] = "The order's parcel cannot go elsewhere any more"

    order_id: str


class AnotherChangeUnderWay(Refusal, frozen=True):
    """One change after the other: shipping has not answered to the last one yet."""

    title: ClassVar[str] = "The address is being changed already"

    order_id: str


def readdress(order: Order, message: ChangeOrder, _at: datetime) -> Order | Refusal:
    """Ask shipping for another address."""
    plan, wished = order.plan, message.delivery
    if plan.delivery is None or wished is None or message.lines is not None or wished.address is None:
        return OnlyTheAddress(order.order_id, order.status)
    if wished.method != plan.delivery.method:
        return OnlyTheAddress(order.order_id, order.status)
    if plan.stopping is not None or order.shipment("handed_over", "delivered", "stopped", "shipment_refused"):
        return TooLateToReaddress(order.order_id)
    if wished.address == (plan.elsewhere or plan.delivery.address):
        return order
    if plan.elsewhere is not None:
        return AnotherChangeUnderWay(order.order_id)

    # From here shipping is asked.
    redirections = plan.redirections + 1
    return replace(order, plan=replace(plan, elsewhere=wished.address, redirections=redirections, kept=None))
