"""The rules of the catalogue."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET

from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.stock import SkuFact, SkuSoldOut
from sagamart.messaging.decision import NOTHING, Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.catalogue.messages import (
    ChangeProduct,
    CreateProduct,
    HidePhoto,
    ImportProduct,
    ProductCommand,
    ShowPhoto,
)
from sagamart.shop.catalogue.records import Availability, Photo, Price, Product

RESERVED_SKUS = frozenset({"export", "import"})
"""Skus that would hide behind routes of these names."""

NEW_PRODUCT = {
    "description": "",
    "weight_g": 0,
    "length_mm": None,
    "width_mm": None,
    "height_mm": None,
    "tax_rate_bp": 0,
    "active": True,
}
"""What a row of a file need not say of a new product."""


class SkuTaken(Refusal, frozen=True):
    """A sku names one product, for ever."""

    title: ClassVar[str] = "There is a product with this sku already"

    sku: str


class SkuReserved(Refusal, frozen=True):
    """Some words have a meaning of their own in the addresses of products."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "This sku cannot be used"

    sku: str


class IncompleteProduct(Refusal, frozen=True):
    """A product that is new needs at least a title, a price and a currency."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "The product is new and lacks something"

    lacking: tuple[str, ...]


class UnknownProduct(Refusal, frozen=True):
    """There is no such product."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such product"

    sku: str


class VersionChanged(Refusal, frozen=True):
    """The caller saw another version than there is now."""

    status: ClassVar[int] = 412
    title: ClassVar[str] = "The product has changed meanwhile"

    version: int


class CurrencyWithoutPrice(Refusal, frozen=True):
    """Ten thousand in one currency is not ten thousand in another: a new currency needs its own price."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "Send the price in the new currency too"

    currency: str


def create(message: Message[CreateProduct], product: Product | None) -> Decision:
    """Put a product into the catalogue, under a sku that was never used."""
    body = message.body
    if product is not None:
        return Decision(reply=SkuTaken(body.sku))
    if body.sku in RESERVED_SKUS:
        return Decision(reply=SkuReserved(body.sku))
    made = Product(1, **_set_fields(body))
    return _made(message, made, Reply(201, made, f"/v1/products/{made.sku}"))


def change(message: Message[ChangeProduct], product: Product | None) -> Decision:
    """Change some of a product.  What changes nothing makes no new version."""
    body = message.body
    refusal = _stale(body, product)
    if product is None or refusal is not None:
        return Decision(reply=refusal)
    if _lacks_a_price(body, product):
        return Decision(reply=CurrencyWithoutPrice(product.currency))
    after = _after(product, _set_fields(body))
    return _changed_to(message, product, after, Reply(200, after))


def take_row(message: Message[ImportProduct], product: Product | None) -> Decision:
    """Make a product as a row of a file has it: 201 where it is new, 200 where it changed, 204 where nothing did."""
    body = message.body
    fields = _set_fields(body)
    if product is not None:
        if _lacks_a_price(body, product):
            return Decision(reply=CurrencyWithoutPrice(product.currency))
        after = _after(product, fields)
        return _changed_to(message, product, after, Reply(204 if after == product else 200))
    if body.sku in RESERVED_SKUS:
        return Decision(reply=SkuReserved(body.sku))
    lacking = tuple(field for field in ("title", "price_minor", "currency") if field not in fields)
    if lacking:
        return Decision(reply=IncompleteProduct(lacking))
    return _made(message, Product(1, **{**NEW_PRODUCT, **fields}), Reply(201))


def show_photo(message: Message[ShowPhoto], product: Product | None, photo: Photo | None) -> Decision:
    """Show a product by a photo.  The same bytes are kept once, however many products they show."""
    body = message.body
    refusal = _stale(body, product)
    if product is None or refusal is not None:
        return Decision(reply=refusal)
    after = _after(product, {"photo": body.photo_id})
    kept = [] if photo is not None else [Photo(1, body.photo_id, body.content)]
    return _changed_to(message, product, after, Reply(200, after), kept)


def hide_photo(message: Message[HidePhoto], product: Product | None) -> Decision:
    """Show a product without a photo.  The picture itself stays: copies of the page may still name it."""
    refusal = _stale(message.body, product)
    if product is None or refusal is not None:
        return Decision(reply=refusal)
    after = _after(product, {"photo": None})
    return _changed_to(message, product, after, Reply(200, after))


def take_availability(message: SkuFact, known: Availability | None) -> Decision:
    """Take over whether some of a sku is free.  What is older than what is known changes nothing."""
    if known is not None and message.version <= known.stock_version:
        return NOTHING
    version = 1 if known is None else known.version + 1
    return Decision(
        save=[Availability(version, message.sku, message.version, available=not isinstance(message, SkuSoldOut))]
    )


def _stale(body: ChangeProduct | ShowPhoto | HidePhoto, product: Product | None) -> Refusal | None:
    if product is None:
        return UnknownProduct(body.sku)
    return None if body.expected_version == product.version else VersionChanged(product.version)


def _lacks_a_price(body: ChangeProduct | ImportProduct, product: Product) -> bool:
    return body.price_minor is UNSET and body.currency not in (UNSET, product.currency)


def _after(product: Product, fields: Mapping[str, Any]) -> Product:
    """The product with these fields, at its next version if anything of it is new."""
    wanted = msgspec.structs.replace(product, **fields)
    return product if wanted == product else msgspec.structs.replace(wanted, version=product.version + 1)


def _made(message: Message[Any], made: Product, reply: Reply) -> Decision:
    return Decision(save=[made, _price(message, made)], send=[_changed(made)], reply=reply)


def _changed_to(
    message: Message[Any], before: Product, after: Product, reply: Reply, kept: Sequence[Photo] = ()
) -> Decision:
    if after == before:
        return Decision(reply=reply)
    repriced = (after.price_minor, after.currency) != (before.price_minor, before.currency)
    prices = [_price(message, after)] if repriced else []
    return Decision(save=[*kept, after, *prices], send=[_changed(after)], reply=reply)


def _set_fields(body: ProductCommand) -> dict[str, Any]:
    named = ((field, getattr(body, field, UNSET)) for field in Product.__struct_fields__)
    return {field: value for field, value in named if value is not UNSET}


def _price(message: Message[Any], product: Product) -> Price:
    return Price(message.id, product.sku, product.price_minor, product.currency, message.at, message.body.by)


def _changed(product: Product) -> ProductChanged:
    told = (getattr(product, field) for field in ProductChanged.__struct_fields__)
    return ProductChanged(*told)
