"""Notifications as a service: which records each message needs, and which rule decides."""

from collections.abc import Sequence
from typing import Any

import msgspec

from sagamart.contracts.accounts import CustomerErased
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.notifications import dispatching, preferring
from sagamart.shop.notifications.messages import (
    ChangePreferences,
    DispatchMessage,
    EmailRepeatDue,
    EmailRequested,
    MessageNotSent,
    MessageSent,
    SendingUnknown,
    SmsRequested,
)
from sagamart.shop.notifications.records import (
    DISPATCHES,
    PREFERENCES,
    TOLD,
    Channel,
    Dispatch,
    Preferences,
)
from sagamart.shop.notifications.turn_handlers import turn_handlers
from sagamart.shop.notifications.webhook_handlers import webhook_handlers
from sagamart.shop.notifications.webhook_messages import DeliveryRequested
from sagamart.shop.notifications.webhook_records import (
    AUDIENCES,
    DELIVERIES,
    SUBSCRIPTIONS,
)


class NotificationRules(msgspec.Struct, frozen=True):
    """What a shop decides about telling people.

    `channels` are those that it has a gateway for; a letter of which nothing is known is sent again after `repeat_s`,
    and a webhook's delivery that failed is tried again after `retry_s`, each time later.
    """

    channels: tuple[Channel, ...] = ()
    repeat_s: float = 60.0
    retry_s: float = 5.0


def notifications_service(rules: NotificationRules) -> Service:
    """The notifications of a shop with these rules."""
    return Service(
        "notifications",
        tables=(AUDIENCES, DELIVERIES, DISPATCHES, PREFERENCES, SUBSCRIPTIONS, TOLD),
        migrations="sagamart.shop.notifications.migrations",
        handlers=(*turn_handlers(rules.channels), *_dispatches(rules), *_PEOPLE, *webhook_handlers(rules.retry_s)),
        outside=(EmailRequested, SmsRequested, DeliveryRequested),
    )


def _dispatches(rules: NotificationRules) -> Sequence[Handler[Any]]:
    return (
        Handler(
            takes=MessageSent,
            needs=_dispatch,
            decide=lambda m, have: dispatching.sent(m, have.get(Dispatch, m.body.dispatch_id)),
        ),
        Handler(
            takes=MessageNotSent,
            needs=_dispatch,
            decide=lambda m, have: dispatching.not_sent(m, have.get(Dispatch, m.body.dispatch_id)),
        ),
        Handler(
            takes=SendingUnknown,
            needs=_dispatch,
            decide=lambda m, have: dispatching.sending_unknown(
                m, have.get(Dispatch, m.body.dispatch_id), rules.repeat_s
            ),
            emits=(EmailRepeatDue,),
        ),
        Handler(
            takes=EmailRepeatDue,
            needs=_dispatch,
            decide=lambda m, have: dispatching.repeat_due(m, have.get(Dispatch, m.body.dispatch_id)),
            emits=(EmailRequested,),
        ),
    )


def _dispatch(message: Message[DispatchMessage]) -> Sequence[Need]:
    return (need(Dispatch, message.body.dispatch_id),)


_PEOPLE = (
    Handler(
        takes=ChangePreferences,
        needs=lambda m: (need(Preferences, m.body.customer_id),),
        decide=lambda m, have: preferring.change_preferences(m.body, have.find(Preferences, m.body.customer_id)),
    ),
    Handler(
        takes=CustomerErased,
        needs=lambda m: (need(Preferences, m.body.customer_id),),
        decide=lambda m, have: preferring.forget(m.body, have.find(Preferences, m.body.customer_id)),
    ),
)

NOTIFICATIONS = notifications_service(NotificationRules())
"""Notifications of a shop that keeps its messages for the list only."""
