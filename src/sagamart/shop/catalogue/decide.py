"""The rules of the catalogue."""

from typing import ClassVar

import msgspec
from msgspec import UNSET

from sagamart.contracts.catalogue import ProductChanged
from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.catalogue.messages import ChangeProduct, CreateProduct
from sagamart.shop.catalogue.records import Price, Product


class SkuTaken(Refusal, frozen=True):
    """A sku names one product, for ever."""

    title: ClassVar[str] = "There is a product with this sku already"

    sku: str


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
    made = Product(1, **{field: getattr(body, field) for field in Product.__struct_fields__ if field != "version"})
    return Decision(
        save=[made, _price(message, made)], send=[_changed(made)], reply=Reply(201, made, f"/v1/products/{made.sku}")
    )


def change(message: Message[ChangeProduct], product: Product | None) -> Decision:
    """Change some of a product.  What changes nothing makes no new version."""
    body = message.body
    if product is None:
        return Decision(reply=UnknownProduct(body.sku))
    if body.expected_version != product.version:
        return Decision(reply=VersionChanged(product.version))
    if body.price_minor is UNSET and body.currency not in (UNSET, product.currency):
        return Decision(reply=CurrencyWithoutPrice(product.currency))
    wanted = msgspec.structs.replace(product, **_set_fields(body))
    if wanted == product:
        return Decision(reply=Reply(200, product))

    after = msgspec.structs.replace(wanted, version=product.version + 1)
    repriced = (after.price_minor, after.currency) != (product.price_minor, product.currency)
    return Decision(
        save=[after, _price(message, after)] if repriced else [after],
        send=[_changed(after)],
        reply=Reply(200, after),
    )


def _set_fields(change: ChangeProduct) -> dict[str, object]:
    named = ((field, getattr(change, field, UNSET)) for field in Product.__struct_fields__)
    return {field: value for field, value in named if value is not UNSET}


def _price(message: Message[CreateProduct] | Message[ChangeProduct], product: Product) -> Price:
    return Price(message.id, product.sku, product.price_minor, product.currency, message.at, message.body.by)


def _changed(product: Product) -> ProductChanged:
    told = (getattr(product, field) for field in ProductChanged.__struct_fields__)
    return ProductChanged(*told)
