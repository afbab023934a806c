"""The rows that the catalogue owns."""

from datetime import datetime

from sagamart.messaging.records import Entry, Record, Table


class Product(Record, frozen=True):
    """What is sold under one sku.  Weight in grams, lengths in millimetres, tax in basis points of the price.

    `photo` is the id of its photo.
    """

    sku: str
    title: str
    description: str
    price_minor: int
    currency: str
    weight_g: int
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    tax_rate_bp: int
    active: bool
    photo: str | None = None


class ShownProduct(Product, frozen=True):
    """A product as its readers see it: with whether some of it may be ordered, as far as the catalogue has heard."""

    available: bool = False


class Availability(Record, frozen=True):
    """Whether some of a sku is free, copied from stock as of its `stock_version` (0: it has told nothing yet)."""

    sku: str
    stock_version: int
    available: bool


class Price(Entry, frozen=True):
    """What a sku has cost from a moment on, and who said so."""

    price_id: str
    sku: str
    price_minor: int
    currency: str
    since: datetime
    by: str


class Photo(Record, frozen=True):
    """A picture under an id made of its SHA-256 and its type (`….png`): bytes are kept once, and never change."""

    photo_id: str
    content: bytes


PHOTOS = Table(Photo, "photos", key="photo_id")
PRODUCTS = Table(Product, "products", key="sku")
AVAILABILITIES = Table(Availability, "availabilities", key="sku")
PRICES = Table(Price, "prices", key="price_id")
