"""The one rule of the timeline: whatever is said about an order is written down."""

from datetime import timedelta
from typing import Any

from sagamart.contracts.orders import OrderMessage
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Message
from sagamart.shop.timeline.heard import kept_of
from sagamart.shop.timeline.records import StoryEntry


def write_down(message: Message[Any], kept: timedelta) -> Decision:
    """One message, one row."""
    body = message.body
    of_order = body if isinstance(body, OrderMessage) else None
    entry = StoryEntry(
        message_id=message.id,
        order_id=body.order_id,
        customer_id=of_order.customer_id if of_order is not None else None,
        type=message.type,
        source=message.source,
        node=message.node,
        at=message.at,
        kept_until=message.at + kept,
        cause=message.cause,
        correlation=message.correlation,
        order_version=of_order.version if of_order is not None else None,
        status=of_order.status if of_order is not None else None,
        body=kept_of(body),
    )
    return Decision(save=[entry])
