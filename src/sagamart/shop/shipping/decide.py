"""The rules of shipments.  Each takes a message and the records that it asked for, and says what follows.

- An order has one shipment, for ever: a repeated request is answered with how far it is now.
- A stop succeeds before the hand-over and is refused after it.  Both change one row: exactly one of them wins.
- So it is with another address: before the hand-over the parcel goes there, after it where it was to go.
- A stop that overtakes its request leaves a row that refuses the request when it comes.
- A parcel is handed over once: here, and by the key of the journal.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, assert_never

from msgspec.structs import replace

from sagamart.contracts.order_requests import (
    ReturnRequested,
    ShipmentChangeRequested,
    ShipmentRequested,
    ShipmentStopRequested,
)
from sagamart.contracts.orders import ChangeRefusal, Delivery, DeliveryReported, Line
from sagamart.contracts.shipping import (
    ReturnReceived,
    ShipmentCannotBeChanged,
    ShipmentCannotBeStopped,
    ShipmentChanged,
    ShipmentDelivered,
    ShipmentFact,
    ShipmentHandedOver,
    ShipmentPending,
    ShipmentRefusal,
    ShipmentRefused,
    ShipmentStopped,
)
from sagamart.messaging.decision import NOTHING, Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.shipping.messages import ConfirmDelivery, HandOverShipment, Language, ReceiveReturn
from sagamart.shop.shipping.parcels import Wanted, pack
from sagamart.shop.shipping.records import (
    DeliveryMethod,
    HandOver,
    ProductMeasures,
    Return,
    Shipment,
    ShipmentStatus,
    shipment_id_of,
)
from sagamart.shop.shipping.view import view


class UnknownShipment(Refusal, frozen=True):
    """There is no such shipment."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such shipment"

    shipment_id: str


