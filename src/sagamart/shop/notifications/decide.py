"""The rules of notifications: who is told what, once per turn, whatever arrives how often."""

from typing import Any

import msgspec

from sagamart.contracts.accounts import EmailConfirmationRequested, LetterRequested, PasswordResetRequested
from sagamart.contracts.orders import OrderCancelled, OrderCompleted
from sagamart.contracts.wallet import WalletOpened
from sagamart.messaging.decision import NOTHING, Decision
from sagamart.messaging.message import Body, Message
from sagamart.shop.notifications.messages import EmailRequested, SmsRequested
from sagamart.shop.notifications.records import (
    Channel,
    Dispatch,
    Facts,
    Kind,
    Notification,
    Preferences,
    ShortProduct,
)

Turn = OrderCompleted | OrderCancelled | WalletOpened | EmailConfirmationRequested | PasswordResetRequested

KINDS: dict[type[Turn], Kind] = {
    OrderCompleted: "order_completed",
    OrderCancelled: "order_cancelled",
    WalletOpened: "wallet_opened",
    EmailConfirmationRequested: "email_confirmation",
    PasswordResetRequested: "password_reset",
}

LETTERS = frozenset[Kind](("email_confirmation", "password_reset"))
"""Kinds that go by e-mail, whatever their customer prefers: they were asked for."""

LISTED_ONLY = frozenset[Kind](("wallet_opened",))
"""Kinds that no message is worth."""

REQUESTS: dict[Channel, type[EmailRequested | SmsRequested]] = {"email": EmailRequested, "sms": SmsRequested}


def turn_of(body: Turn) -> str:
    """The business key of what a person is told: the order, customer or link, and the turn that it took."""
    subject = body.token_id if isinstance(body, LetterRequested) else body.key
    return f"{subject}/{KINDS[type(body)]}"


def dispatch_id(turn: str, channel: Channel) -> str:
    """The business key of a notification by one channel."""
    return f"{turn}/{channel}"


def tell(
    message: Message[Any],
    earlier: Notification | None,
    preferences: Preferences | None = None,
    channels: tuple[Channel, ...] = (),
) -> Decision:
    """Keep what there is to tell, once; send it by those of the shop's channels that its customer wants."""
    if earlier is not None:
        return NOTHING
    body: Turn = message.body
    kind = KINDS[type(body)]
    told = Notification(1, turn_of(body), body.customer_id, kind, facts_of(body), message.at)
    chosen = [one for one in channels if is_wanted(kind, one, preferences)]
    saved: list[msgspec.Struct] = [told]
    sent: list[Body] = []
    for channel in chosen:
        key = dispatch_id(told.notification_id, channel)
        saved.append(Dispatch(1, key, told.notification_id, told.customer_id, channel, "pending", message.at))
        sent.append(REQUESTS[channel](key, told.customer_id, kind, told.facts))
    return Decision(save=saved, send=sent)


def is_wanted(kind: Kind, channel: Channel, preferences: Preferences | None) -> bool:
    """Whether this kind of message goes to somebody by this channel.  No preferences: e-mail only."""
    if kind in LISTED_ONLY or (preferences is not None and preferences.erased):
        return False
    if kind in LETTERS:
        return channel == "email"
    if channel == "email":
        return preferences is None or preferences.email
    return preferences is not None and preferences.sms


def facts_of(body: Turn) -> Facts:
    """What there is to say about a turn."""
    match body:
        case OrderCompleted():
            return Facts(body.order_id, body.total_minor, body.currency)
        case OrderCancelled():
            return _cancelled(body)
        case WalletOpened():
            return Facts(currency=body.currency)
        case EmailConfirmationRequested() | PasswordResetRequested():
            return Facts(token_id=body.token_id)


def _cancelled(body: OrderCancelled) -> Facts:
    titles = {line.sku: line.title for line in body.lines}
    short = tuple(
        ShortProduct(line.sku, titles.get(line.sku, line.sku), line.wanted, line.available) for line in body.short
    )
    return Facts(body.order_id, body.total_minor, body.currency, body.reason, short, body.available_minor)
