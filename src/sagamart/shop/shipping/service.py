"""Shipping as a service: which records each message needs, and which rule decides."""

from collections.abc import Sequence
from typing import Any

from sagamart.contracts.accounts import CustomerErased
from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.order_requests import (
    ReturnRequested,
    ShipmentChangeRequested,
    ShipmentRequested,
    ShipmentStopRequested,
)
from sagamart.contracts.orders import DeliveryReported
from sagamart.contracts.shipping import (
    DeliveryMethodChanged,
    ReturnReceived,
    ShipmentCannotBeChanged,
    ShipmentCannotBeStopped,
    ShipmentChanged,
    ShipmentDelivered,
    ShipmentHandedOver,
    ShipmentPending,
    ShipmentRefused,
    ShipmentStopped,
)
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.shipping import forgetting
from sagamart.shop.shipping.decide import (
    change,
    confirm_delivery,
    expect_return,
    hand_over,
    note_delivery,
    receive_return,
    request,
    skus_of,
    stop,
)
from sagamart.shop.shipping.messages import (
    ConfirmDelivery,
    ForgetShipmentsAgain,
    HandOverShipment,
    ReceiveReturn,
    SetMethod,
    ShipmentTracesFound,
    ShipmentTracesSought,
)
from sagamart.shop.shipping.methods import copy_measures, set_method
from sagamart.shop.shipping.records import (
    HAND_OVERS,
    MEASURES,
    METHODS,
    RETURNS,
    SHIPMENTS,
    DeliveryMethod,
    ProductMeasures,
    Return,
    Shipment,
    shipment_id_of,
)


def _wish(message: Message[ShipmentRequested]) -> Sequence[Need]:
    body = message.body
    return (
        need(Shipment, shipment_id_of(body.order_id)),
        need(DeliveryMethod, body.delivery.method),
        need(ProductMeasures, *skus_of(body.lines)),
    )


def _request(message: Message[ShipmentRequested], have: Records) -> Decision:
    body = message.body
    return request(
        message,
        have.find(Shipment, shipment_id_of(body.order_id)),
        have.find(DeliveryMethod, body.delivery.method),
        have.pick(ProductMeasures, skus_of(body.lines)),
    )


def _of_order(message: Message[Any]) -> Sequence[Need]:
    return (need(Shipment, shipment_id_of(message.body.order_id)),)


def _named(message: Message[Any]) -> Sequence[Need]:
    return (need(Shipment, message.body.shipment_id),)


def _found(message: Message[Any], have: Records) -> Shipment | None:
    return have.find(Shipment, message.body.shipment_id)


SHIPPING = Service(
    "shipping",
    tables=(SHIPMENTS, RETURNS, METHODS, MEASURES, HAND_OVERS),
    migrations="sagamart.shop.shipping.migrations",
    handlers=(
        Handler(
            takes=ShipmentRequested,
            needs=_wish,
            decide=_request,
            emits=(ShipmentPending, ShipmentRefused, ShipmentHandedOver, ShipmentDelivered, ShipmentStopped),
        ),
        Handler(
            takes=ShipmentStopRequested,
            needs=_of_order,
            decide=lambda m, have: stop(m, have.find(Shipment, shipment_id_of(m.body.order_id))),
            emits=(ShipmentStopped, ShipmentCannotBeStopped),
        ),
        Handler(
            takes=ShipmentChangeRequested,
            needs=lambda m: (*_of_order(m), need(DeliveryMethod, m.body.delivery.method)),
            decide=lambda m, have: change(
                m,
                have.find(Shipment, shipment_id_of(m.body.order_id)),
                have.find(DeliveryMethod, m.body.delivery.method),
            ),
            emits=(ShipmentChanged, ShipmentCannotBeChanged),
        ),
        Handler(
            takes=DeliveryReported,
            needs=_of_order,
            decide=lambda m, have: note_delivery(m, have.find(Shipment, shipment_id_of(m.body.order_id))),
            emits=(ShipmentDelivered,),
        ),
        Handler(
            takes=ReturnRequested,
            needs=lambda m: (need(Return, m.body.return_id),),
            decide=lambda m, have: expect_return(m.body, have.find(Return, m.body.return_id)),
            emits=(ReturnReceived,),
        ),
        Handler(
            takes=HandOverShipment,
            needs=_named,
            decide=lambda m, have: hand_over(m, _found(m, have)),
            emits=(ShipmentHandedOver,),
        ),
        Handler(
            takes=ConfirmDelivery,
            needs=_named,
            decide=lambda m, have: confirm_delivery(m, _found(m, have)),
            emits=(ShipmentDelivered,),
        ),
        Handler(
            takes=ReceiveReturn,
            needs=lambda m: (*_named(m), need(Return, m.body.return_id)),
            decide=lambda m, have: receive_return(m, _found(m, have), have.find(Return, m.body.return_id)),
            emits=(ReturnReceived,),
        ),
        Handler(
            takes=SetMethod,
            needs=lambda m: (need(DeliveryMethod, m.body.method),),
            decide=lambda m, have: set_method(m.body, have.find(DeliveryMethod, m.body.method)),
            emits=(DeliveryMethodChanged,),
        ),
        Handler(
            takes=ProductChanged,
            needs=lambda m: (need(ProductMeasures, m.body.sku),),
            decide=lambda m, have: copy_measures(m.body, have.find(ProductMeasures, m.body.sku)),
        ),
        Handler(takes=CustomerErased, decide=lambda m, _have: forgetting.begin(m), emits=(ShipmentTracesSought,)),
        Handler(
            takes=ShipmentTracesFound,
            needs=lambda m: (need(Shipment, *m.body.shipment_ids),) if m.body.shipment_ids else (),
            decide=lambda m, have: forgetting.forget(m, [have.get(Shipment, one) for one in m.body.shipment_ids]),
            emits=(ShipmentTracesSought, ForgetShipmentsAgain),
        ),
        Handler(
            takes=ForgetShipmentsAgain,
            decide=lambda m, _have: forgetting.look_again(m),
            emits=(ShipmentTracesSought,),
        ),
    ),
    outside=(ShipmentTracesSought,),
)
