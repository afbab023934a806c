"""Every row of the lifecycle, message by message."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec.structs import replace

from orders_examples import (
    BOOKED,
    CANCEL,
    CAPTURED,
    GIFT_WRAP,
    HELD,
    ORDERED,
    POOR,
    SHORT,
    TOTAL_MINOR,
    deadline,
    names,
    order_in,
    shop,
    shop_with_order,
    wish,
)
from sagamart.contracts.order_requests import BookingRequested, CaptureRequested, HoldRequested
from sagamart.contracts.orders import OrderCancelled, OrderCompleted, OrderPaid, ShortLine
from sagamart.contracts.shipping import ShipmentPending
from sagamart.contracts.stock import StockBooked
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld
from sagamart.messaging.decision import NOTHING, Arm, Disarm, Reply
from sagamart.messaging.message import Body
from sagamart.shop.orders.messages import CancelOrder, OrderDeadline
from sagamart.shop.orders.records import Fact, Order, Shortfall
from sagamart.shop.orders.stopping import TooLateToCancel
from sagamart.shop.orders.view import OrderView
from sagamart.shop.orders.wishes import NotFound


def test_a_placed_order_asks_for_its_goods() -> None:
    service = shop()

    decision = service.hears(wish())

    assert decision.send == [
        BookingRequested("ord_1", 1, "booking_pending", "cus_1", 1, ORDERED, TOTAL_MINOR, "RUB"),
    ]
    assert decision.timers == [Arm("deadline", 60, OrderDeadline("ord_1", "booking_pending"))]


def test_an_order_of_custom_lines_alone_goes_straight_to_the_money() -> None:
    service = shop()

    decision = service.hears(wish(GIFT_WRAP))

    assert order_in(service).status == "pay_pending"
    assert names(decision.send) == ["HoldRequested"]
    assert decision.timers == [Arm("deadline", 900, OrderDeadline("ord_1", "pay_pending"))]


def test_an_order_of_custom_lines_alone_captures_as_soon_as_the_money_is_held() -> None:
    service = shop()

    service.hears(wish(GIFT_WRAP))
    decision = service.hears(MoneyHeld("ord_1", 1, 10_000, "RUB"))

    assert names(decision.send) == ["CaptureRequested"]


def test_booked_goods_ask_for_the_money() -> None:
    service = shop_with_order("booking_pending")

    decision = service.hears(BOOKED)

    assert decision.send == [
        HoldRequested("ord_1", 2, "pay_pending", "cus_1", 1, ORDERED, TOTAL_MINOR, "RUB", 1, TOTAL_MINOR)
    ]
    assert decision.timers == []


def test_short_stock_cancels_and_keeps_each_short_line() -> None:
    service = shop_with_order("booking_pending")

    decision = service.hears(SHORT)

    short = (ShortLine("CUP", 2, 1),)
    assert decision.send == [
        OrderCancelled("ord_1", 2, "cancelled", "cus_1", 1, ORDERED, TOTAL_MINOR, "RUB", "stock_refused", short),
    ]
    assert order_in(service).shortfall == Shortfall(short=short)
    assert decision.timers == [Disarm("deadline")]


def test_held_money_passes_the_point_of_no_return() -> None:
    service = shop_with_order("pay_pending")

    decision = service.hears(HELD)

    assert decision.send == [
        CaptureRequested("ord_1", 3, "capturing", "cus_1", 1, ORDERED, TOTAL_MINOR, "RUB", 1, TOTAL_MINOR)
    ]
    assert decision.timers == []


def test_refused_money_cancels_and_says_what_was_available() -> None:
    service = shop_with_order("pay_pending")

    decision = service.hears(POOR)

    assert names(decision.send) == ["OrderCancelled"]
    assert order_in(service).reason == "money_refused"
    assert order_in(service).shortfall == Shortfall(money="insufficient_funds", available_minor=100)


def test_captured_money_pays_and_completes_the_order_at_one_version() -> None:
    service = shop_with_order("capturing")

    decision = service.hears(CAPTURED)

    assert decision.send == [
        OrderPaid("ord_1", 4, "paid", "cus_1", 1, ORDERED, TOTAL_MINOR, "RUB"),
        OrderCompleted("ord_1", 4, "completed", "cus_1", 1, ORDERED, TOTAL_MINOR, "RUB"),
    ]
    assert decision.timers == [Disarm("deadline")]
    assert order_in(service).version == 4


@pytest.mark.parametrize("status", ["booking_pending", "pay_pending"])
def test_a_customer_cancels_an_order_that_is_not_being_captured(status: str) -> None:
    service = shop_with_order(status)

    decision = service.hears(CANCEL)

    assert names(decision.send) == ["OrderCancelled", "ReleaseRequested"][: 2 if status == "pay_pending" else 1]
    assert decision.timers == [Disarm("deadline")]
    assert order_in(service).reason == "cancelled_by_customer"
    assert isinstance(decision.reply, Reply)
    assert isinstance(decision.reply.body, OrderView)
    assert decision.reply.body.status == "cancelled"


def test_staff_cancel_anybodys_order() -> None:
    service = shop_with_order("pay_pending")

    service.hears(CancelOrder("ord_1", "cus_operator", staff=True))

    assert order_in(service).reason == "cancelled_by_staff"


def test_a_stranger_does_not_even_learn_that_the_order_exists() -> None:
    service = shop_with_order("pay_pending")

    assert service.hears(CancelOrder("ord_1", "cus_2", staff=False)).reply == NotFound()
    assert service.hears(CancelOrder("ord_9", "cus_2", staff=False)).reply == NotFound()
    assert order_in(service).status == "pay_pending"


@pytest.mark.parametrize("status", ["capturing", "completed"])
def test_after_the_point_of_no_return_a_cancellation_is_refused_and_told_the_status(status: str) -> None:
    service = shop_with_order(status)

    decision = service.hears(CANCEL)

    assert decision.reply == TooLateToCancel("ord_1", status)  # type: ignore[arg-type]  # the status is a plain str here
    assert decision.save == ()


def test_cancelling_twice_says_the_same_again() -> None:
    service = shop_with_order("cancelled")

    decision = service.hears(CANCEL)

    assert isinstance(decision.reply, Reply)
    assert decision.send == ()
    assert decision.save == ()


@pytest.mark.parametrize(
    ("status", "reason"), [("booking_pending", "booking_timeout"), ("pay_pending", "payment_timeout")]
)
def test_what_does_not_come_in_time_cancels_the_order(status: str, reason: str) -> None:
    service = shop_with_order(status)

    decision = service.hears(deadline(status))

    assert names(decision.send)[0] == "OrderCancelled"
    assert order_in(service).reason == reason


def test_a_deadline_that_the_order_has_left_behind_arms_what_is_left_of_the_present_one() -> None:
    service = shop_with_order("pay_pending")
    service.now += timedelta(seconds=60)

    decision = service.hears(deadline("booking_pending"))

    assert decision.timers == [Arm("deadline", 840, OrderDeadline("ord_1", "pay_pending"))]
    assert decision.save == ()


def test_a_present_deadline_that_has_passed_meanwhile_is_armed_to_fire_at_once() -> None:
    service = shop_with_order("capturing")
    service.now += timedelta(seconds=900)

    decision = service.hears(deadline("pay_pending"))

    assert decision.timers == [Arm("deadline", 0, OrderDeadline("ord_1", "capturing"))]


def test_a_capture_that_takes_long_is_asked_for_again() -> None:
    service = shop_with_order("capturing")

    decision = service.hears(deadline("capturing"))

    assert decision.send == [
        CaptureRequested("ord_1", 3, "capturing", "cus_1", 1, ORDERED, TOTAL_MINOR, "RUB", 1, TOTAL_MINOR)
    ]
    assert decision.timers == [Arm("deadline", 30, OrderDeadline("ord_1", "capturing"))]
    assert decision.save == ()


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_a_deadline_that_lost_its_race_changes_nothing(status: str) -> None:
    assert shop_with_order(status).hears(deadline("pay_pending")) == NOTHING


def test_held_money_before_the_goods_advances_the_order_but_captures_nothing() -> None:
    service = shop_with_order("booking_pending")

    service.hears(HELD)

    assert order_in(service).status == "pay_pending"
    assert "CaptureRequested" not in names(service.sent)


def test_the_goods_that_were_awaited_last_start_the_capture() -> None:
    service = shop_with_order("booking_pending")

    service.hears(HELD)
    decision = service.hears(BOOKED)

    assert names(decision.send) == ["CaptureRequested"]


@pytest.mark.parametrize(("status", "fact"), [("pay_pending", BOOKED), ("capturing", HELD), ("completed", CAPTURED)])
def test_a_fact_that_is_known_already_changes_nothing(status: str, fact: Body) -> None:
    assert shop_with_order(status).hears(fact) == NOTHING


def test_goods_that_are_booked_after_the_cancellation_are_noted_and_change_nothing_else() -> None:
    service = shop_with_order("cancelled")

    decision = service.hears(BOOKED)

    assert decision.send == []
    assert order_in(service).known == (Fact(1, "booked"),)
    assert order_in(service).reason == "cancelled_by_customer"


def test_an_answer_to_an_earlier_attempt_is_noted_and_does_not_count() -> None:
    service = shop_with_order("booking_pending")
    service.working.present[Order]["ord_1"] = replace(order_in(service), attempt=2)

    decision = service.hears(SHORT)

    assert decision.send == []
    assert order_in(service).status == "booking_pending"
    assert order_in(service).known == (Fact(1, "stock_refused"),)


@dataclass(frozen=True)
class Impossible:
    """A message that cannot come, and what the fault says."""

    status: str
    body: Body
    says: str


@pytest.mark.parametrize(
    "case",
    [
        Impossible("capturing", SHORT, "known to be booked"),
        Impossible("completed", POOR, "known to be held"),
        Impossible("capturing", ShipmentPending("ord_1", "shp_1"), "nothing is shipped before it is paid"),
        Impossible("booking_pending", StockBooked("ord_1", 2), "attempt 2 of 1"),
        Impossible("pay_pending", MoneyHeld("ord_1", 1, 1, "RUB"), "is due"),
        Impossible("capturing", MoneyCaptured("ord_1", 1, TOTAL_MINOR, "EUR"), "is due"),
    ],
    ids=lambda case: f"{case.status}-{type(case.body).__name__}",
)
def test_what_cannot_come_is_a_fault_and_not_skipped(case: Impossible) -> None:
    service = shop_with_order(case.status)

    with pytest.raises(AssertionError, match=case.says):
        service.hears(case.body)
