"""What clients send about orders, and what orders hears of it.  A price is only ever one that was shown."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sagamart.contracts.catalogue import SKU_PATTERN
from sagamart.contracts.orders import Address, PaymentSource, ReturnedLine, Status
from sagamart.platform.http import Malformed, RequestBody
from sagamart.shop.orders.messages import (
    LINES_MAX,
    TOTAL_MINOR_MAX,
    PriceMinor,
    Quantity,
    WantedDelivery,
    WantedLine,
)
from sagamart.shop.orders.records import BasketLine

TITLE_CHARS_MAX = 200
WHY_CHARS_MAX = 500
METHOD_PATTERN = r"^[a-z0-9][a-z0-9-]{0,63}$(?!\n)"
CODE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{2,39}$(?!\n)"
TEXT_PATTERN = r"^[^\x00-\x1f\x7f]*$(?!\n)"

Sku = Annotated[str, Meta(pattern=SKU_PATTERN, examples=["MUG-BLUE"])]
Title = Annotated[str, Meta(min_length=1, max_length=TITLE_CHARS_MAX, examples=["Gift wrap"])]
Shown = Annotated[PriceMinor, Meta(description="In minor units: 45000 is 450.00", examples=[45_000])]
CurrencyCode = Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3, description="ISO 4217", examples=["RUB"])]


class NewLine(RequestBody, frozen=True):
    """A product (`sku`; `price_minor` is the price that was shown), or a custom line (`title` and `price_minor`)."""

    sku: Sku | None = None
    quantity: Annotated[Quantity, Meta(examples=[2])] = 1
    price_minor: Shown | None = None
    title: Title | None = None


Lines = Annotated[tuple[NewLine, ...], Meta(min_length=1, max_length=LINES_MAX)]


class NewAddress(RequestBody, frozen=True):
    """Where it goes, and to whom."""

    recipient: Annotated[str, Meta(pattern=TEXT_PATTERN, min_length=1, max_length=200, examples=["Anna Petrova"])]
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1 alpha-2", examples=["RU"])]
    city: Annotated[str, Meta(pattern=TEXT_PATTERN, min_length=1, max_length=200, examples=["Perm"])]
    street: Annotated[str, Meta(pattern=TEXT_PATTERN, min_length=1, max_length=200, examples=["Lenina 1, 5"])]
    postal_code: Annotated[str, Meta(pattern=TEXT_PATTERN, max_length=20, examples=["614000"])] = ""
    phone: Annotated[str, Meta(pattern=TEXT_PATTERN, max_length=40, examples=["+7 342 000-00-00"])] = ""
    note: Annotated[str, Meta(pattern=TEXT_PATTERN, max_length=200, examples=["The green door"])] = ""


class NewDelivery(RequestBody, frozen=True):
    """One of the delivery methods that shipping offers, and an address where it needs one."""

    method: Annotated[str, Meta(pattern=METHOD_PATTERN, examples=["courier"])]
    address: NewAddress | None = None

    def wanted(self) -> WantedDelivery:
        """As orders hears it."""
        at = self.address
        return WantedDelivery(self.method, None if at is None else Address(**msgspec.structs.asdict(at)))


class NewOrder(RequestBody, frozen=True):
    """An order of these lines, or (`from_basket`) of what lies in the basket, which is empty then.

    It is paid `now`, whole, from the wallet, or `later`, by payments that add up, within the payment window.
    """

    lines: Lines | None = None
    currency: CurrencyCode | None = None
    pay: Annotated[Literal["now", "later"], Meta(examples=["later"])] = "now"
    delivery: NewDelivery | None = None
    promo_code: Annotated[str, Meta(pattern=CODE_PATTERN, examples=["SPRING-10"])] | None = None
    from_basket: bool = False


class ChangedOrder(RequestBody, frozen=True):
    """What shall be otherwise: the lines, the delivery, or both."""

    lines: Lines | None = None
    delivery: NewDelivery | None = None


class NewPayment(RequestBody, frozen=True):
    """A payment from the wallet or through the bank; of all that is due, where no amount is named."""

    source: Annotated[PaymentSource, Meta(examples=["bank"])]
    amount_minor: Annotated[int, Meta(ge=1, le=TOTAL_MINOR_MAX, examples=[45_000])] | None = None


class NewStatus(RequestBody, frozen=True):
    """Where the order stands by the word of staff, and why: it is kept with their name."""

    status: Annotated[Status, Meta(examples=["cancelled"])]
    why: Annotated[str, Meta(min_length=1, max_length=WHY_CHARS_MAX, examples=["The customer called"])]


class NewReturnLine(RequestBody, frozen=True):
    """So many pieces of the line at this place of the order; the first is 0."""

    line: Annotated[int, Meta(ge=0, lt=LINES_MAX, examples=[0])]
    quantity: Annotated[Quantity, Meta(examples=[1])]


class NewReturn(RequestBody, frozen=True):
    """Pieces to be given back."""

    lines: Annotated[tuple[NewReturnLine, ...], Meta(min_length=1, max_length=LINES_MAX)]

    def returned(self) -> tuple[ReturnedLine, ...]:
        """As orders hears it."""
        return tuple(ReturnedLine(one.line, one.quantity) for one in self.lines)


class NewBasketLine(RequestBody, frozen=True):
    """So many pieces of a product; with the price that was shown, they are not ordered at another one."""

    sku: Sku
    quantity: Annotated[Quantity, Meta(examples=[2])]
    price_minor: Shown | None = None


class NewBasket(RequestBody, frozen=True):
    """All that is to be in the basket."""

    lines: Annotated[tuple[NewBasketLine, ...], Meta(max_length=LINES_MAX)]

    def laid_aside(self) -> tuple[BasketLine, ...]:
        """As orders hears it."""
        return tuple(BasketLine(one.sku, one.quantity, one.price_minor) for one in self.lines)


def wanted_lines(lines: Sequence[NewLine]) -> tuple[WantedLine, ...]:
    """As orders hears them.  Raises Malformed where a line is neither a product nor a line of its own."""
    return tuple([_wanted(place, line) for place, line in enumerate(lines)])


def _wanted(place: int, line: NewLine) -> WantedLine:
    if line.sku is not None and line.title is not None:
        raise Malformed(f"lines[{place}].title", "the catalogue has the title of a product")
    if line.sku is None and (line.title is None or line.price_minor is None):
        raise Malformed(f"lines[{place}]", "a line needs a sku, or a title and a price_minor of its own")
    return WantedLine(line.sku, line.quantity, line.price_minor, line.title)
