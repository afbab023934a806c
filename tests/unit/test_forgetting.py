"""Being forgotten: what orders and shipping erase of a customer, what stays, and when they look again."""

from typing import Any

from one_service import OneService
from orders_examples import BOOKED, order_in, shop
from orders_ways import COURIER, LATER, order
from sagamart.contracts.accounts import CustomerErased
from sagamart.contracts.orders import Delivery
from sagamart.messaging.decision import Arm
from sagamart.shop.orders.forgetting import AGAIN_S
from sagamart.shop.orders.messages import (
    CancelOrder,
    FillBasket,
    ForgetOrdersAgain,
    OrderTracesFound,
    OrderTracesSought,
)
from sagamart.shop.orders.records import Basket, BasketLine
from sagamart.shop.shipping.messages import ForgetShipmentsAgain, ShipmentTracesFound, ShipmentTracesSought
from sagamart.shop.shipping.service import SHIPPING

AGAIN = Arm("forget", AGAIN_S, ForgetOrdersAgain("cus_1"))
CANCEL = CancelOrder("ord_1", "cus_1", staff=False)


def found(*order_ids: str, first: bool = True, open_: bool = False, more: bool = False) -> OrderTracesFound:
    return OrderTracesFound("cus_1", first, order_ids, open=open_, more=more)


def an_order(*heard: Any) -> OneService:
    service = shop()
    service.hears(COURIER, order(LATER, shipped=True), BOOKED, *heard)
    return service


def test_who_is_erased_has_orders_looked_for_and_the_basket_emptied() -> None:
    service = shop()
    service.hears(FillBasket("cus_1", (BasketLine("CUP", 1),), None))

    decision = service.hears(CustomerErased("cus_1", 2))

    assert decision.send == [OrderTracesSought("cus_1", first=True)]
    assert service.record(Basket, "cus_1").lines == ()
    assert service.hears(CustomerErased("cus_1", 2)).save == []


def test_an_order_that_has_ended_forgets_its_address_and_keeps_what_it_cost() -> None:
    service = an_order(CANCEL)
    before = order_in(service)

    decision = service.hears(found("ord_1"))

    after = order_in(service)
    assert (after.plan.delivery, after.version) == (
        Delivery("courier", 30_000, needs_shipment=True),
        before.version + 1,
    )
    assert (after.total_minor, after.status, after.known) == (before.total_minor, before.status, before.known)
    assert (decision.send, decision.timers) == ((), [AGAIN])
    assert service.hears(found("ord_1")).save == []


def test_an_order_that_is_on_its_way_keeps_its_address_and_is_looked_at_again() -> None:
    service = an_order()

    decision = service.hears(found("ord_1", first=False, open_=True))

    assert (list(decision.save), decision.timers) == ([], [AGAIN])
    assert service.hears(ForgetOrdersAgain("cus_1")).send == [OrderTracesSought("cus_1", first=False)]


def test_nobody_looks_again_once_nothing_was_left_a_day_after() -> None:
    service = shop()

    assert service.hears(found()).timers == [AGAIN]
    assert service.hears(found(first=False)).timers == ()


def test_after_a_full_page_the_next_one_is_looked_for_at_once() -> None:
    decision = an_order(CANCEL).hears(found("ord_1", more=True))

    assert (decision.send, decision.timers) == ([OrderTracesSought("cus_1", first=True)], ())


def test_shipping_looks_for_shipments_and_looks_again_until_nothing_is_left() -> None:
    service = OneService(SHIPPING)
    again = Arm("forget", AGAIN_S, ForgetShipmentsAgain("cus_1"))

    assert service.hears(CustomerErased("cus_1", 2)).send == [ShipmentTracesSought("cus_1", first=True)]
    assert service.hears(ShipmentTracesFound("cus_1", True, (), open=True, more=False)).timers == [again]  # noqa: FBT003  the first look
    assert service.hears(ForgetShipmentsAgain("cus_1")).send == [ShipmentTracesSought("cus_1", first=False)]
    assert service.hears(ShipmentTracesFound("cus_1", False, (), open=False, more=False)).timers == ()  # noqa: FBT003  a later look
