"""The rows of webhooks: who wants to be told of orders, and every delivery to them.

A secret is kept as it is, since signing needs it; it is in no view and in no log.
"""

from datetime import datetime
from typing import Literal

import msgspec

from sagamart.contracts.orders import Line, Status
from sagamart.messaging.records import Record, Table
from sagamart.shop.notifications.records import Facts, Kind

EventType = Literal[
    "order.placed",
    "order.payment_awaited",
    "order.payment_started",
    "order.payment_window_expired",
    "order.paid",
    "order.shipping_pending",
    "order.shipped",
    "order.completed",
    "order.cancelled",
    "order.returned",
    "order.refunded",
    "order.capturing",
    "order.revived",
    "order.change_undone",
    "order.address_not_changed",
]

EVENTS: dict[Kind, EventType] = {
    "order_placed": "order.placed",
    "payment_awaited": "order.payment_awaited",
    "payment_started": "order.payment_started",
    "payment_window_expired": "order.payment_window_expired",
    "order_paid": "order.paid",
    "shipping_pending": "order.shipping_pending",
    "order_shipped": "order.shipped",
    "order_completed": "order.completed",
    "order_cancelled": "order.cancelled",
    "order_returned": "order.returned",
    "order_refunded": "order.refunded",
    "order_capturing": "order.capturing",
    "order_revived": "order.revived",
    "order_change_undone": "order.change_undone",
    "address_not_changed": "order.address_not_changed",
}
"""Which turns go to webhooks, by the names that they have there."""

AUDIENCE_ID = "webhooks"
"""The key of the one audience."""


class News(Facts, frozen=True, omit_defaults=True):
    """What a webhook tells of an order: the facts that its customer is told, and the order as it stands in full.

    With a `version` it is the order's status as of that version: the highest one counts, whichever comes first.
    Without, it is something that stays true: a parcel is on its way, money was given back.
    """

    customer_id: str = ""
    version: int | None = None
    status: Status | None = None
    lines: tuple[Line, ...] = ()


SubscriptionStatus = Literal["active", "paused", "gone", "deleted"]


class Subscription(Record, frozen=True):
    """A receiver of news.  `gone`: it has answered that it is there no more.

    While a secret is being replaced, what is posted is signed with the former one too, until `former_until`.
    """

    subscription_id: str
    url: str
    events: tuple[EventType, ...]
    note: str
    status: SubscriptionStatus
    secret: str
    made_by: str
    made_at: datetime
    former_secret: str | None = None
    former_until: datetime | None = None

    def __repr__(self) -> str:
        return f"Subscription({self.subscription_id})"  # representations end in logs


class Listener(msgspec.Struct, frozen=True):
    """An active subscription, as far as choosing goes."""

    subscription_id: str
    events: tuple[EventType, ...]


class Audience(Record, frozen=True):
    """All active subscriptions in one row, so that a turn finds them by one key.  Without any it does not exist."""

    audience_id: str
    listeners: tuple[Listener, ...]


DeliveryStatus = Literal["pending", "delivered", "failed"]


class Delivery(Record, frozen=True):
    """One turn for one subscription: once, for ever; `delivery_id` follows from both, and is its `webhook-id`.

    `attempts` counts the posts since it was made or replayed, `answer` is the last one's HTTP status, where there was
    one.  It is forgotten some time after it has ended, as the inbox is.
    """

    delivery_id: str
    subscription_id: str
    event: str
    type: EventType
    data: News
    status: DeliveryStatus
    at: datetime
    attempts: int = 0
    replays: int = 0
    answer: int | None = None
    reason: str | None = None
    next_at: datetime | None = None
    ended_at: datetime | None = None


AUDIENCES = Table(Audience, "audiences", key="audience_id")
DELIVERIES = Table(Delivery, "deliveries", key="delivery_id", expires="ended_at")
SUBSCRIPTIONS = Table(Subscription, "subscriptions", key="subscription_id")
