"""The payment window: so long an order waits for its customer in all."""

from datetime import timedelta

from orders_examples import BOOKED, TOTAL_MINOR, order_in
from orders_ways import declined, held, order, pays, shop_with
from sagamart.contracts.orders import PaymentAwaited
from sagamart.messaging.decision import Arm
from sagamart.shop.orders.messages import OrderDeadline
from sagamart.shop.orders.view import view

HALF = TOTAL_MINOR // 2


def test_the_window_stands_still_while_a_payment_is_under_way_and_never_opens_anew() -> None:
    service = shop_with(order(), BOOKED)
    service.now += timedelta(seconds=200)
    service.hears(pays("bank"))
    service.now += timedelta(seconds=500)

    decision = service.hears(declined(1))

    (awaited,) = decision.send
    assert isinstance(awaited, PaymentAwaited)
    assert awaited.window_s == 100
    assert decision.timers == [Arm("deadline", 100, OrderDeadline("ord_1", "booked"))]
    assert view(order_in(service), "en").pay_by == service.now + timedelta(seconds=100)

    service.now += timedelta(seconds=90)
    service.hears(pays("wallet", HALF))
    decision = service.hears(held(2, HALF, "wallet"))
    assert decision.timers == [Arm("deadline", 10, OrderDeadline("ord_1", "partially_paid"))]


def test_a_payment_that_was_started_at_the_last_moment_may_not_be_tried_again() -> None:
    service = shop_with(order(), BOOKED)
    service.now += timedelta(seconds=301)

    decision = service.hears(pays("bank"), declined(1))

    assert decision.timers == [Arm("deadline", 0, OrderDeadline("ord_1", "booked"))]
