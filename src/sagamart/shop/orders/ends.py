"""How an order ended, for services that hear of it by thin events and ask: the event, and the answer to who asks."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from sagamart.contracts.orders import OrderCancelled, OrderCompleted, OrderEnd, OrderFailed, OrderSucceeded
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Body
from sagamart.messaging.service import Handler, Service
from sagamart.platform.http import Queries
from sagamart.shop.orders.records import ORDERS, Order
from sagamart.shop.orders.telling import news

THIN: Mapping[type[Body], type[OrderEnd]] = {OrderCompleted: OrderSucceeded, OrderCancelled: OrderFailed}
"""The thin event of each end."""

_ENDS: Mapping[str, type[OrderCompleted | OrderCancelled]] = {
    "completed": OrderCompleted,
    "returned": OrderCompleted,
    "cancelled": OrderCancelled,
}


def telling_thinly(orders: Service) -> Service:
    """Orders, with a thin event beside each end of an order."""
    return orders.changed(handlers=[_thin(one) for one in orders.handlers.values()])


def _thin(handler: Handler[Any]) -> Handler[Any]:
    thin = tuple(event for end, event in THIN.items() if end in handler.emits)
    if not thin:
        return handler

    def decide(message: Any, have: Any) -> Decision:
        decision = handler.decide(message, have)
        return replace(decision, send=[*decision.send, *(_event(one) for one in decision.send if type(one) in THIN)])

    return replace(handler, decide=decide, emits=(*handler.emits, *thin))


def _event(end: Any) -> OrderEnd:
    return THIN[type(end)](end.order_id, end.customer_id)


async def end_of(queries: Queries, order_id: str) -> OrderCompleted | OrderCancelled | None:
    """What was told when the order ended; None for one that has not ended, or is on its way again."""
    row = await queries.order_by_id(order_id=order_id)
    found = () if row is None else ORDERS.read([row])
    return next((told(one) for one in found), None)


def told(order: Order) -> OrderCompleted | OrderCancelled | None:
    """The end of an order, as a message."""
    kind = _ENDS.get(order.status)
    end = None if kind is None else news(kind, order, order.status, OrderEnd(order.order_id, order.customer_id))
    return end if isinstance(end, OrderCompleted | OrderCancelled) else None
