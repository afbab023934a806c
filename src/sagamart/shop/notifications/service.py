"""Notifications as a service: which records each message needs, and which rule decides.

Where no channel is switched on, a turn costs its one row: preferences are not even read.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from sagamart.contracts.accounts import CustomerErased
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.notifications import dispatching, preferring
from sagamart.shop.notifications.decide import KINDS, dispatch_id, tell, turn_of
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
    Notification,
    Preferences,
)


class NotificationRules(msgspec.Struct, frozen=True):
    """What a shop decides about telling people.

    `channels` are those that it has a gateway for; a letter of which nothing is known is sent again after `repeat_s`.
    """

    channels: tuple[Channel, ...] = ()
    repeat_s: float = 60.0


def notifications_service(rules: NotificationRules) -> Service:
    """The notifications of a shop with these rules."""
    return Service(
        "notifications",
        tables=(DISPATCHES, PREFERENCES, TOLD),
        migrations="sagamart.shop.notifications.migrations",
        handlers=(*_turns(rules), *_dispatches(rules), *_PEOPLE),
        outside=(EmailRequested, SmsRequested),
    )


def _turns(rules: NotificationRules) -> Sequence[Handler[Any]]:
    channels = rules.channels

    def needs(message: Message[Any]) -> Sequence[Need]:
        turn = turn_of(message.body)
        told = need(Notification, turn)
        if not channels:
            return (told,)
        dispatches = need(Dispatch, *(dispatch_id(turn, channel) for channel in channels))
        return dispatches, need(Preferences, message.body.customer_id), told

    def decide(message: Message[Any], have: Records) -> Any:
        preferences = have.find(Preferences, message.body.customer_id) if channels else None
        return tell(message, have.find(Notification, turn_of(message.body)), preferences, channels)

    return [Handler(takes=kind, needs=needs, decide=decide, emits=(EmailRequested, SmsRequested)) for kind in KINDS]


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
