"""What stands before an order, and before a change of one: each rule a guard that gives a refusal named after it.

Prices are those of orders' own copies of products and delivery methods.  Whether the goods are there is decided by the
booking, after it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import msgspec

from sagamart.contracts.orders import Delivery, Line
from sagamart.contracts.shipping import delivery_price_minor
from sagamart.messaging.decision import Refusal
from sagamart.shop.orders.kept import newly, pieces_of, priced_anew, taken_over
from sagamart.shop.orders.messages import LINES_MAX, TOTAL_MINOR_MAX, PlacingRules, WantedDelivery, WantedLine, skus_of
from sagamart.shop.orders.records import DeliveryCopy, ProductCopy
from sagamart.shop.orders.view import link_to


class UnknownProduct(Refusal, frozen=True):
    """A line names a sku that is not in the catalogue."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "There is no such product"

    skus: tuple[str, ...]


class ProductInactive(Refusal, frozen=True):
    """A line names a product that is not for sale."""

    title: ClassVar[str] = "The product is not for sale now"

    skus: tuple[str, ...]


class ChangedPrice(msgspec.Struct, frozen=True):
    """The price that the client showed, and the one that holds."""

    sku: str
    shown_minor: int
    price_minor: int
    currency: str


class PriceChanged(Refusal, frozen=True):
    """The client showed another price than the one that holds now."""

    title: ClassVar[str] = "The price has changed"

    prices: tuple[ChangedPrice, ...]


class SoldOut(Refusal, frozen=True):
    """A line names a product of which nothing is free."""

    title: ClassVar[str] = "The product is sold out"

    skus: tuple[str, ...]


class TooManyLines(Refusal, frozen=True):
    """An order has so many lines; of a product at two prices it has two."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "The order would have too many lines"

    lines: int
    lines_max: int = LINES_MAX


class CustomLinesNotAllowed(Refusal, frozen=True):
    """A line without a product, from somebody who may not name titles and prices."""

    status: ClassVar[int] = 403
    title: ClassVar[str] = "Lines without a product are not allowed to you"


class CurrencyMismatch(Refusal, frozen=True):
    """An order has one currency."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "All lines of an order need the same currency"

    currencies: tuple[str, ...]


class UnknownDeliveryMethod(Refusal, frozen=True):
    """Only what shipping offers can be chosen."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "There is no such delivery method"

    method: str


class AddressMissing(Refusal, frozen=True):
    """The method brings it somewhere."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "The delivery method needs an address"

    method: str


