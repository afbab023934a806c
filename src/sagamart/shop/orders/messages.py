"""What only orders hears: the wishes of customers and staff, and its own deadlines."""

from typing import Annotated, Literal

import msgspec

from sagamart.contracts.orders import Status
from sagamart.messaging.message import Body

LINES_MAX = 200
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


class PlacingRules(msgspec.Struct, frozen=True):
    """What the settings allowed this caller when the request came in.

    `currency` is that of an order without any product, where the client names none.
    """

    custom_lines: bool
    unpaid_orders_max: int
    currency: str


class PlaceOrder(Body, frozen=True):
    """A customer orders these lines, to be paid now from the wallet.  `order_id` is derived from the message's id."""

    order_id: str
    customer_id: str
    lines: tuple[WantedLine, ...]
    rules: PlacingRules
    currency: str | None = None
    language: Language = "en"

    @property
    def key(self) -> str:
        """The order that this is to become."""
        return self.order_id

    @property
    def skus(self) -> frozenset[str]:
        """The products that are wanted."""
        return frozenset(line.sku for line in self.lines if line.sku is not None)


class CancelOrder(Body, frozen=True):
    """Somebody wants an order cancelled.  Only its owner and staff get to know that it exists."""

    order_id: str
    caller_id: str
    staff: bool
    language: Language = "en"

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id


class OrderDeadline(Body, frozen=True):
    """The order has waited in `status` for as long as the lifecycle lets it."""

    order_id: str
    status: Status

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id


def order_id_of(message_id: str) -> str:
    """The id of the order that a request becomes: time-ordered, as the request's own id is."""
    return "ord_" + message_id.replace("-", "")
