"""Orders as a service: which records each message needs, and which rule decides.

Only placing needs more than the order itself.  It looks at the customer's earlier unpaid orders (`then`), so that the
way of an order never has to touch the customer's slots: they are freed by the order being settled, without a write.
Late money looks at the slots too: an order that it revives must have its own still, or find a free one.  For that it
takes another look (`LateMoney`), since the order names its customer's slots, and only these name who took them.
"""

from collections.abc import Sequence
from typing import Any

from sagamart.contracts.accounts import CustomerErased
from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.payments import PaymentCaptured, PaymentHeld, PaymentRedirected
from sagamart.contracts.shipping import DeliveryMethodChanged
from sagamart.contracts.stock import SkuBackInStock, SkuSoldOut
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Body, Message
from sagamart.messaging.operator_actions import OPERATOR_ACTIONS
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.orders import forgetting
from sagamart.shop.orders.baskets import fill
from sagamart.shop.orders.copies import copy_availability, copy_delivery, copy_product
from sagamart.shop.orders.facts import FACTS
from sagamart.shop.orders.messages import (
    CallOffOrder,
    CancelOrder,
    ChangeOrder,
    FillBasket,
    ForgetOrdersAgain,
    LateMoney,
    MoveOrder,
    OrderDeadline,
    OrderTracesFound,
    OrderTracesSought,
    PayOrder,
    PlaceOrder,
    ReturnItems,
    WantedDelivery,
)
from sagamart.shop.orders.operating import call_off
from sagamart.shop.orders.placing import change_order, emptied, filled, place
from sagamart.shop.orders.records import (
    BASKETS,
    DELIVERY_COPIES,
    ORDERS,
    PRODUCT_COPIES,
    UNPAID_ORDERS,
    Basket,
    DeliveryCopy,
    Order,
    ProductCopy,
    UnpaidOrders,
)
from sagamart.shop.orders.stepping import emitted_for, step
from sagamart.shop.orders.wishes import grant, seek_slot, take_money

MONEY_THAT_REVIVES: tuple[type[Body], ...] = (PaymentHeld, PaymentCaptured)
HEARD: tuple[type[Body], ...] = (*FACTS, PaymentRedirected, OrderDeadline)
WISHES: tuple[type[Body], ...] = (PayOrder, CancelOrder, MoveOrder, ReturnItems)


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
        *_method(body.delivery),
        *_basket(body),
    )


def _basket(body: PlaceOrder) -> Sequence[Need]:
    return (need(Basket, body.customer_id),) if body.from_basket else ()


def _method(delivery: WantedDelivery | None) -> Sequence[Need]:
    return () if delivery is None else (need(DeliveryCopy, delivery.method),)


def _found(have: Records, delivery: WantedDelivery | None) -> DeliveryCopy | None:
    return None if delivery is None else have.find(DeliveryCopy, delivery.method)


def _earlier(message: Message[PlaceOrder], have: Records) -> Sequence[Need]:
    slots = have.find(UnpaidOrders, message.body.customer_id)
    earlier = (need(Order, *slots.order_ids),) if slots is not None else ()
    return (*earlier, need(ProductCopy, *_laid_aside(message, have))) if message.body.from_basket else earlier


def _laid_aside(message: Message[PlaceOrder], have: Records) -> Sequence[str]:
    basket = have.find(Basket, message.body.customer_id)
    return tuple(line.sku for line in basket.lines) if basket is not None else ()


def _place(message: Message[PlaceOrder], have: Records) -> Decision:
    body = message.body
    slots = have.find(UnpaidOrders, body.customer_id)
    earlier = have.pick(Order, slots.order_ids if slots is not None else ())
    method = _found(have, body.delivery)
    if not body.from_basket:
        return place(message, slots, earlier, have.pick(ProductCopy, body.skus), method)
    basket = have.find(Basket, body.customer_id)
    products = have.pick(ProductCopy, _laid_aside(message, have))
    return emptied(place(filled(message, basket), slots, earlier, products, method), message, basket)


def _kept(message: Message[ChangeOrder], have: Records) -> Sequence[Need]:
    """What the order keeps of its lines and its delivery: delivery by weight depends on both."""
    body, order = message.body, have.find(Order, message.body.order_id)
    if order is None:
        return ()
    if body.lines is None:
        return (need(ProductCopy, *order.skus),) if order.skus else ()
    kept = order.plan.delivery if body.delivery is None else None
    return () if kept is None else (need(DeliveryCopy, kept.method),)


