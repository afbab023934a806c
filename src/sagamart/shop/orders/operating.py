"""What operators do to orders: call one off, with a reason that is kept."""

from msgspec.structs import replace

from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Message
from sagamart.messaging.operator_actions import OperatorAction
from sagamart.shop.orders.messages import CallOffOrder, CancelOrder
from sagamart.shop.orders.records import Order
from sagamart.shop.orders.wishes import grant


def call_off(message: Message[CallOffOrder], order: Order | None) -> Decision:
    """Cancel it as staff do: what it reserved and held is let go, what it paid is refunded.

    Kept is what changed something: to call off what is called off already has no effect and leaves no record.
    """
    body = message.body
    wish = CancelOrder(body.order_id, body.caller_id, staff=True, language=body.language)
    decision = grant(replace(message, type=CancelOrder.__name__, body=wish), order)
    after = next((row for row in decision.save if isinstance(row, Order)), None)
    if order is None or after is None:
        return decision
    others = [row for row in decision.save if not isinstance(row, OperatorAction)]
    who_and_why = body.order_id, body.caller_id, body.why, message.at
    act = OperatorAction(message.id, "cancel_order", *who_and_why, order.status, after.status)
    return replace(decision, save=[*others, act])
