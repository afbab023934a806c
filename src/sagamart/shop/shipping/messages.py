"""What only shipping hears: the commands of its staff."""

from typing import Literal

from sagamart.messaging.message import Body
from sagamart.shop.shipping.records import ParcelLimits

Language = Literal["en", "ru"]


class SetMethod(Body, frozen=True):
    """A delivery method shall be so.  `expected_version` None: it is new."""

    method: str
    expected_version: int | None
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

    @property
    def key(self) -> str:
        """The method."""
        return self.method


class ShipmentCommand(Body, frozen=True):
    """Something that staff have seen of a shipment."""

    shipment_id: str
    by: str
    language: Language

    @property
    def key(self) -> str:
        """The shipment."""
        return self.shipment_id


class HandOverShipment(ShipmentCommand, frozen=True):
    """The carrier takes all its parcels, under this tracking number."""

    carrier: str
    tracking: str


class ConfirmDelivery(ShipmentCommand, frozen=True):
    """The customer has it."""


class ReceiveReturn(ShipmentCommand, frozen=True):
    """What was announced to come back is here."""

    return_id: str


class AboutForgotten(Body, frozen=True):
    """About a customer who is to be forgotten."""

    customer_id: str

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id


class ShipmentTracesSought(AboutForgotten, frozen=True):
    """An intent: look for shipments of this customer that name an address.  `first`: right after the erasure."""

    first: bool


class ShipmentTracesFound(AboutForgotten, frozen=True):
    """These have ended and still name one; `more`: there may be others, `open`: some are on their way."""

    first: bool
    shipment_ids: tuple[str, ...]
    open: bool
    more: bool


class ForgetShipmentsAgain(AboutForgotten, frozen=True):
    """It is time to look whether something is left to be forgotten."""
