"""The rows that notifications owns: facts, not words.  They are put into words in the reader's language.

E-mail addresses and names are not among them: they are asked for when a letter goes out.
"""

from datetime import datetime
from typing import Literal

import msgspec

from sagamart.contracts.orders import CancelReason, ChangeRefusal, PaymentSource
from sagamart.contracts.promotions import PromoRefusal
from sagamart.messaging.records import Record, Table

Kind = Literal[
    "order_placed",
    "payment_awaited",
    "payment_started",
    "payment_window_expired",
    "order_paid",
    "shipping_pending",
    "order_shipped",
    "order_completed",
    "order_cancelled",
    "order_returned",
    "order_refunded",
    "order_capturing",
    "order_revived",
    "order_change_undone",
    "address_not_changed",
    "wallet_opened",
    "email_confirmation",
    "password_reset",
    "email_change",
    "email_change_announced",
    "password_changed",
]
Channel = Literal["email", "sms"]


class ShortProduct(msgspec.Struct, frozen=True):
    """A product that the stock could not cover, by the name that the customer saw.  Quantities in pieces."""

    sku: str
    title: str
    wanted: int
    available: int


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a message to a person is about; `token_id` names a one-time link.

    `amount_minor` is the order's total; of a payment, a return or a refund its own amount.  `due_minor` is what of the
    total has yet to be paid, within `window_s` seconds.  `kept` says why a parcel goes where it was to go.
    """

    order_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    reason: CancelReason | None = None
    short: tuple[ShortProduct, ...] = ()
    available_minor: int | None = None
    token_id: str | None = None
    due_minor: int | None = None
    window_s: int | None = None
    source: PaymentSource | None = None
    tracking: str | None = None
    refunded_to: Literal["wallet", "card"] | None = None
    promo: PromoRefusal | None = None
    kept: ChangeRefusal | None = None


class Notification(Record, frozen=True):
    """A message to one person.  `notification_id` is the subject and its turn: nobody is told of a turn twice."""

    notification_id: str
    customer_id: str
    kind: Kind
    facts: Facts
    at: datetime


DispatchStatus = Literal["pending", "sent", "failed", "unknown"]


class Dispatch(Record, frozen=True):
    """A notification on its way by one channel; `dispatch_id` is the letter's turn and the channel: once, for ever.

    `unknown_outcomes` counts the attempts of which nobody can say whether the message was taken.  They are repeated
    under the same Message-ID; the status is `unknown` once that was tried too often.
    """

    dispatch_id: str
    notification_id: str
    customer_id: str
    channel: Channel
    status: DispatchStatus
    at: datetime
    unknown_outcomes: int = 0
    reason: str | None = None
    ended_at: datetime | None = None


class Preferences(Record, frozen=True):
    """By which channels somebody wants to be told.  Whoever was erased keeps the id alone, and is told nothing."""

    customer_id: str
    email: bool = True
    sms: bool = False
    phone: str | None = None
    erased: bool = False

    def __repr__(self) -> str:
        return f"Preferences({self.customer_id})"  # representations end in logs


DISPATCHES = Table(Dispatch, "dispatches", key="dispatch_id")
PREFERENCES = Table(Preferences, "preferences", key="customer_id")
TOLD = Table(Notification, "notifications", key="notification_id")
