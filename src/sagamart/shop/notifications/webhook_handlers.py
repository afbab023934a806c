"""Webhooks among the handlers of notifications: which records each message needs, and which rule decides."""

from collections.abc import Sequence
from typing import Any

from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler
from sagamart.shop.notifications import delivering, subscribing
from sagamart.shop.notifications.webhook_messages import (
    ChangeWebhook,
    CreateWebhook,
    DeleteWebhook,
    DeliveryDue,
    DeliveryFailed,
    DeliveryRequested,
    DeliveryTaken,
    ReplaceWebhookSecret,
    ReplayDelivery,
    WebhookMessage,
)
from sagamart.shop.notifications.webhook_records import AUDIENCE_ID, Audience, Delivery, Subscription


def webhook_handlers(retry_s: float) -> Sequence[Handler[Any]]:
    """What the staff wants, and what came of deliveries; a failed one is tried again after `retry_s` at first."""

    def failed(message: Message[DeliveryFailed], have: Records) -> Any:
        body = message.body
        subscription = have.find(Subscription, body.subscription_id) if body.gone else None
        audience = have.find(Audience, AUDIENCE_ID) if body.gone else None
        delivery = have.find(Delivery, body.delivery_id)
        return delivering.failed(message, delivery, subscription, audience, retry_s)

    return (
        *_SUBSCRIPTIONS,
        Handler(
            takes=DeliveryTaken,
            needs=lambda m: (need(Delivery, m.body.delivery_id),),
            decide=lambda m, have: delivering.taken(m, have.get(Delivery, m.body.delivery_id)),
        ),
        Handler(takes=DeliveryFailed, needs=_failed_needs, decide=failed, emits=(DeliveryDue,)),
        Handler(
            takes=DeliveryDue,
            needs=lambda m: (need(Delivery, m.body.delivery_id),),
            decide=lambda m, have: delivering.due(m, have.get(Delivery, m.body.delivery_id)),
            emits=(DeliveryRequested,),
        ),
        Handler(
            takes=ReplayDelivery,
            needs=lambda m: (need(Delivery, m.body.delivery_id), need(Subscription, m.body.subscription_id)),
            decide=lambda m, have: delivering.replay(
                m, have.find(Delivery, m.body.delivery_id), have.find(Subscription, m.body.subscription_id)
            ),
            emits=(DeliveryRequested,),
        ),
    )


def _failed_needs(message: Message[DeliveryFailed]) -> Sequence[Need]:
    body = message.body
    delivery = need(Delivery, body.delivery_id)
    return (
        (need(Audience, AUDIENCE_ID), delivery, need(Subscription, body.subscription_id)) if body.gone else (delivery,)
    )


def _both(message: Message[WebhookMessage]) -> Sequence[Need]:
    return need(Audience, AUDIENCE_ID), need(Subscription, message.body.subscription_id)


_SUBSCRIPTIONS = (
    Handler(
        takes=CreateWebhook,
        needs=_both,
        decide=lambda m, have: subscribing.create(
            m, have.find(Subscription, m.body.subscription_id), have.find(Audience, AUDIENCE_ID)
        ),
    ),
    Handler(
        takes=ChangeWebhook,
        needs=_both,
        decide=lambda m, have: subscribing.change(
            m, have.find(Subscription, m.body.subscription_id), have.find(Audience, AUDIENCE_ID)
        ),
    ),
    Handler(
        takes=ReplaceWebhookSecret,
        needs=lambda m: (need(Subscription, m.body.subscription_id),),
        decide=lambda m, have: subscribing.replace_secret(m, have.find(Subscription, m.body.subscription_id)),
    ),
    Handler(
        takes=DeleteWebhook,
        needs=_both,
        decide=lambda m, have: subscribing.delete(
            m, have.find(Subscription, m.body.subscription_id), have.find(Audience, AUDIENCE_ID)
        ),
    ),
)
