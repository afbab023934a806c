"""What only orders hears: the wishes of customers and staff, and its own deadlines."""

from typing import Annotated, Literal

import msgspec

from sagamart.contracts.orders import Address, PaymentSource, ReturnedLine, Status
from sagamart.contracts.payments import PaymentCaptured, PaymentHeld
from sagamart.messaging.message import Body
from sagamart.shop.orders.records import BasketLine, Content, Terms

LINES_MAX = 200
PAYMENTS_MAX = 20
CHANGES_MAX = 20
RETURNS_MAX = 50
QUANTITY_MAX = 1_000_000
PRICE_MINOR_MAX = 1_000_000_000_000
TOTAL_MINOR_MAX = 9_000_000_000_000_000
"""Below 2**53, so that a client that reads numbers as doubles reads the right one; far below bigint."""

Quantity = Annotated[int, msgspec.Meta(ge=1, le=QUANTITY_MAX)]
PriceMinor = Annotated[int, msgspec.Meta(ge=0, le=PRICE_MINOR_MAX)]

Language = Literal["en", "ru"]


class WantedLine(msgspec.Struct, frozen=True):
    """A line as the client wishes it.

    With a sku, `price_minor` is the price that the client was shown (None: whatever it is).  Without one it is a
    custom line, which has its own title and price.
    """

    sku: str | None
    quantity: int
    price_minor: int | None = None
    title: str | None = None


class WantedDelivery(msgspec.Struct, frozen=True):
    """How the order is to reach its customer: a method that shipping offers, and an address where it needs one."""

    method: str
    address: Address | None = None


class PlacingRules(msgspec.Struct, frozen=True):
    """What the settings allowed this caller when the request came in.

    `currency` is that of an order without any product, where the client names none.
    """

    custom_lines: bool
    unpaid_orders_max: int
    currency: str
    terms: Terms = Terms()


class PlaceOrder(Body, frozen=True):
    """A customer orders these lines, or, with `from_basket`, what lies in the basket, which is empty then.

    `order_id` is derived from the message's id; `rules.terms` say how it is paid.
    """

    order_id: str
    customer_id: str
    lines: tuple[WantedLine, ...]
    rules: PlacingRules
    currency: str | None = None
    language: Language = "en"
    delivery: WantedDelivery | None = None
    promo_code: str | None = None
    from_basket: bool = False

    @property
    def key(self) -> str:
        """The order that this is to become."""
        return self.order_id

    @property
    def skus(self) -> frozenset[str]:
        """The products that are wanted."""
        return skus_of(self.lines)


class OrderWish(Body, frozen=True):
    """Somebody wants something of a placed order.  Only its owner and staff get to know that it exists.

    `version` is the one that the caller has seen, where it matters.
    """

    order_id: str
    caller_id: str
    staff: bool
    language: Language = "en"
    version: int | None = None

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id


class CancelOrder(OrderWish, frozen=True):
    """Cancel it."""


class CallOffOrder(OrderWish, frozen=True, kw_only=True):
    """An operator cancels it, and says why."""

    why: str


class PayOrder(OrderWish, frozen=True, kw_only=True):
    """Pay so much of it from this source; all that is due, where no amount is named."""

    source: PaymentSource
    amount_minor: int | None = None


class ChangeOrder(OrderWish, frozen=True, kw_only=True):
    """Have other lines, or another delivery; None leaves it.

    `content` is what it comes to, once placing's guards have let it pass.
    """

    rules: PlacingRules
    lines: tuple[WantedLine, ...] | None = None
    delivery: WantedDelivery | None = None
    content: Content | None = None

    @property
    def skus(self) -> frozenset[str]:
        """The products that are wanted."""
        return skus_of(self.lines or ())


class MoveOrder(OrderWish, frozen=True, kw_only=True):
    """Staff say where the order stands, as far as the lifecycle lets them, and why."""

    to: Status
    why: str


class ReturnItems(OrderWish, frozen=True, kw_only=True):
    """Give these pieces back.  `return_id` is derived from the message's id."""

    return_id: str
    returned: tuple[ReturnedLine, ...]


class OrderDeadline(Body, frozen=True):
    """The order has waited in `status` for as long as the lifecycle lets it."""

    order_id: str
    status: Status

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id


class LateMoney(Body, frozen=True):
    """Money from the bank would revive a cancelled order, whose slot is gone: it looks for a free one at once.

    It is what the bank's service told, one of the two.
    """

    order_id: str
    customer_id: str
    held: PaymentHeld | None = None
    captured: PaymentCaptured | None = None

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id

    @property
    def money(self) -> PaymentHeld | PaymentCaptured:
        """What was told."""
        money = self.held or self.captured
        if money is None:
            raise AssertionError(f"{self.order_id}: late money of which nothing is known")
        return money


def late_money(customer_id: str, money: PaymentHeld | PaymentCaptured) -> LateMoney:
    """This money, as an order looks at it that needs a slot."""
    if isinstance(money, PaymentHeld):
        return LateMoney(money.order_id, customer_id, held=money)
    return LateMoney(money.order_id, customer_id, captured=money)


class FillBasket(Body, frozen=True):
    """Have these lines in the basket, and no others.  `version` is the one that the caller has seen, if any."""

    customer_id: str
    lines: tuple[BasketLine, ...]
    version: int | None = None

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id


def order_id_of(message_id: str) -> str:
    """The id of the order that a request becomes: time-ordered, as the request's own id is."""
    return "ord_" + message_id.replace("-", "")


def skus_of(lines: tuple[WantedLine, ...]) -> frozenset[str]:
    """The products among these lines."""
    return frozenset(line.sku for line in lines if line.sku is not None)


def return_id_of(message_id: str) -> str:
    """The id of the return that a request becomes."""
    return "ret_" + message_id.replace("-", "")


class AboutForgotten(Body, frozen=True):
    """About a customer who is to be forgotten."""

    customer_id: str

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id


class OrderTracesSought(AboutForgotten, frozen=True):
    """An intent: look for orders of this customer that name an address.  `first`: right after the erasure."""

    first: bool


class OrderTracesFound(AboutForgotten, frozen=True):
    """These have ended and still name one; `more`: there may be others, `open`: some are on their way."""

    first: bool
    order_ids: tuple[str, ...]
    open: bool
    more: bool


class ForgetOrdersAgain(AboutForgotten, frozen=True):
    """It is time to look whether something is left to be forgotten."""
