"""Turns among the handlers of notifications: which records each needs, and what follows for people and webhooks.

Every completed order comes through here, so what costs is left out: without channels nobody's preferences are read, and
without subscriptions there is no audience and nothing more to ask for.
"""

from collections.abc import Sequence
from typing import Any

from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Body, Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler
from sagamart.shop.notifications.decide import dispatch_id, tell
from sagamart.shop.notifications.delivering import deliveries_of
from sagamart.shop.notifications.messages import EmailRequested, SmsRequested
from sagamart.shop.notifications.records import Channel, Dispatch, Notification, Preferences
from sagamart.shop.notifications.turns import TELLINGS, letter_of, turn_of
from sagamart.shop.notifications.webhook_messages import DeliveryRequested
from sagamart.shop.notifications.webhook_records import AUDIENCE_ID, EVENTS, Audience, Delivery

_HEARD = need(Audience, AUDIENCE_ID)


def turn_handlers(channels: tuple[Channel, ...]) -> Sequence[Handler[Any]]:
    """A handler for each message that people or webhooks are told of."""
    return [_handler(takes, telling.kind in EVENTS, channels) for takes, telling in TELLINGS.items()]


def _handler(takes: type[Body], posted: bool, channels: tuple[Channel, ...]) -> Handler[Any]:  # noqa: FBT001  private
    def needs(message: Message[Any]) -> Sequence[Need]:
        told = need(Notification, turn_of(message.body))
        heard = (_HEARD, told) if posted else (told,)
        if not channels:
            return heard
        letter = letter_of(message.body)
        dispatches = need(Dispatch, *(dispatch_id(letter, channel) for channel in channels))
        return *heard, dispatches, need(Preferences, message.body.customer_id)

    def decide(message: Message[Any], have: Records) -> Decision:
        turn = turn_of(message.body)
        earlier = have.find(Notification, turn)
        if channels:
            letter = letter_of(message.body)
            unused = tuple(one for one in channels if have.find(Dispatch, dispatch_id(letter, one)) is None)
            told = tell(message, turn, earlier, have.find(Preferences, message.body.customer_id), unused)
        else:
            told = tell(message, turn, earlier)
        audience = have.find(Audience, AUDIENCE_ID) if posted and told.save else None
        if audience is None:
            return told
        fresh = [one for one in deliveries_of(message, audience) if _is_news(one, have)]
        posts = [DeliveryRequested(one.delivery_id) for one in fresh]
        return Decision(save=[*told.save, *fresh], send=[*told.send, *posts])

    emits = (EmailRequested, SmsRequested, DeliveryRequested)
    return Handler(takes=takes, needs=needs, then=_deliveries if posted else None, decide=decide, emits=emits)


def _deliveries(message: Message[Any], have: Records) -> Sequence[Need]:
    audience = have.find(Audience, AUDIENCE_ID)
    if audience is None:
        return ()
    fresh = deliveries_of(message, audience)
    if not fresh:
        return ()
    return need(Delivery, *(one.delivery_id for one in fresh)), need(Notification, *{one.event: None for one in fresh})


def _is_news(delivery: Delivery, have: Records) -> bool:
    """Whether this turn was never told: its row in the list outlives its deliveries."""
    return have.find(Delivery, delivery.delivery_id) is None and have.find(Notification, delivery.event) is None
