"""Placing an order: the rules that stand before it, each a guard that gives a refusal named after it.

Prices are fixed here, from orders' own copy of the products.  What is refused here never becomes an order; whether the
goods are there is decided by the booking, after it.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

import msgspec
from msgspec.structs import replace

from sagamart.contracts.orders import Line
from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.orders.lifecycle import LIFECYCLE, step
from sagamart.shop.orders.messages import TOTAL_MINOR_MAX, PlaceOrder, WantedLine
from sagamart.shop.orders.records import Order, ProductCopy, UnpaidOrders
from sagamart.shop.orders.view import link_to, view


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


class CustomLinesNotAllowed(Refusal, frozen=True):
    """A line without a product, from somebody who may not name titles and prices."""

    status: ClassVar[int] = 403
    title: ClassVar[str] = "Lines without a product are not allowed to you"


class CurrencyMismatch(Refusal, frozen=True):
    """An order has one currency."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "All lines of an order need the same currency"

    currencies: tuple[str, ...]


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


class Wish(msgspec.Struct, frozen=True):
    """An order before it is one: what was asked for, and what is known about it."""

    asked: PlaceOrder
    products: Mapping[str, ProductCopy]
    unpaid: tuple[str, ...]


def every_product_exists(wish: Wish) -> Refusal | None:
    """Only what is in the catalogue can be ordered."""
    known = wish.products
    unknown = [sku for sku in wish.asked.skus if sku not in known or not known[sku].catalogue_version]
    return UnknownProduct(tuple(sorted(unknown))) if unknown else None


def every_product_is_active(wish: Wish) -> Refusal | None:
    """Only what is for sale can be ordered."""
    inactive = [sku for sku, product in wish.products.items() if not product.active]
    return ProductInactive(tuple(sorted(inactive))) if inactive else None


def every_price_is_as_shown(wish: Wish) -> Refusal | None:
    """Nobody pays another price than the one that was shown."""
    changed = tuple(
        ChangedPrice(product.sku, line.price_minor, product.price_minor, product.currency)
        for line in wish.asked.lines
        if line.sku is not None and line.price_minor is not None
        if line.price_minor != (product := wish.products[line.sku]).price_minor
    )
    return PriceChanged(changed) if changed else None


def nothing_is_sold_out(wish: Wish) -> Refusal | None:
    """What is known to be sold out is refused at once."""
    sold_out = [sku for sku, product in wish.products.items() if product.sold_out]
    return SoldOut(tuple(sorted(sold_out))) if sold_out else None


def custom_lines_are_allowed(wish: Wish) -> Refusal | None:
    """A line without a product names its own price: that is for those whom the settings let."""
    custom = any(line.sku is None for line in wish.asked.lines)
    return CustomLinesNotAllowed() if custom and not wish.asked.rules.custom_lines else None


def all_lines_have_one_currency(wish: Wish) -> Refusal | None:
    """Amounts of different currencies make no sum."""
    currencies = _currencies(wish)
    return CurrencyMismatch(tuple(sorted(currencies))) if len(currencies) > 1 else None


def the_total_can_be_told(wish: Wish) -> Refusal | None:
    """The total stays exact wherever it is read."""
    total_minor = _total_minor(_priced(wish))
    return TotalTooLarge(total_minor) if total_minor > TOTAL_MINOR_MAX else None


def a_slot_is_free(wish: Wish) -> Refusal | None:
    """First the unpaid orders, then another one."""
    most = wish.asked.rules.unpaid_orders_max
    return UnpaidOrderExists(tuple(map(link_to, wish.unpaid)), most) if len(wish.unpaid) >= most else None


GUARDS: tuple[Callable[[Wish], Refusal | None], ...] = (
    every_product_exists,
    every_product_is_active,
    every_price_is_as_shown,
    nothing_is_sold_out,
    custom_lines_are_allowed,
    all_lines_have_one_currency,
    the_total_can_be_told,
    a_slot_is_free,
)
"""In the order in which they are asked; each may rely on the ones before it."""


def place(
    message: Message[PlaceOrder],
    slots: UnpaidOrders | None,
    earlier: Mapping[str, Order],
    products: Mapping[str, ProductCopy],
) -> Decision:
    """A wish becomes an order, if no guard refuses it.  `earlier` are the orders that took a slot of this customer."""
    asked = message.body
    wish = Wish(asked, products, tuple(sorted(one for one, order in earlier.items() if LIFECYCLE[order.status].unpaid)))
    for guard in GUARDS:
        refusal = guard(wish)
        if refusal is not None:
            return Decision(reply=refusal)

    # From here it is an order.
    begun = step(_new(wish, message), message)
    (order,) = [row for row in begun.save if isinstance(row, Order)]
    taken = UnpaidOrders(
        1 if slots is None else slots.version + 1,
        asked.customer_id,
        (*wish.unpaid, order.order_id),
        asked.rules.unpaid_orders_max,
    )
    reply = Reply(202, view(order, asked.language), link_to(order.order_id))
    return replace(begun, save=[*begun.save, taken], reply=reply)


def _new(wish: Wish, message: Message[PlaceOrder]) -> Order:
    """The order before its first version."""
    asked = wish.asked
    lines = _priced(wish)
    return Order(
        version=0,
        order_id=asked.order_id,
        customer_id=asked.customer_id,
        status="new",
        lines=lines,
        total_minor=_total_minor(lines),
        currency=next(iter(_currencies(wish)), asked.rules.currency),
        placed_at=message.at,
        changed_at=message.at,
    )


def _priced(wish: Wish) -> tuple[Line, ...]:
    return tuple(_line(line, wish.products) for line in wish.asked.lines)


def _line(line: WantedLine, products: Mapping[str, ProductCopy]) -> Line:
    if line.sku is None:
        return Line(None, line.title or "", line.quantity, line.price_minor or 0)
    product = products[line.sku]
    return Line(line.sku, product.title, line.quantity, product.price_minor)


def _total_minor(lines: tuple[Line, ...]) -> int:
    return sum(line.quantity * line.price_minor for line in lines)


def _currencies(wish: Wish) -> set[str]:
    """What the products cost in, and what the client named."""
    named = {wish.asked.currency} if wish.asked.currency is not None else set()
    return named | {product.currency for product in wish.products.values()}
