"""What orders tells and asks.  Every message carries the order as it stood: lines, fixed price, version, status.

Two counters name what answers are about, for ever and without luck:

- `attempt` counts what an order asked of stock and promotions (a booking, a check, a redemption): a changed or revived
  order makes a new one.  A request of a later attempt takes the place of what an earlier one of that order got.
- `payment` counts its payments, each from one source and of one amount.

`order_requests.py` has what orders asks of others, this module what it tells everybody.
"""

from typing import Literal

import msgspec

from sagamart.contracts.promotions import PromoRefusal
from sagamart.messaging.message import Body

Status = Literal[
    "new",
    "booking_pending",
    "checked",
    "booked",
    "pay_pending",
    "partially_paid",
    "capturing",
    "paid",
    "shipping_pending",
    "completed",
    "cancelled",
    "returned",
]

CancelReason = Literal[
    "promo_refused",
    "stock_refused",
    "stock_revoked",
    "money_refused",
    "capture_refused",
    "shipment_refused",
    "cancelled_by_customer",
    "cancelled_by_staff",
    "booking_timeout",
    "payment_timeout",
]

ChangeRefusal = Literal["not_here", "address_not_served"]
"""Why a parcel does not go to another address."""

PaymentSource = Literal["wallet", "bank"]


class Line(msgspec.Struct, frozen=True):
    """A line of an order, its price fixed when the order was placed.  A custom line has no sku and needs no stock."""

    sku: str | None
    title: str
    quantity: int
    price_minor: int


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a parcel goes, and to whom."""

    recipient: str
    country: str
    city: str
    street: str
    postal_code: str = ""
    phone: str = ""
    note: str = ""


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an order reaches its customer, at the price (part of the total) that held when it was chosen.

    `needs_shipment`: a parcel is sent and the order is complete once it is delivered; else nothing has to be shipped.
    """

    method: str
    price_minor: int
    needs_shipment: bool
    address: Address | None = None


class ReturnedLine(msgspec.Struct, frozen=True):
    """So many pieces of the line at this place of the order (the first is 0)."""

    line: int
    quantity: int


class ShortLine(msgspec.Struct, frozen=True):
    """A line that the stock could not cover."""

    sku: str
    wanted: int
    available: int


class OrderMessage(Body, frozen=True):
    """An order as of `version`.

    `total_minor` is all that is to be paid: the lines, less the discount of a promo code, and the delivery.
    """

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
        """The business key of a reservation, check or redemption: at most one of each per attempt, for ever."""
        return attempt_id(self.order_id, self.attempt)


def attempt_id(order_id: str, attempt: int) -> str:
    """Name one attempt: `ord_…/1`."""
    return f"{order_id}/{attempt}"


def payment_id(order_id: str, payment: int) -> str:
    """Name one payment of an order, whatever its source: `pay_…-1`.  The id of a hold and of a bank payment."""
    return f"pay_{order_id.removeprefix('ord_')}-{payment}"


class OrderPlaced(OrderMessage, frozen=True):
    """Created order: there is an order that is not paid at once.  One that is paid at once is told with its outcome."""


class PaymentAwaited(OrderMessage, frozen=True):
    """Waiting for payment: the customer has `window_s` seconds from now to pay `due_minor`.

    It is told again when the customer changes the delivery, and with it what is due, while the order waits.
    """

    due_minor: int
    window_s: int


class OrderChangeUndone(OrderMessage, frozen=True):
    """A change of the lines did not come about: the order has the lines again that it had, and books them anew.

    `wished` are the lines that it was to have.  `short` names those that the stock refused; `promo` is why the promo
    code did not count for them.
    """

    wished: tuple[Line, ...]
    short: tuple[ShortLine, ...] = ()
    promo: PromoRefusal | None = None


class PaymentStarted(OrderMessage, frozen=True):
    """Start of payment: the customer pays `amount_minor` from `source`; what was awaited no longer runs out."""

    payment: int
    source: PaymentSource
    amount_minor: int


class PaymentWindowExpired(OrderMessage, frozen=True):
    """No payment confirmation came in time.  OrderCancelled follows."""


class OrderPaid(OrderMessage, frozen=True):
    """Final order registration: the money is taken; the reserved goods leave the stock."""


class AddressNotChanged(OrderMessage, frozen=True):
    """The customer wished the parcel elsewhere, and it goes where it was to go.

    `not_here`: the carrier had it already.  `address_not_served`: the delivery does not go there.
    """

    reason: ChangeRefusal


class DeliveryReported(OrderMessage, frozen=True):
    """Staff say of a parcel that was handed over that the customer has it: shipping takes note of it."""


class OrderCompleted(OrderMessage, frozen=True):
    """The customer has everything; nothing more is to be done for this order, unless something comes back."""


class OrderCancelled(OrderMessage, frozen=True):
    """Delete order: stock gives back what any of its attempts reserved or took, promotions gives the code back.

    It may follow OrderPaid, and may overtake it.  An order that late money revives goes on at the next attempt, and may
    be cancelled again.  Its money is let go by requests of their own, one a payment.

    `short` names the lines that the stock refused; `available_minor` is what the wallet had free, where that was too
    little; `promo` is why the promo code did not count.
    """

    reason: CancelReason
    short: tuple[ShortLine, ...] = ()
    available_minor: int | None = None
    promo: PromoRefusal | None = None


class OrderRevived(OrderMessage, frozen=True):
    """Late money pays all of an order that was cancelled for want of it: it goes on, at its next attempt."""


class OrderEnd(Body, frozen=True):
    """A thin event: that an order has come to an end.  Who wants to know more asks for the order."""

    order_id: str
    customer_id: str

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id


class OrderSucceeded(OrderEnd, frozen=True):
    """The order is complete: OrderCompleted, where events are thin."""


class OrderFailed(OrderEnd, frozen=True):
    """The order is cancelled: OrderCancelled, where events are thin."""


class OrderReturned(OrderMessage, frozen=True):
    """Goods of an order came back: stock takes them in; `amount_minor` is refunded, by requests of their own.

    The status is `returned` once everything is back.  It may overtake OrderPaid, and comes without OrderCompleted where
    the parcel never reached its customer.
    """

    return_id: str
    returned: tuple[ReturnedLine, ...]
    amount_minor: int
