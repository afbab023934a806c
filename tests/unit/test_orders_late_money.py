"""Late money: it revives an order that was given up for want of it, where a slot is free, or goes back."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from one_service import OneService
from orders_examples import BOOKED, CANCEL, deadline, names, order_in
from orders_ways import captured, held, order, pays, rules, shop_with
from sagamart.contracts.stock import StockRefused
from sagamart.messaging.decision import NOTHING, Arm, Decision
from sagamart.messaging.message import Body
from sagamart.shop.orders.messages import OrderDeadline
from sagamart.shop.orders.records import Terms, UnpaidOrders

REVIVING = Terms(later=True, revive=True)


def closed_on_a_payment(terms: Terms) -> OneService:
    """An order whose payment took too long, and whose window closed after it."""
    service = shop_with(order(terms), BOOKED, pays("bank"))
    service.now += timedelta(seconds=900)
    service.hears(deadline("pay_pending"))
    service.hears(deadline("booked"))
    assert order_in(service).reason == "payment_timeout"
    service.sent.clear()
    return service


def test_late_money_revives_an_order_that_was_given_up_for_want_of_it() -> None:
    service = closed_on_a_payment(REVIVING)

    decision = service.hears(held(1))

    assert names(decision.send) == ["OrderRevived", "BookingRequested"]
    assert (order_in(service).status, order_in(service).attempt) == ("pay_pending", 2)
    assert decision.timers == [Arm("deadline", 60, OrderDeadline("ord_1", "pay_pending"))]
    assert service.record(UnpaidOrders, "cus_1").version == 2

    service.hears(BOOKED.__class__("ord_1", 2))
    assert names(service.sent)[-1] == "BankCaptureRequested"


@pytest.mark.parametrize("late", [held(1), captured(1)])
def test_an_order_whose_goods_are_gone_by_then_lets_the_late_money_go(late: Body) -> None:
    service = closed_on_a_payment(REVIVING)

    service.hears(late, StockRefused("ord_1", 2))

    assert order_in(service).reason == "stock_refused"
    last = names(service.sent)[-1]
    assert last == ("BankVoidRequested" if late == held(1) else "BankRefundRequested")


def closed_and_ordered_again(orders_max: int = 1) -> OneService:
    """The same, and its customer has placed another order since, which is not paid at once."""
    service = closed_on_a_payment(REVIVING)
    another = replace(order(), order_id="ord_2", rules=replace(rules(), unpaid_orders_max=orders_max))
    service.hears(another)
    assert service.record(UnpaidOrders, "cus_1").order_ids == ("ord_2",)
    service.sent.clear()
    return service


def looks(decision: Decision) -> Body:
    """The look that an order takes at the slots."""
    (timer,) = decision.timers
    assert isinstance(timer, Arm)
    assert timer.after_s == 0
    return timer.body


@pytest.mark.parametrize("late", [held(1), captured(1)])
def test_late_money_revives_nothing_once_another_order_has_the_slot(late: Body) -> None:
    service = closed_and_ordered_again()

    decision = service.hears(looks(service.hears(late)))

    assert order_in(service).status == "cancelled"
    assert names(decision.send) == (["BankVoidRequested"] if late == held(1) else ["BankRefundRequested"])
    assert service.record(UnpaidOrders, "cus_1").order_ids == ("ord_2",)
    assert service.hears(late) == NOTHING


@pytest.mark.parametrize("late", [held(1), captured(1)])
def test_late_money_revives_an_order_once_the_other_one_has_been_settled(late: Body) -> None:
    service = closed_and_ordered_again()
    service.hears(replace(CANCEL, order_id="ord_2"))

    service.hears(looks(service.hears(late)))

    assert (order_in(service).status, order_in(service).attempt) == ("pay_pending", 2)
    assert service.record(UnpaidOrders, "cus_1").order_ids == ("ord_1",)


def test_late_money_revives_an_order_beside_another_one_where_there_is_a_slot_for_both() -> None:
    service = closed_and_ordered_again(orders_max=2)

    service.hears(looks(service.hears(held(1))))

    assert order_in(service).status == "pay_pending"
    assert service.record(UnpaidOrders, "cus_1").order_ids == ("ord_2", "ord_1")


def test_money_that_the_bank_held_and_took_while_an_order_looked_for_a_slot_revives_it_once() -> None:
    service = closed_and_ordered_again()
    service.hears(replace(CANCEL, order_id="ord_2"))
    first, second = looks(service.hears(held(1))), looks(service.hears(captured(1)))
    service.sent.clear()

    service.hears(second, first, first)

    assert (order_in(service).status, order_in(service).attempt) == ("pay_pending", 2)
    assert names(service.sent) == ["OrderRevived", "BookingRequested"]


def test_late_money_never_revives_what_the_customer_has_cancelled() -> None:
    service = shop_with(order(REVIVING), BOOKED, pays("bank"), CANCEL)

    service.hears(held(1))

    assert order_in(service).status == "cancelled"
