"""What shipping tells."""

from typing import Literal

from sagamart.contracts.orders import ReturnedLine
from sagamart.messaging.message import Body

ShipmentRefusal = Literal["unknown_method", "address_not_served", "too_heavy", "stopped"]


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


class ReturnReceived(ShipmentFact, frozen=True):
    """These pieces are back, as had been announced."""

    return_id: str
    returned: tuple[ReturnedLine, ...]
