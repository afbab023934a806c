"""The rules of notifications: who is told what, once per turn, whatever arrives how often."""

from typing import Any

import msgspec

from sagamart.messaging.decision import NOTHING, Decision
from sagamart.messaging.message import Body, Message
from sagamart.shop.notifications.messages import EmailRequested, SmsRequested
from sagamart.shop.notifications.records import Channel, Dispatch, Kind, Notification, Preferences
from sagamart.shop.notifications.turns import facts_of, kind_of, letter_of

LETTERS = frozenset[Kind](
    ("email_confirmation", "password_reset", "email_change", "email_change_announced", "password_changed")
)
"""Kinds that go by e-mail, whatever their customer prefers: they were asked for, or are about its safety."""

NEWS = frozenset[Kind](
    (
        "payment_awaited",
        "order_paid",
        "order_shipped",
        "order_completed",
        "order_cancelled",
        "order_refunded",
        "order_revived",
        "order_change_undone",
        "address_not_changed",
    )
)
"""Kinds that are worth a message; the others are in the list only."""

REQUESTS: dict[Channel, type[EmailRequested | SmsRequested]] = {"email": EmailRequested, "sms": SmsRequested}


def dispatch_id(letter: str, channel: Channel) -> str:
    """The business key of a turn by one channel."""
    return f"{letter}/{channel}"


def tell(
    message: Message[Any],
    turn: str,
    earlier: Notification | None,
    preferences: Preferences | None = None,
    channels: tuple[Channel, ...] = (),
) -> Decision:
    """Keep what there is to tell, once; send it by these channels, where its customer wants that."""
    body = message.body
    if earlier is not None or not body.customer_id:  # an older version of its sender does not say whose it is
        return NOTHING
    kind = kind_of(body)
    told = Notification(1, turn, body.customer_id, kind, facts_of(body), message.at)
    saved: list[msgspec.Struct] = [told]
    sent: list[Body] = []
    for channel in channels:
        if is_wanted(kind, channel, preferences):
            key = dispatch_id(letter_of(body), channel)
            saved.append(Dispatch(1, key, told.notification_id, told.customer_id, channel, "pending", message.at))
            sent.append(REQUESTS[channel](key, told.customer_id, kind, told.facts))
    return Decision(save=saved, send=sent)


def is_wanted(kind: Kind, channel: Channel, preferences: Preferences | None) -> bool:
    """Whether this kind of message goes to somebody by this channel.  No preferences: e-mail only."""
    if preferences is not None and preferences.erased:
        return False
    if kind in LETTERS:
        return channel == "email"
    if kind not in NEWS:
        return False
    if channel == "email":
        return preferences is None or preferences.email
    return preferences is not None and preferences.sms
