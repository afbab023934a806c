"""What shipping tells."""

import math
from typing import Literal

from sagamart.contracts.orders import ChangeRefusal, ReturnedLine
from sagamart.messaging.message import Body

ShipmentRefusal = Literal["unknown_method", "address_not_served", "too_heavy", "stopped"]

VOLUME_MM3_PER_G = 5_000
"""5,000 cm3 to the kilogram: the volumetric weight of air and road carriers."""

G_PER_KG = 1_000


def charged_g(weight_g: int, *sides_mm: int | None) -> int:
    """What is charged of one piece, in grams: its weight, or the room it takes where that is more.

    A side that is not known (None) takes no room.
    """
    return max(weight_g, -(-math.prod(side or 0 for side in sides_mm) // VOLUME_MM3_PER_G))


def delivery_price_minor(price_minor: int, per_kg_minor: int, all_charged_g: int) -> int:
    """What delivery costs: shipping offers it, and orders fixes it, by the same rule."""
    return price_minor + per_kg_minor * -(-all_charged_g // G_PER_KG)


class DeliveryMethodChanged(Body, frozen=True):
    """A delivery method as of `version`, new or changed.  Copies keep the highest version that they have seen.

    `per_kg_minor` is added to the price for each started kilogram that is charged.
    """

    method: str
    version: int
    title_en: str
    title_ru: str
    price_minor: int
    currency: str
    needs_shipment: bool
    needs_address: bool
    active: bool
    per_kg_minor: int = 0

    @property
    def key(self) -> str:
        """The method."""
        return self.method


class ShipmentFact(Body, frozen=True):
    """Something that has become true of an order's one shipment."""

    order_id: str

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id


class ShipmentPending(ShipmentFact, frozen=True):
    """The parcel is being made ready."""

    shipment_id: str
    customer_id: str = ""


class ShipmentRefused(ShipmentFact, frozen=True):
    """There will be no shipment.  `stopped`: it was stopped before it had been asked for."""

    reason: ShipmentRefusal


class ShipmentHandedOver(ShipmentFact, frozen=True):
    """The carrier has the parcel: from now on it can only come back."""

    shipment_id: str
    tracking: str = ""
    customer_id: str = ""


class ShipmentDelivered(ShipmentFact, frozen=True):
    """The customer has the parcel.  It implies that it was handed over."""

    shipment_id: str


class ShipmentStopped(ShipmentFact, frozen=True):
    """The parcel stays here, as was asked."""


class ShipmentCannotBeStopped(ShipmentFact, frozen=True):
    """The parcel had been handed over before."""


class ShipmentChanged(ShipmentFact, frozen=True):
    """The parcel goes to the other address, as was asked."""

    change: int


class ShipmentCannotBeChanged(ShipmentFact, frozen=True):
    """The parcel goes where it was to go.  `not_here`: it had been handed over before, or will not be sent at all."""

    change: int
    reason: ChangeRefusal


class ReturnReceived(ShipmentFact, frozen=True):
    """These pieces are back, as had been announced."""

    return_id: str
    returned: tuple[ReturnedLine, ...]