def _change(message: Message[ChangeOrder], have: Records) -> Decision:
    copies = have.all(ProductCopy), have.all(DeliveryCopy)
    return change_order(message, have.find(Order, message.body.order_id), *copies)


def _granted(message: Message[Any], have: Records) -> Decision:
    return grant(message, have.find(Order, message.body.order_id))


def _slots(message: Message[Any], have: Records) -> Sequence[Need]:
    order = have.find(Order, message.body.order_id)
    return (need(UnpaidOrders, order.customer_id),) if order is not None and order.status == "cancelled" else ()


def _late(message: Message[Any], have: Records) -> Decision:
    order = have.get(Order, message.body.order_id)
    slots = have.find(UnpaidOrders, order.customer_id) if order.status == "cancelled" else None
    return take_money(message, order, slots)


def _taken(message: Message[LateMoney], have: Records) -> Sequence[Need]:
    return (need(Order, *have.get(UnpaidOrders, message.body.customer_id).order_ids),)


def _sought(message: Message[LateMoney], have: Records) -> Decision:
    slots = have.get(UnpaidOrders, message.body.customer_id)
    return seek_slot(message, have.get(Order, message.body.order_id), slots, have.pick(Order, slots.order_ids))


def _sku(message: Message[Any]) -> Sequence[Need]:
    return (need(ProductCopy, message.body.sku),)


FORGETTING: Sequence[Handler[Any]] = (
    Handler(
        takes=CustomerErased,
        needs=lambda m: (need(Basket, m.body.customer_id),),
        decide=lambda m, have: forgetting.begin(m, have.find(Basket, m.body.customer_id)),
        emits=(OrderTracesSought,),
    ),
    Handler(
        takes=OrderTracesFound,
        needs=lambda m: (need(Order, *m.body.order_ids),) if m.body.order_ids else (),
        decide=lambda m, have: forgetting.forget(m, [have.get(Order, one) for one in m.body.order_ids]),
        emits=(OrderTracesSought, ForgetOrdersAgain),
    ),
    Handler(
        takes=ForgetOrdersAgain,
        decide=lambda m, _have: forgetting.look_again(m),
        emits=(OrderTracesSought,),
    ),
)

ORDERS_SERVICE = Service(
    "orders",
    tables=(UNPAID_ORDERS, ORDERS, PRODUCT_COPIES, DELIVERY_COPIES, BASKETS, OPERATOR_ACTIONS),
    migrations="sagamart.shop.orders.migrations",
    handlers=(
        Handler(takes=PlaceOrder, needs=_wish, then=_earlier, decide=_place, emits=emitted_for(PlaceOrder)),
        Handler(
            takes=ChangeOrder,
            needs=lambda m: (*_order(m), need(ProductCopy, *m.body.skus), *_method(m.body.delivery)),
            then=_kept,
            decide=_change,
            emits=emitted_for(ChangeOrder),
        ),
        Handler(
            takes=CallOffOrder,
            needs=_order,
            decide=lambda m, have: call_off(m, have.find(Order, m.body.order_id)),
            emits=emitted_for(CancelOrder),
        ),
        *(Handler(takes=kind, needs=_order, decide=_granted, emits=emitted_for(kind)) for kind in WISHES),
        *(
            Handler(takes=kind, needs=_order, then=_slots, decide=_late, emits=(*emitted_for(kind), LateMoney))
            for kind in MONEY_THAT_REVIVES
        ),
        Handler(
            takes=LateMoney,
            needs=lambda m: (need(UnpaidOrders, m.body.customer_id), *_order(m)),
            then=_taken,
            decide=_sought,
            emits=tuple(dict.fromkeys(one for kind in MONEY_THAT_REVIVES for one in emitted_for(kind))),
        ),
        *(
            Handler(takes=kind, needs=_order, decide=_step, emits=emitted_for(kind))
            for kind in HEARD
            if kind not in MONEY_THAT_REVIVES
        ),
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
        Handler(
            takes=DeliveryMethodChanged,
            needs=lambda m: (need(DeliveryCopy, m.body.method),),
            decide=lambda m, have: copy_delivery(m.body, have.find(DeliveryCopy, m.body.method)),
        ),
        Handler(
            takes=FillBasket,
            needs=lambda m: (need(Basket, m.body.customer_id),),
            decide=lambda m, have: fill(m, have.find(Basket, m.body.customer_id)),
        ),
        *FORGETTING,
    ),
    outside=(OrderTracesSought,),
)
