"""What people see of a shipment."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from sagamart.contracts.orders import Address
from sagamart.contracts.shipping import ShipmentRefusal
from sagamart.shop.shipping.messages import Language
from sagamart.shop.shipping.records import Parcel, Shipment, ShipmentStatus

STATES: Mapping[ShipmentStatus, Mapping[Language, str]] = {
    "pending": {"en": "Being prepared", "ru": "Собирается"},
    "refused": {"en": "Cannot be sent", "ru": "Не может быть отправлен"},
    "stopped": {"en": "Stopped", "ru": "Остановлен"},
    "handed_over": {"en": "On its way", "ru": "В пути"},
    "delivered": {"en": "Delivered", "ru": "Доставлен"},
    "returned": {"en": "Returned", "ru": "Возвращён"},
}
"""A status in the customer's words."""


class ShipmentView(msgspec.Struct, frozen=True):
    """A shipment with its tracking number, as its customer and the staff see it."""

    id: str
    order_id: str
    status: ShipmentStatus
    state: str
    reason: ShipmentRefusal | None
    method: str
    carrier: str
    tracking: str
    address: Address | None
    parcels: tuple[Parcel, ...]
    pieces_back: int
    changed_at: datetime
    version: int


def view(shipment: Shipment, language: Language) -> ShipmentView:
    """A shipment in the reader's language."""
    return ShipmentView(
        id=shipment.shipment_id,
        order_id=shipment.order_id,
        status=shipment.status,
        state=STATES[shipment.status][language],
        reason=shipment.reason,
        method=shipment.method,
        carrier=shipment.carrier,
        tracking=shipment.tracking,
        address=shipment.address,
        parcels=shipment.parcels,
        pieces_back=shipment.pieces_back,
        changed_at=shipment.changed_at,
        version=shipment.version,
    )