class UnknownReturn(Refusal, frozen=True):
    """Nothing was announced to come back under this name."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such return of this shipment"

    return_id: str


class NotPending(Refusal, frozen=True):
    """Only what is here, and was neither stopped nor refused, is handed over; and once."""

    title: ClassVar[str] = "The shipment cannot be handed over"

    shipment_id: str
    shipment_status: ShipmentStatus


class NotHandedOver(Refusal, frozen=True):
    """What has not left cannot arrive or come back."""

    title: ClassVar[str] = "The shipment is not on its way"

    shipment_id: str
    shipment_status: ShipmentStatus


class MoreThanSent(Refusal, frozen=True):
    """No more pieces come back than were sent."""

    title: ClassVar[str] = "That is more than was sent and has not come back"

    pieces: int
    pieces_max: int


def request(
    message: Message[ShipmentRequested],
    shipment: Shipment | None,
    method: DeliveryMethod | None,
    measures: Mapping[str, ProductMeasures],
) -> Decision:
    """Make the parcels of a paid order, or say why there will be none."""
    if shipment is not None:
        return Decision(send=[_progress(shipment)])
    body = message.body
    parcels = pack(wanted_pieces(body.lines), measures, method.parcel_max) if method is not None else None
    reason = _refused(body.delivery, method)
    if reason is None and parcels is None:
        reason = "too_heavy"
    made = _new(message, "pending" if reason is None else "refused", reason)
    if reason is None:
        made = replace(made, parcels=parcels or (), pieces=sum(line.quantity for line in body.lines))
    made = replace(made, method=body.delivery.method, address=body.delivery.address)
    return Decision(save=[made], send=[_progress(made)])


def stop(message: Message[ShipmentStopRequested], shipment: Shipment | None) -> Decision:
    """Keep the parcels here, if they are; what was not asked for yet will be refused."""
    if shipment is None:
        tombstone = _new(message, "stopped", "stopped")
        return Decision(save=[tombstone], send=[ShipmentStopped(tombstone.order_id)])
    match shipment.status:
        case "pending":
            return Decision(save=[_moved(shipment, "stopped", message.at)], send=[ShipmentStopped(shipment.order_id)])
        case "stopped" | "refused":
            return Decision(send=[ShipmentStopped(shipment.order_id)])
        case "handed_over" | "delivered" | "returned":
            return Decision(send=[ShipmentCannotBeStopped(shipment.order_id)])
        case _:
            assert_never(shipment.status)


def change(
    message: Message[ShipmentChangeRequested], shipment: Shipment | None, method: DeliveryMethod | None
) -> Decision:
    """Send the parcels to another address, if they are here and the method goes there."""
    body = message.body
    if shipment is None:
        raise AssertionError(f"{body.order_id} is to go elsewhere, but nothing of it is here")
    if body.change < shipment.changes:
        return NOTHING  # it was answered before the next one was asked for
    if body.change == shipment.changes:
        return Decision(send=[_changed(shipment)])
    refusal: ChangeRefusal | None = None
    if shipment.status != "pending":
        refusal = "not_here"
    elif _refused(body.delivery, method) is not None:
        refusal = "address_not_served"
    address = shipment.address if refusal is not None else body.delivery.address
    after = replace(
        shipment, version=shipment.version + 1, address=address, changes=body.change, change_refusal=refusal
    )
    return Decision(save=[after], send=[_changed(after)])


def hand_over(message: Message[HandOverShipment], shipment: Shipment | None) -> Decision:
    """The carrier takes all parcels of a shipment."""
    body = message.body
    if shipment is None:
        return Decision(reply=UnknownShipment(body.shipment_id))
    if shipment.status != "pending":
        return Decision(reply=NotPending(body.shipment_id, shipment.status))

    # From here the parcels are gone.
    gone = replace(_moved(shipment, "handed_over", message.at), carrier=body.carrier, tracking=body.tracking)
    taken = [
        HandOver(f"{body.shipment_id}-{number}", body.shipment_id, body.carrier, body.tracking, body.by, message.at)
        for number in range(1, len(gone.parcels) + 1)
    ]
    return Decision(save=[gone, *taken], send=[_progress(gone)], reply=_shown(gone, body.language))


def confirm_delivery(message: Message[ConfirmDelivery], shipment: Shipment | None) -> Decision:
    """The customer has it."""
    body = message.body
    if shipment is None:
        return Decision(reply=UnknownShipment(body.shipment_id))
    if shipment.status != "handed_over":
        return Decision(reply=NotHandedOver(body.shipment_id, shipment.status))
    arrived = _moved(shipment, "delivered", message.at)
    return Decision(save=[arrived], send=[_progress(arrived)], reply=_shown(arrived, body.language))


def note_delivery(message: Message[DeliveryReported], shipment: Shipment | None) -> Decision:
    """Staff have said so of the order, which has heard of the hand-over."""
    if shipment is None or shipment.status in {"pending", "refused", "stopped"}:
        raise AssertionError(f"{message.body.order_id} is said to be delivered, but was never handed over")
    if shipment.status != "handed_over":
        return NOTHING
    arrived = _moved(shipment, "delivered", message.at)
    return Decision(save=[arrived], send=[_progress(arrived)])


def expect_return(message: ReturnRequested, known: Return | None) -> Decision:
    """Note what is announced to come back; say so again where it is here."""
    if known is None:
        return Decision(save=[Return(1, message.return_id, message.order_id, "announced", message.returned)])
    return Decision(send=[_received(known)]) if known.status == "received" else NOTHING


def receive_return(message: Message[ReceiveReturn], shipment: Shipment | None, known: Return | None) -> Decision:
    """What was announced is here.  A shipment is returned once all of it is."""
    body = message.body
    if shipment is None:
        return Decision(reply=UnknownShipment(body.shipment_id))
    if known is None or known.order_id != shipment.order_id:
        return Decision(reply=UnknownReturn(body.return_id))
    if known.status == "received":
        return Decision(reply=_shown(shipment, body.language))
    if shipment.status not in {"handed_over", "delivered"}:
        return Decision(reply=NotHandedOver(body.shipment_id, shipment.status))
    pieces = sum(line.quantity for line in known.returned)
    out = shipment.pieces - shipment.pieces_back
    if pieces > out:
        return Decision(reply=MoreThanSent(pieces, out))

    # From here the pieces are back.
    here = replace(known, version=known.version + 1, status="received")
    status: ShipmentStatus = "returned" if pieces == out else shipment.status
    after = replace(_moved(shipment, status, message.at), pieces_back=shipment.pieces_back + pieces)
    return Decision(save=[after, here], send=[_received(here)], reply=_shown(after, body.language))


def wanted_pieces(lines: tuple[Line, ...]) -> list[Wanted]:
    """What has to go into parcels."""
    return [Wanted(place, line.sku, line.quantity) for place, line in enumerate(lines)]


def skus_of(lines: tuple[Line, ...]) -> list[str]:
    """The products among the lines."""
    return sorted({line.sku for line in lines if line.sku is not None})


def serves(method: DeliveryMethod, country: str | None) -> bool:
    """Whether the method goes there; None: it is not said where."""
    return not method.countries or country is None or country in method.countries


def _refused(delivery: Delivery, method: DeliveryMethod | None) -> ShipmentRefusal | None:
    """Why nothing can be sent.  A method that is no longer offered still sends what was ordered by it."""
    if method is None:
        return "unknown_method"
    if delivery.address is None:
        return "address_not_served" if method.needs_address else None
    return None if serves(method, delivery.address.country) else "address_not_served"


def _progress(shipment: Shipment) -> ShipmentFact:
    shipment_id, customer_id = shipment.shipment_id, shipment.customer_id
    match shipment.status:
        case "pending":
            return ShipmentPending(shipment.order_id, shipment_id, customer_id)
        case "handed_over" | "returned":  # what is back may never have been delivered
            return ShipmentHandedOver(shipment.order_id, shipment_id, shipment.tracking, customer_id)
        case "delivered":
            return ShipmentDelivered(shipment.order_id, shipment_id)
        case "stopped" if shipment.reason is None:
            return ShipmentStopped(shipment.order_id)
        case "stopped" | "refused":
            return ShipmentRefused(shipment.order_id, shipment.reason or "stopped")
        case _:
            assert_never(shipment.status)


def _changed(shipment: Shipment) -> ShipmentFact:
    if shipment.change_refusal is None:
        return ShipmentChanged(shipment.order_id, shipment.changes)
    return ShipmentCannotBeChanged(shipment.order_id, shipment.changes, shipment.change_refusal)


def _received(one: Return) -> ReturnReceived:
    return ReturnReceived(one.order_id, one.return_id, one.returned)


def _new(
    message: Message[ShipmentRequested] | Message[ShipmentStopRequested],
    status: ShipmentStatus,
    reason: ShipmentRefusal | None,
) -> Shipment:
    body = message.body
    return Shipment(
        version=1,
        shipment_id=shipment_id_of(body.order_id),
        order_id=body.order_id,
        customer_id=body.customer_id,
        method="",
        status=status,
        reason=reason,
        address=None,
        parcels=(),
        pieces=0,
        pieces_back=0,
        carrier="",
        tracking="",
        changed_at=message.at,
    )


def _moved(shipment: Shipment, status: ShipmentStatus, at: datetime) -> Shipment:
    return replace(shipment, version=shipment.version + 1, status=status, changed_at=at)


def _shown(shipment: Shipment, language: Language) -> Reply:
    return Reply(200, view(shipment, language))
