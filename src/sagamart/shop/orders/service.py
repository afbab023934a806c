"""Orders as a service: which records each message needs, and which rule decides.

Only placing needs more than the order itself.  It looks at the customer's earlier unpaid orders (`then`), so that the
way of an order never has to touch the customer's slots: they are freed by the order being settled, without a write.
"""

from collections.abc import Sequence
from typing import Any

from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.stock import SkuBackInStock, SkuSoldOut
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.orders.cancelling import call_off
from sagamart.shop.orders.copies import copy_availability, copy_product
from sagamart.shop.orders.decide import FACTS
from sagamart.shop.orders.lifecycle import emitted_for, step
from sagamart.shop.orders.messages import CancelOrder, OrderDeadline, PlaceOrder
from sagamart.shop.orders.placing import place
from sagamart.shop.orders.records import ORDERS, PRODUCT_COPIES, UNPAID_ORDERS, Order, ProductCopy, UnpaidOrders


def _order(message: Message[Any]) -> Sequence[Need]:
    return (need(Order, message.body.order_id),)


def _step(message: Message[Any], have: Records) -> Decision:
    return step(have.get(Order, message.body.order_id), message)


def _wish(message: Message[PlaceOrder]) -> Sequence[Need]:
    body = message.body
    return (
        need(UnpaidOrders, body.customer_id),
        need(Order, body.order_id),
        need(ProductCopy, *body.skus),
    )


def _earlier(message: Message[PlaceOrder], have: Records) -> Sequence[Need]:
    slots = have.find(UnpaidOrders, message.body.customer_id)
    return (need(Order, *slots.order_ids),) if slots is not None else ()


def _sku(message: Message[Any]) -> Sequence[Need]:
    return (need(ProductCopy, message.body.sku),)


def _place(message: Message[PlaceOrder], have: Records) -> Decision:
    slots = have.find(UnpaidOrders, message.body.customer_id)
    earlier = have.pick(Order, slots.order_ids if slots is not None else ())
    return place(message, slots, earlier, have.pick(ProductCopy, message.body.skus))


ORDERS_SERVICE = Service(
    "orders",
    tables=(UNPAID_ORDERS, ORDERS, PRODUCT_COPIES),
    migrations="sagamart.shop.orders.migrations",
    handlers=(
        Handler(takes=PlaceOrder, needs=_wish, then=_earlier, decide=_place, emits=emitted_for(PlaceOrder)),
        Handler(
            takes=CancelOrder,
            needs=_order,
            decide=lambda m, have: call_off(m, have.find(Order, m.body.order_id)),
            emits=emitted_for(CancelOrder),
        ),
        *(Handler(takes=kind, needs=_order, decide=_step, emits=emitted_for(kind)) for kind in (*FACTS, OrderDeadline)),
        Handler(
            takes=ProductChanged,
            needs=_sku,
            decide=lambda m, have: copy_product(m.body, have.find(ProductCopy, m.body.sku)),
        ),
        *(
            Handler(
                takes=kind,
                needs=_sku,
                decide=lambda m, have: copy_availability(m.body, have.find(ProductCopy, m.body.sku)),
            )
            for kind in (SkuSoldOut, SkuBackInStock)
        ),
    ),
)
