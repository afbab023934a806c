"""The turns that people are told of: which messages tell them, how each is named, and what there is to say.

Rules:
- A turn is named by what it is a turn of (an order, a refund, a link) and by its kind; never by its message, which may
  come twice.  What can happen to an order again is named by the order's version or attempt too.
- A letter goes out once for each attempt of an order, however often it waits for payment.
- An order that is paid and has yet to be shipped is told as paid when its shipment is asked for; one that is complete
  at once is told as completed, which says it.  OrderPaid would be a second row for every order that is paid at once.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from sagamart.contracts.accounts import EmailConfirmationRequested, LetterRequested, PasswordResetRequested
from sagamart.contracts.order_requests import ShipmentRequested
from sagamart.contracts.orders import (
    OrderCancelled,
    OrderCompleted,
    OrderMessage,
    OrderPlaced,
    OrderReturned,
    PaymentAwaited,
    PaymentStarted,
    PaymentWindowExpired,
)
from sagamart.contracts.payments import PaymentRefunded
from sagamart.contracts.shipping import ShipmentHandedOver, ShipmentPending
from sagamart.contracts.wallet import MoneyRefunded, WalletOpened
from sagamart.shop.notifications.records import Facts, Kind, ShortProduct

Telling = (
    OrderPlaced
    | PaymentAwaited
    | PaymentStarted
    | PaymentWindowExpired
    | ShipmentRequested
    | ShipmentPending
    | ShipmentHandedOver
    | OrderCompleted
    | OrderCancelled
    | OrderReturned
    | MoneyRefunded
    | PaymentRefunded
    | WalletOpened
    | EmailConfirmationRequested
    | PasswordResetRequested
)

KINDS: Mapping[type[Telling], Kind] = {
    OrderPlaced: "order_placed",
    PaymentAwaited: "payment_awaited",
    PaymentStarted: "payment_started",
    PaymentWindowExpired: "payment_window_expired",
    ShipmentRequested: "order_paid",
    ShipmentPending: "shipping_pending",
    ShipmentHandedOver: "order_shipped",
    OrderCompleted: "order_completed",
    OrderCancelled: "order_cancelled",
    OrderReturned: "order_returned",
    MoneyRefunded: "order_refunded",
    PaymentRefunded: "order_refunded",
    WalletOpened: "wallet_opened",
    EmailConfirmationRequested: "email_confirmation",
    PasswordResetRequested: "password_reset",
}


class Turn(NamedTuple):
    """A turn's names: of its place in the list, and of the one letter for it."""

    listed: str
    letter: str


def turn_of(body: Telling) -> Turn:
    """The business keys of what a person is told."""
    subject = body.token_id if isinstance(body, LetterRequested) else body.key
    name = f"{subject}/{KINDS[type(body)]}"
    if isinstance(body, PaymentAwaited | PaymentWindowExpired):
        return Turn(f"{name}/{body.version}", f"{name}{_attempt(body)}")
    name += _distinct(body)
    return Turn(name, name)


def _distinct(body: Telling) -> str:
    """What tells it from others of its kind."""
    match body:
        case PaymentStarted():
            return f"/{body.payment}"
        case OrderCancelled():
            return _attempt(body)
        case OrderReturned():
            return f"/{body.return_id}"
        case MoneyRefunded() | PaymentRefunded():
            return f"/{body.refund_id}"
        case _:
            return ""


def _attempt(body: OrderMessage) -> str:
    """An order that was changed or revived goes on at its next attempt."""
    return f"/{body.attempt}" if body.attempt > 1 else ""


def facts_of(body: Telling) -> Facts:
    """What there is to say about a turn."""
    match body:
        case WalletOpened():
            return Facts(currency=body.currency)
        case EmailConfirmationRequested() | PasswordResetRequested():
            return Facts(token_id=body.token_id)
        case MoneyRefunded() | PaymentRefunded():
            to: Literal["wallet", "card"] = "wallet" if isinstance(body, MoneyRefunded) else "card"
            return Facts(body.order_id, body.amount_minor, body.currency, refunded_to=to)
        case ShipmentPending():
            return Facts(body.order_id)
        case ShipmentHandedOver():
            return Facts(body.order_id, tracking=body.tracking or None)
        case _:
            return _facts_of_order(body)


def _facts_of_order(body: OrderMessage) -> Facts:
    match body:
        case PaymentAwaited():
            return Facts(
                body.order_id, body.total_minor, body.currency, due_minor=body.due_minor, window_s=body.window_s
            )
        case PaymentStarted():
            return Facts(body.order_id, body.amount_minor, body.currency, source=body.source)
        case OrderReturned():
            return Facts(body.order_id, body.amount_minor, body.currency)
        case OrderCancelled():
            return _cancelled(body)
        case _:
            return Facts(body.order_id, body.total_minor, body.currency)


def _cancelled(body: OrderCancelled) -> Facts:
    titles = {line.sku: line.title for line in body.lines}
    short = tuple(
        ShortProduct(line.sku, titles.get(line.sku, line.sku), line.wanted, line.available) for line in body.short
    )
    return Facts(body.order_id, body.total_minor, body.currency, body.reason, short, body.available_minor)