class TotalTooLarge(Refusal, frozen=True):
    """An amount that clients could not read exactly."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "The total is too large"

    total_minor: int
    total_minor_max: int = TOTAL_MINOR_MAX


class UnpaidOrderExists(Refusal, frozen=True):
    """A customer has at most so many orders that are not settled yet.  `orders` links to them."""

    title: ClassVar[str] = "Another order is not paid yet"

    orders: tuple[str, ...]
    unpaid_orders_max: int


class BasketEmpty(Refusal, frozen=True):
    """An order from the basket needs something in it."""

    title: ClassVar[str] = "There is nothing in the basket"


class Wish(msgspec.Struct, frozen=True):
    """An order before it is one, or before it is changed: what was asked for, and what is known about it.

    `kept`: the lines of an order that is changed.  `reserved`: stock has reserved them.
    """

    lines: tuple[WantedLine, ...]
    rules: PlacingRules
    products: Mapping[str, ProductCopy]
    unpaid: tuple[str, ...] = ()
    currency: str | None = None
    delivery: WantedDelivery | None = None
    method: DeliveryCopy | None = None
    kept: tuple[Line, ...] = ()
    reserved: bool = False

    @property
    def currencies(self) -> set[str]:
        """What the products and the delivery cost in, and what the client named."""
        named = {self.currency} if self.currency is not None else set()
        asked = {self.method.currency} if self.method is not None else set()
        return named | asked | {product.currency for product in self.products.values()}


def something_is_wanted(wish: Wish) -> Refusal | None:
    """Only an empty basket leaves an order without lines."""
    return None if wish.lines else BasketEmpty()


def every_product_exists(wish: Wish) -> Refusal | None:
    """Only what is in the catalogue can be ordered."""
    known = wish.products
    unknown = [sku for sku in skus_of(wish.lines) if sku not in known or not known[sku].catalogue_version]
    return UnknownProduct(tuple(sorted(unknown))) if unknown else None


def every_product_is_active(wish: Wish) -> Refusal | None:
    """Only what is for sale can be ordered; what was ordered before may be kept."""
    inactive = [sku for sku, product in wish.products.items() if not product.active]
    if inactive and wish.kept:
        inactive = _beyond_kept(inactive, wish)
    return ProductInactive(tuple(sorted(inactive))) if inactive else None


def every_price_is_as_shown(wish: Wish) -> Refusal | None:
    """Nobody pays another price than the one that was shown.  What was ordered at that price keeps it."""
    changed = tuple(
        ChangedPrice(product.sku, line.price_minor, product.price_minor, product.currency)
        for line in (_priced_now(wish) if wish.kept else wish.lines)
        if line.sku is not None and line.price_minor is not None
        if line.price_minor != (product := wish.products[line.sku]).price_minor
    )
    return PriceChanged(changed) if changed else None


def nothing_is_sold_out(wish: Wish) -> Refusal | None:
    """What is known to be sold out is refused at once.  What is reserved for this very order is not."""
    sold_out = [sku for sku, product in wish.products.items() if product.sold_out]
    if sold_out and wish.reserved:
        sold_out = _beyond_kept(sold_out, wish)
    return SoldOut(tuple(sorted(sold_out))) if sold_out else None


def _beyond_kept(skus: Sequence[str], wish: Wish) -> list[str]:
    """Those of these skus of which more is wanted than the order has."""
    wanted, kept = pieces_of(wish.lines), pieces_of(wish.kept)
    return [sku for sku in skus if wanted[sku] > kept[sku]]


def _priced_now(wish: Wish) -> list[WantedLine]:
    """The lines that want more than they take over."""
    shares = zip(wish.lines, taken_over(wish.lines, wish.kept), strict=True)
    return [line for line, (_, more) in shares if more]


def custom_lines_are_allowed(wish: Wish) -> Refusal | None:
    """A line without a product names its own price: that is for those whom the settings let."""
    custom = any(line.sku is None for line in wish.lines)
    return CustomLinesNotAllowed() if custom and not wish.rules.custom_lines else None


def the_delivery_is_offered(wish: Wish) -> Refusal | None:
    """The order goes a way that shipping offers now."""
    offered = wish.delivery is None or (wish.method is not None and wish.method.active)
    return None if offered or wish.delivery is None else UnknownDeliveryMethod(wish.delivery.method)


def the_address_is_known(wish: Wish) -> Refusal | None:
    """A method that brings it to a place has to know which."""
    if wish.method is None or wish.delivery is None or not wish.method.needs_address:
        return None
    return AddressMissing(wish.method.method) if wish.delivery.address is None else None


def all_lines_have_one_currency(wish: Wish) -> Refusal | None:
    """Amounts of different currencies make no sum."""
    currencies = wish.currencies
    return CurrencyMismatch(tuple(sorted(currencies))) if len(currencies) > 1 else None


def the_total_can_be_told(wish: Wish) -> Refusal | None:
    """The total stays exact wherever it is read."""
    lines = priced(wish)
    goods_minor = sum([line.quantity * line.price_minor for line in lines])
    total_minor = goods_minor + delivery_minor(wish.method, lines, wish.products)
    return TotalTooLarge(total_minor) if total_minor > TOTAL_MINOR_MAX else None


def the_lines_are_not_too_many(wish: Wish) -> Refusal | None:
    """A changed order may have a product at the price of before and at that of now."""
    lines = len(priced(wish))
    return TooManyLines(lines) if lines > LINES_MAX else None


def a_slot_is_free(wish: Wish) -> Refusal | None:
    """First the unpaid orders, then another one."""
    most = wish.rules.unpaid_orders_max
    return UnpaidOrderExists(tuple(map(link_to, wish.unpaid)), most) if len(wish.unpaid) >= most else None


OF_CONTENT: tuple[Callable[[Wish], Refusal | None], ...] = (
    every_product_exists,
    every_product_is_active,
    every_price_is_as_shown,
    nothing_is_sold_out,
    custom_lines_are_allowed,
    the_delivery_is_offered,
    the_address_is_known,
    all_lines_have_one_currency,
    the_total_can_be_told,
)
"""What guards the lines and the delivery, in this order: each may rely on the ones before it."""

OF_CHANGE = (*OF_CONTENT, the_lines_are_not_too_many)
"""What guards a change."""

OF_PLACING = (something_is_wanted, *OF_CONTENT, a_slot_is_free)
"""What guards a new order."""


def refused(wish: Wish, guards: Sequence[Callable[[Wish], Refusal | None]]) -> Refusal | None:
    """The first refusal, or None where every guard lets it pass."""
    for guard in guards:
        refusal = guard(wish)
        if refusal is not None:
            return refusal
    return None


def priced(wish: Wish) -> tuple[Line, ...]:
    """The lines at the prices of now, but for the pieces that are kept."""
    if wish.kept:
        return priced_anew(wish.lines, wish.kept, wish.products)
    return tuple([newly(line, line.quantity, wish.products) for line in wish.lines])


def delivered(wish: Wish, lines: Sequence[Line], products: Mapping[str, ProductCopy]) -> Delivery | None:
    """The delivery of these lines at the price of now."""
    if wish.delivery is None or wish.method is None:
        return None
    method = wish.method
    price_minor = delivery_minor(method, lines, products)
    return Delivery(method.method, price_minor, method.needs_shipment, wish.delivery.address)


def delivery_minor(method: DeliveryCopy | None, lines: Sequence[Line], products: Mapping[str, ProductCopy]) -> int:
    """What the delivery of these lines costs."""
    if method is None:
        return 0
    weighed = [(products[line.sku], line.quantity) for line in lines if line.sku is not None and line.sku in products]
    grams = sum([product.charged_g * quantity for product, quantity in weighed])
    return delivery_price_minor(method.price_minor, method.per_kg_minor, grams)
