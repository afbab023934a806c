"""The rules of subscriptions: who is told of orders, of what, and signed with what."""

from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.notifications.webhook_messages import (
    ChangeWebhook,
    CreateWebhook,
    DeleteWebhook,
    ReplaceWebhookSecret,
)
from sagamart.shop.notifications.webhook_records import (
    AUDIENCE_ID,
    Audience,
    EventType,
    Listener,
    Subscription,
    SubscriptionStatus,
)

SUBSCRIPTIONS_MAX = 50
FORMER_SECRET_S = 86_400
"""How long the former secret signs too."""


class UnknownWebhook(Refusal, frozen=True):
    """There is none of this id, or there is no more."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such webhook"


class TooManyWebhooks(Refusal, frozen=True):
    """Every order is told to each of them, so they are bounded."""

    title: ClassVar[str] = "There are as many active webhooks as there may be"

    active_max: int = SUBSCRIPTIONS_MAX


class WebhookChanged(Refusal, frozen=True):
    """Somebody else has changed it since the caller looked."""

    status: ClassVar[int] = 412
    title: ClassVar[str] = "The webhook has changed meanwhile; read it again"

    version: int


class WebhookView(msgspec.Struct, frozen=True):
    """A subscription as the staff sees it: without its secret."""

    id: str
    version: int
    url: str
    events: tuple[EventType, ...]
    note: str
    status: SubscriptionStatus
    made_by: str
    made_at: datetime
    former_secret_until: datetime | None = None


def view(one: Subscription) -> WebhookView:
    """What may be seen of it."""
    return WebhookView(
        one.subscription_id,
        one.version,
        one.url,
        one.events,
        one.note,
        one.status,
        one.made_by,
        one.made_at,
        one.former_until,
    )


def create(message: Message[CreateWebhook], before: Subscription | None, audience: Audience | None) -> Decision:
    """Tell this receiver from now on."""
    body = message.body
    if before is not None:
        raise AssertionError(f"{body.subscription_id} was given twice")
    fresh = Subscription(
        1, body.subscription_id, body.url, body.events, body.note, "active", body.secret, body.by, message.at
    )
    return _kept(fresh, audience, status=201)


def change(message: Message[ChangeWebhook], before: Subscription | None, audience: Audience | None) -> Decision:
    """Take what is named, leave the rest."""
    body = message.body
    if before is None or before.status == "deleted":
        return Decision(reply=UnknownWebhook())
    if body.expected_version != before.version:
        return Decision(reply=WebhookChanged(before.version))
    after = msgspec.structs.replace(
        before,
        version=before.version + 1,
        url=before.url if body.url is None else body.url,
        events=before.events if body.events is None else body.events,
        note=before.note if body.note is None else body.note,
        status=before.status if body.active is None else "active" if body.active else "paused",
    )
    return _kept(after, audience)


def replace_secret(message: Message[ReplaceWebhookSecret], before: Subscription | None) -> Decision:
    """Sign with the new one, and with the former one as long as the receiver may not know the new one."""
    if before is None or before.status == "deleted":
        return Decision(reply=UnknownWebhook())
    after = msgspec.structs.replace(
        before,
        version=before.version + 1,
        secret=message.body.secret,
        former_secret=before.secret,
        former_until=message.at + timedelta(seconds=FORMER_SECRET_S),
    )
    return Decision(save=[after], reply=Reply(200, view(after)))


def delete(_message: Message[DeleteWebhook], before: Subscription | None, audience: Audience | None) -> Decision:
    """Keep that there was one, without its secret."""
    if before is None or before.status == "deleted":
        return Decision(reply=UnknownWebhook())
    after = msgspec.structs.replace(
        before, version=before.version + 1, status="deleted", secret="", former_secret=None, former_until=None
    )
    return Decision(save=[after, *audience_with(after, audience)], reply=Reply(204))


def gone(before: Subscription, audience: Audience | None) -> tuple[msgspec.Struct, ...]:
    """The rows that say that this receiver wants no more."""
    if before.status != "active":
        return ()
    after = msgspec.structs.replace(before, version=before.version + 1, status="gone")
    return after, *audience_with(after, audience)


def _kept(after: Subscription, audience: Audience | None, status: int = 200) -> Decision:
    told = audience_with(after, audience)
    if any(len(one.listeners) > SUBSCRIPTIONS_MAX for one in told):
        return Decision(reply=TooManyWebhooks())
    location = f"/v1/webhooks/{after.subscription_id}"
    return Decision(save=[after, *told], reply=Reply(status, view(after), location if status == 201 else None))  # noqa: PLR2004  RFC 9110


def audience_with(one: Subscription, before: Audience | None) -> tuple[Audience, ...]:
    """The audience as this subscription leaves it, where that is another one."""
    listeners = () if before is None else before.listeners
    others = tuple(listener for listener in listeners if listener.subscription_id != one.subscription_id)
    mine = (Listener(one.subscription_id, one.events),) if one.status == "active" else ()
    after = tuple(sorted((*others, *mine), key=lambda listener: listener.subscription_id))
    if after == listeners:
        return ()
    return (Audience(1 if before is None else before.version + 1, AUDIENCE_ID, after),)
