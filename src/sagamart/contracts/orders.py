"""What orders tells and asks.  Every message carries the order as it stood: lines, fixed price, version, status."""

from typing import Literal

import msgspec

from sagamart.messaging.message import Body

Status = Literal[
    "new",
    "booking_pending",
    "booked",
    "pay_pending",
    "capturing",
    "paid",
    "completed",
    "cancelled",
]

CancelReason = Literal[
    "stock_refused",
    "money_refused",
    "cancelled_by_customer",
    "cancelled_by_staff",
    "booking_timeout",
    "payment_timeout",
]


class Line(msgspec.Struct, frozen=True):
    """A line of an order, its price fixed when the order was placed.  A custom line has no sku and needs no stock."""

    sku: str | None
    title: str
    quantity: int
    price_minor: int


class OrderMessage(Body, frozen=True):
    """An order as of `version`.  `attempt` counts its bookings and holds: answers name the attempt that they answer."""

    order_id: str
    version: int
    status: Status
    customer_id: str
    attempt: int
    lines: tuple[Line, ...]
    total_minor: int
    currency: str

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id

    @property
    def attempt_id(self) -> str:
        """The business key of a reservation or hold: at most one of each per attempt, for ever."""
        return attempt_id(self.order_id, self.attempt)


def attempt_id(order_id: str, attempt: int) -> str:
    """Name one attempt: `ord_…/1`."""
    return f"{order_id}/{attempt}"


class BookingRequested(OrderMessage, frozen=True):
    """Order booking: reserve every line of this attempt, or none."""


class HoldRequested(OrderMessage, frozen=True):
    """Freeze money: hold the total in the customer's wallet."""


class CaptureRequested(OrderMessage, frozen=True):
    """Debiting money: take what this attempt holds."""


class OrderPaid(OrderMessage, frozen=True):
    """Final order registration: the money is taken; the reserved goods leave the stock."""


class OrderCompleted(OrderMessage, frozen=True):
    """Nothing more is to be done for this order."""


class OrderCancelled(OrderMessage, frozen=True):
    """Delete order: whoever reserved or held something for any of its attempts lets it go.

    `short` names the lines that the stock refused; `available_minor` is what the wallet had free,
    where that was too little.
    """

    reason: CancelReason
    short: tuple["ShortLine", ...] = ()
    available_minor: int | None = None


class ShortLine(msgspec.Struct, frozen=True):
    """A line that the stock could not cover."""

    sku: str
    wanted: int
    available: int
