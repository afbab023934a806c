"""The rows that shipping owns."""

from datetime import datetime
from typing import Literal

import msgspec

from sagamart.contracts.orders import Address, ChangeRefusal, ReturnedLine
from sagamart.contracts.shipping import ShipmentRefusal
from sagamart.messaging.records import Entry, Record, Table


class ParcelLimits(msgspec.Struct, frozen=True):
    """What one parcel may be at most; a side is its longest."""

    weight_g: int
    side_mm: int
    volume_cm3: int


class DeliveryMethod(Record, frozen=True):
    """A way to deliver.  It costs `price_minor`, and `per_kg_minor` for each started kilogram that is charged.

    `countries` are those that it serves (ISO 3166-1 alpha-2); none named: all.
    """

    method: str
    title_en: str
    title_ru: str
    price_minor: int
    per_kg_minor: int
    currency: str
    needs_shipment: bool
    needs_address: bool
    countries: tuple[str, ...]
    parcel_max: ParcelLimits
    active: bool


class ProductMeasures(Record, frozen=True):
    """What shipping knows of a product, as of the catalogue's version: grams, and millimetres where they are known."""

    sku: str
    catalogue_version: int
    weight_g: int
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None


class PackedPieces(msgspec.Struct, frozen=True):
    """So many pieces of the line at this place of the order (the first is 0)."""

    line: int
    quantity: int


class Parcel(msgspec.Struct, frozen=True):
    """What goes into one box."""

    weight_g: int
    volume_mm3: int
    pieces: tuple[PackedPieces, ...]


ShipmentStatus = Literal["pending", "refused", "stopped", "handed_over", "delivered", "returned"]


ENDED: tuple[ShipmentStatus, ...] = ("refused", "stopped", "delivered", "returned")
"""Nothing is on its way to the customer any more."""


class Shipment(Record, frozen=True):
    """How an order, which has one shipment, is sent.

    A stop that came first is a row too: a tombstone without parcels.  `pieces_back` of `pieces` have come back.
    `change_refusal`: why the last of so many `changes` of its address was refused.
    """

    shipment_id: str
    order_id: str
    customer_id: str
    method: str
    status: ShipmentStatus
    reason: ShipmentRefusal | None
    address: Address | None
    parcels: tuple[Parcel, ...]
    pieces: int
    pieces_back: int
    carrier: str
    tracking: str
    changed_at: datetime
    changes: int = 0
    change_refusal: ChangeRefusal | None = None


ReturnStatus = Literal["announced", "received"]


class Return(Record, frozen=True):
    """Pieces that a customer sends back: announced by orders, received by staff."""

    return_id: str
    order_id: str
    status: ReturnStatus
    returned: tuple[ReturnedLine, ...]


class HandOver(Entry, frozen=True):
    """The carrier took this parcel, and who saw it.  The key is the parcel's: it happens once."""

    parcel_id: str
    shipment_id: str
    carrier: str
    tracking: str
    by: str
    at: datetime


METHODS = Table(DeliveryMethod, "delivery_methods", key="method")
MEASURES = Table(ProductMeasures, "product_measures", key="sku")
SHIPMENTS = Table(Shipment, "shipments", key="shipment_id")
RETURNS = Table(Return, "returns", key="return_id")
HAND_OVERS = Table(HandOver, "hand_overs", key="parcel_id")


def shipment_id_of(order_id: str) -> str:
    """The one shipment of an order: `ord_…` -> `shp_…`."""
    return f"shp_{order_id.removeprefix('ord_')}"
