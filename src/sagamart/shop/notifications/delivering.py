"""The rules of deliveries: which turns go to which subscriptions, what is tried again, and when that ends.

Rules:
- A turn is delivered to a subscription once: the delivery's key is both.  What is posted again is the same delivery
  under the same id, so that its receiver can tell.
- Deliveries are not kept in order, since one that fails would hold up all others; what they tell has a version.
- Who does not answer is asked again after growing pauses, `ATTEMPTS_MAX` times in all; then it is for the staff to
  replay.
"""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any, ClassVar

import msgspec

from sagamart.contracts.orders import OrderMessage
from sagamart.messaging.decision import NOTHING, Arm, Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.notifications.records import Facts
from sagamart.shop.notifications.subscribing import gone
from sagamart.shop.notifications.turns import facts_of, posted_turns_of
from sagamart.shop.notifications.webhook_messages import (
    DeliveryDue,
    DeliveryFailed,
    DeliveryRequested,
    DeliveryTaken,
    ReplayDelivery,
)
from sagamart.shop.notifications.webhook_records import (
    EVENTS,
    Audience,
    Delivery,
    DeliveryStatus,
    News,
    Subscription,
)

ATTEMPTS_MAX = 12
PAUSE_S = 5.0
PAUSE_FACTOR = 3
PAUSE_S_MAX = 14_400.0
"""5 s, 15 s, 45 s … 4 h: seventeen hours in all."""

RETRY = "delivery retry"


class UnknownDelivery(Refusal, frozen=True):
    """There is none of this id for this webhook, or it was long ago."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such delivery"


class DeliveryUnderWay(Refusal, frozen=True):
    """It has not ended, so it is not made again."""

    title: ClassVar[str] = "The delivery is still under way"


class WebhookNotActive(Refusal, frozen=True):
    """Nothing is posted to a receiver that is paused or gone."""

    title: ClassVar[str] = "The webhook is not active"


def deliveries_of(message: Message[Any], audience: Audience) -> Sequence[Delivery]:
    """A delivery of each turn that this message tells, to each subscription that wants it."""
    told = [(EVENTS[kind], turn) for kind, turn in posted_turns_of(message.body)]
    wanted = [
        (event, turn, one.subscription_id) for event, turn in told for one in audience.listeners if event in one.events
    ]
    if not wanted:
        return ()
    data = news_of(message.body)
    return [
        Delivery(1, delivery_id(turn, to), to, turn, event, data, "pending", message.at) for event, turn, to in wanted
    ]


def delivery_id(turn: str, subscription_id: str) -> str:
    """The same for the same turn and subscription, however often its fact is told."""
    return f"dlv_{blake2b(f'{subscription_id} {turn}'.encode(), digest_size=16).hexdigest()}"


def news_of(body: Any) -> News:
    """What a webhook tells of a turn."""
    facts = facts_of(body)
    told = {name: getattr(facts, name) for name in Facts.__struct_fields__}
    if isinstance(body, OrderMessage):
        return News(**told, customer_id=body.customer_id, version=body.version, status=body.status, lines=body.lines)
    return News(**told, customer_id=body.customer_id)


def taken(message: Message[DeliveryTaken], delivery: Delivery) -> Decision:
    """The receiver has it."""
    if delivery.status != "pending":
        return NOTHING
    return Decision(save=[_tried(delivery, "delivered", message, None)])


def failed(
    message: Message[DeliveryFailed],
    delivery: Delivery | None,
    subscription: Subscription | None,
    audience: Audience | None,
    pause_s: float,
) -> Decision:
    """Try again after a pause, or give up; `pause_s` is the first one."""
    body = message.body
    if delivery is None or delivery.status != "pending":
        return NOTHING
    if body.final or delivery.attempts + 1 >= ATTEMPTS_MAX:
        ended = _tried(delivery, "failed", message, body.reason)
        told = gone(subscription, audience) if body.gone and subscription is not None else ()
        return Decision(save=[ended, *told])
    wait_s = min(PAUSE_S_MAX, pause_s * PAUSE_FACTOR**delivery.attempts)
    tried = msgspec.structs.replace(
        _tried(delivery, "pending", message, body.reason), next_at=message.at + timedelta(seconds=wait_s)
    )
    return Decision(save=[tried], timers=[Arm(RETRY, wait_s, DeliveryDue(delivery.delivery_id))])


def due(_message: Message[DeliveryDue], delivery: Delivery) -> Decision:
    """Post it again."""
    return Decision(send=[DeliveryRequested(delivery.delivery_id)]) if delivery.status == "pending" else NOTHING


def replay(message: Message[ReplayDelivery], delivery: Delivery | None, subscription: Subscription | None) -> Decision:
    """Make an ended delivery again, with all its attempts before it."""
    body = message.body
    if delivery is None or delivery.subscription_id != body.subscription_id:
        return Decision(reply=UnknownDelivery())
    if subscription is None or subscription.status != "active":
        return Decision(reply=WebhookNotActive())
    if delivery.status == "pending":
        return Decision(reply=DeliveryUnderWay())
    again = msgspec.structs.replace(
        delivery,
        version=delivery.version + 1,
        status="pending",
        attempts=0,
        replays=delivery.replays + 1,
        reason=None,
        ended_at=None,
    )
    return Decision(save=[again], send=[DeliveryRequested(again.delivery_id)], reply=Reply(202))


def _tried(
    delivery: Delivery, status: DeliveryStatus, message: Message[DeliveryTaken | DeliveryFailed], reason: str | None
) -> Delivery:
    return msgspec.structs.replace(
        delivery,
        version=delivery.version + 1,
        status=status,
        attempts=delivery.attempts + 1,
        answer=message.body.answer,
        reason=reason,
        next_at=None,
        ended_at=None if status == "pending" else message.at,
    )
