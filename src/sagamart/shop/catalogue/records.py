"""The rows that the catalogue owns."""

from datetime import datetime

from sagamart.messaging.records import Entry, Record, Table


class Product(Record, frozen=True):
    """What is sold under one sku.  Weight in grams, lengths in millimetres, tax in basis points of the price."""

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


class Price(Entry, frozen=True):
    """What a sku has cost from a moment on, and who said so."""

    price_id: str
    sku: str
    price_minor: int
    currency: str
    since: datetime
    by: str


PRODUCTS = Table(Product, "products", key="sku")
PRICES = Table(Price, "prices", key="price_id")
