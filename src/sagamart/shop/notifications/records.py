"""The rows that notifications owns: facts, not words.  They are put into words in the reader's language."""

from datetime import datetime
from typing import Literal

import msgspec

from sagamart.contracts.orders import CancelReason
from sagamart.messaging.records import Record, Table

Kind = Literal["order_completed", "order_cancelled", "wallet_opened"]


class ShortProduct(msgspec.Struct, frozen=True):
    """A product that the stock could not cover, by the name that the customer saw.  Quantities in pieces."""

    sku: str
    title: str
    wanted: int
    available: int


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a message to a person is about.  `amount_minor` is the order's total."""

    order_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    reason: CancelReason | None = None
    short: tuple[ShortProduct, ...] = ()
    available_minor: int | None = None


class Notification(Record, frozen=True):
    """A message to one person.  `notification_id` is the subject and its turn: nobody is told of a turn twice."""

    notification_id: str
    customer_id: str
    kind: Kind
    facts: Facts
    at: datetime


TOLD = Table(Notification, "notifications", key="notification_id")
