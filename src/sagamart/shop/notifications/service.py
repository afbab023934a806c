"""Notifications as a service: which records each message needs, and which rule decides.

Where no channel is switched on and nobody has subscribed, a turn costs its one row: preferences are not even read.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from sagamart.contracts.accounts import CustomerErased
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.notifications import dispatching, preferring
from sagamart.shop.notifications.decide import dispatch_id, tell
from sagamart.shop.notifications.delivering import deliveries_of
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
from sagamart.shop.notifications.turns import KINDS, turn_of
from sagamart.shop.notifications.webhook_handlers import webhook_handlers
from sagamart.shop.notifications.webhook_messages import DeliveryRequested
from sagamart.shop.notifications.webhook_records import (
    AUDIENCE_ID,
    AUDIENCES,
    DELIVERIES,
    EVENTS,
    SUBSCRIPTIONS,
    Audience,
    Delivery,
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
        handlers=(*_turns(rules), *_dispatches(rules), *_PEOPLE, *webhook_handlers(rules.retry_s)),
        outside=(EmailRequested, SmsRequested, DeliveryRequested),
    )


def _turns(rules: NotificationRules) -> Sequence[Handler[Any]]:
    channels = rules.channels

    def needs(message: Message[Any]) -> Sequence[Need]:
        body, turn = message.body, turn_of(message.body)
        heard = (need(Audience, AUDIENCE_ID),) if KINDS[type(body)] in EVENTS else ()
        told = need(Notification, turn.listed)
        if not channels:
            return *heard, told
        dispatches = need(Dispatch, *(dispatch_id(turn.letter, channel) for channel in channels))
        return *heard, dispatches, need(Preferences, body.customer_id), told

    def deliveries(message: Message[Any], have: Records) -> Sequence[Delivery]:
        heard = KINDS[type(message.body)] in EVENTS
        return deliveries_of(message, have.find(Audience, AUDIENCE_ID)) if heard else ()

    def then(message: Message[Any], have: Records) -> Sequence[Need]:
        fresh = deliveries(message, have)
        return (need(Delivery, *(one.delivery_id for one in fresh)),) if fresh else ()

    def decide(message: Message[Any], have: Records) -> Decision:
        turn = turn_of(message.body)
        preferences = have.find(Preferences, message.body.customer_id) if channels else None
        unused = tuple(one for one in channels if have.find(Dispatch, dispatch_id(turn.letter, one)) is None)
        told = tell(message, have.find(Notification, turn.listed), preferences, unused)
        if not told.save:
            return told
        fresh = [one for one in deliveries(message, have) if have.find(Delivery, one.delivery_id) is None]
        if not fresh:
            return told
        return Decision(
            save=[*told.save, *fresh], send=[*told.send, *(DeliveryRequested(one.delivery_id) for one in fresh)]
        )

    emits = (EmailRequested, SmsRequested, DeliveryRequested)
    return [Handler(takes=kind, needs=needs, then=then, decide=decide, emits=emits) for kind in KINDS]


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
