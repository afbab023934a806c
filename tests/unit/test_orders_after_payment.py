"""After the payment: shipping, cancelling what is paid, returns by item, and refunds exact to the minor unit."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from one_service import OneService
from orders_examples import BOOKED, CANCEL, GIFT_WRAP, TOTAL_MINOR, deadline, names, order_in, shop_with_order
from orders_ways import captured, held, order, paid_shipped_order, pays, refunded, shop_with
from sagamart.contracts.order_requests import BankRefundRequested, RefundRequest, RefundRequested
from sagamart.contracts.orders import OrderReturned, ReturnedLine
from sagamart.contracts.shipping import (
    ReturnReceived,
    ShipmentCannotBeStopped,
    ShipmentDelivered,
    ShipmentHandedOver,
    ShipmentPending,
    ShipmentRefused,
    ShipmentStopped,
)
from sagamart.messaging.decision import NOTHING, Reply
from sagamart.messaging.message import Body
from sagamart.shop.orders.messages import MoveOrder, ReturnItems
from sagamart.shop.orders.money import apportion
from sagamart.shop.orders.returning import MoreThanBought, NothingToReturn, StaffTakeBack
from sagamart.shop.orders.stopping import MoveNotAllowed, NotHandedOverYet, TooLateToCancel, TooLateToDeliver
from sagamart.shop.orders.view import view

PENDING = ShipmentPending("ord_1", "shp_1")
HANDED_OVER = ShipmentHandedOver("ord_1", "shp_1")
DELIVERED = ShipmentDelivered("ord_1", "shp_1")
STOPPED = ShipmentStopped("ord_1")
CANNOT_STOP = ShipmentCannotBeStopped("ord_1")
ONE_CUP = (ReturnedLine(0, 1),)
ALL = (ReturnedLine(0, 2), ReturnedLine(1, 1))


def moves(to: str) -> MoveOrder:
    return MoveOrder("ord_1", "cus_operator", staff=True, to=to, why="A letter")  # type: ignore[arg-type]  # a status as text


def gives_back(*lines: ReturnedLine, return_id: str = "ret_1", staff: bool = False) -> ReturnItems:
    return ReturnItems("ord_1", "cus_1", staff=staff, return_id=return_id, returned=lines)


def delivered_order() -> OneService:
    service = paid_shipped_order()
    service.hears(PENDING, HANDED_OVER, DELIVERED)
    service.sent.clear()
    return service


def refunds(service: OneService) -> list[tuple[int, int]]:
    """Each refund that was asked for, by payment."""
    return [(sent.payment, sent.amount_minor) for sent in service.sent if isinstance(sent, RefundRequest)]


def test_a_paid_order_is_shipped_and_completed_once_it_is_delivered() -> None:
    service = shop_with(order(shipped=True), BOOKED, pays("bank"), held(1, 190_000))

    assert names(service.hears(captured(1, 190_000)).send) == ["OrderPaid", "ShipmentRequested"]
    assert order_in(service).status == "paid"
    service.hears(PENDING)
    assert order_in(service).status == "shipping_pending"
    service.hears(HANDED_OVER)
    assert names(service.hears(DELIVERED).send) == ["OrderCompleted"]
    assert order_in(service).status == "completed"


def items(service: OneService) -> list[tuple[int, int, int]]:
    """How many pieces of each line are booked, shipped, returned."""
    return [(line.booked, line.shipped, line.returned) for line in view(order_in(service), "en").lines]


def test_each_item_of_an_order_says_how_far_its_pieces_are() -> None:
    service = shop_with(order(shipped=True))
    assert items(service) == [(0, 0, 0), (0, 0, 0)]

    service.hears(BOOKED)
    assert items(service) == [(2, 0, 0), (1, 0, 0)]

    service.hears(pays("bank"), held(1, 190_000), captured(1, 190_000), PENDING, HANDED_OVER)
    assert items(service) == [(2, 2, 0), (1, 1, 0)]

    service.hears(DELIVERED, gives_back(*ONE_CUP))
    assert items(service) == [(2, 2, 0), (1, 1, 0)]
    service.hears(ReturnReceived("ord_1", "ret_1", ONE_CUP))
    assert items(service) == [(2, 2, 1), (1, 1, 0)]


def test_nothing_of_a_cancelled_order_is_booked_and_nothing_of_a_custom_line_ever() -> None:
    assert items(shop_with(order(), BOOKED, CANCEL)) == [(0, 0, 0), (0, 0, 0)]
    assert items(shop_with(replace(order(), lines=(GIFT_WRAP,)), pays("wallet"), held(1, 10_000, "wallet"))) == [
        (0, 0, 0)
    ]


def test_a_shipment_is_asked_after_again() -> None:
    service = paid_shipped_order()

    assert names(service.hears(deadline("paid")).send) == ["ShipmentRequested"]
    service.hears(PENDING)
    decision = service.hears(deadline("shipping_pending"))
    assert names(decision.send) == ["ShipmentRequested"]


@pytest.mark.parametrize("heard", list(permutations([PENDING, HANDED_OVER, DELIVERED, DELIVERED])))
def test_any_order_of_a_parcels_news_completes_the_order_once(heard: Sequence[Body]) -> None:
    service = paid_shipped_order()

    service.hears(*heard)

    assert names(service.sent).count("OrderCompleted") == 1
    assert (order_in(service).status, len(order_in(service).known)) == ("completed", 6)


def test_cancelling_a_paid_order_asks_shipping_first() -> None:
    service = paid_shipped_order()

    decision = service.hears(CANCEL)

    assert names(decision.send) == ["ShipmentStopRequested"]
    assert isinstance(decision.reply, Reply)
    assert decision.reply.status == 202
    assert service.hears(CANCEL).send == ()
    assert names(service.hears(STOPPED).send) == ["OrderCancelled", "BankRefundRequested"]
    assert order_in(service).reason == "cancelled_by_customer"


@pytest.mark.parametrize("stopped", [True, False])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_cancellation_races_the_hand_over_and_one_of_them_wins(stopped: bool, place: int) -> None:  # noqa: FBT001  a case of the table above
    service = paid_shipped_order()
    told: list[Body] = [PENDING, STOPPED] if stopped else [PENDING, HANDED_OVER, CANNOT_STOP, DELIVERED]
    told.insert(min(place, 1), CANCEL)

    service.hears(*told)

    assert order_in(service).status == ("cancelled" if stopped else "completed")
    assert (refunds(service) == [(1, 190_000)]) is stopped


def test_what_is_handed_over_cannot_be_cancelled() -> None:
    service = paid_shipped_order()
    service.hears(HANDED_OVER)

    assert service.hears(CANCEL).reply == TooLateToCancel("ord_1", "shipping_pending")


def test_what_was_stopped_and_handed_over_is_a_fault_and_not_skipped() -> None:
    service = paid_shipped_order()
    service.hears(CANCEL, STOPPED)

    with pytest.raises(AssertionError, match="known to be stopped"):
        service.hears(HANDED_OVER)


def test_a_shipment_that_is_refused_ends_the_order_and_gives_the_money_back() -> None:
    service = paid_shipped_order()

    service.hears(ShipmentRefused("ord_1", "address_not_served"))

    assert order_in(service).reason == "shipment_refused"
    assert refunds(service) == [(1, 190_000)]


def test_staff_say_that_an_order_was_delivered_and_shipping_is_told() -> None:
    service = paid_shipped_order()
    service.hears(PENDING, HANDED_OVER)

    assert names(service.hears(moves("completed")).send) == ["DeliveryReported", "OrderCompleted"]
    assert service.hears(DELIVERED) == NOTHING
    assert names(service.hears(gives_back(*ONE_CUP)).send) == ["ReturnRequested"]


def test_nobody_says_delivered_of_a_parcel_that_is_still_here() -> None:
    service = paid_shipped_order()
    service.hears(PENDING)

    assert service.hears(moves("completed")).reply == NotHandedOverYet("ord_1")
    assert order_in(service).status == "shipping_pending"


def test_to_call_off_a_shipped_order_tells_nothing_of_a_delivery() -> None:
    service = paid_shipped_order()
    service.hears(PENDING)

    assert names(service.hears(moves("cancelled")).send) == ["ShipmentStopRequested"]


def test_nobody_says_delivered_of_a_shipment_that_may_still_be_refused() -> None:
    service = paid_shipped_order()

    assert service.hears(moves("completed")).reply == MoveNotAllowed("ord_1", "paid", "completed", ("cancelled",))
    service.hears(ShipmentRefused("ord_1", "address_not_served"))
    assert order_in(service).reason == "shipment_refused"


def test_staff_move_an_order_no_further_than_its_lifecycle_lets_them() -> None:
    service = paid_shipped_order()

    assert service.hears(moves("booked")).reply == MoveNotAllowed("ord_1", "paid", "booked", ("cancelled",))
    service.hears(PENDING)
    assert names(service.hears(moves("cancelled")).send) == ["ShipmentStopRequested"]
    assert service.hears(moves("completed")).reply == TooLateToDeliver("ord_1")


def test_staff_cancel_an_order_that_is_not_paid() -> None:
    service = shop_with_order("pay_pending")

    service.hears(moves("cancelled"))

    assert order_in(service).reason == "cancelled_by_staff"


def test_pieces_are_refunded_when_they_are_back() -> None:
    service = delivered_order()

    assert names(service.hears(gives_back(*ONE_CUP)).send) == ["ReturnRequested"]
    decision = service.hears(ReturnReceived("ord_1", "ret_1", ONE_CUP))

    returned, refund = decision.send
    assert isinstance(returned, OrderReturned)
    assert (returned.status, returned.amount_minor, returned.returned) == ("completed", 45_000, ONE_CUP)
    assert isinstance(refund, BankRefundRequested)
    assert (refund.amount_minor, refund.refund_id) == (45_000, "ret_1/1")
    assert service.hears(refunded(1, 45_000, "ret_1/1")).send == []


def test_an_order_is_returned_once_everything_is_back_and_the_delivery_is_not_refunded() -> None:
    service = delivered_order()
    service.hears(gives_back(*ONE_CUP), gives_back(ReturnedLine(0, 1), ReturnedLine(1, 1), return_id="ret_2"))

    service.hears(ReturnReceived("ord_1", "ret_2", (ReturnedLine(0, 1), ReturnedLine(1, 1))))
    assert order_in(service).status == "completed"
    service.hears(ReturnReceived("ord_1", "ret_1", ONE_CUP))

    assert order_in(service).status == "returned"
    assert sum(amount for _, amount in refunds(service)) == TOTAL_MINOR


def test_nothing_comes_back_twice() -> None:
    service = delivered_order()
    service.hears(gives_back(*ONE_CUP))

    assert service.hears(gives_back(ReturnedLine(0, 2), return_id="ret_2")).reply == MoreThanBought(0, 2, 1)
    assert service.hears(gives_back(ReturnedLine(7, 1), return_id="ret_2")).reply == MoreThanBought(7, 1, 0)


def test_what_has_not_arrived_cannot_come_back() -> None:
    service = paid_shipped_order()

    assert service.hears(gives_back(*ONE_CUP)).reply == NothingToReturn("ord_1", "paid")


def test_staff_take_back_what_was_handed_over_and_nobody_took() -> None:
    service = paid_shipped_order()
    service.hears(PENDING)
    early = service.hears(gives_back(*ALL, staff=True))
    service.hears(HANDED_OVER)

    theirs = service.hears(gives_back(*ALL))
    announced = service.hears(gives_back(*ALL, staff=True))
    back = service.hears(ReturnReceived("ord_1", "ret_1", ALL))

    assert early.reply == theirs.reply == NothingToReturn("ord_1", "shipping_pending")
    assert names(announced.send) == ["ReturnRequested"]
    assert names(back.send) == ["OrderReturned", "BankRefundRequested"]
    assert order_in(service).status == "returned"
    assert refunds(service) == [(1, TOTAL_MINOR)]


def test_what_was_not_taken_is_refunded_and_the_rest_completes_the_order_when_it_arrives() -> None:
    service = paid_shipped_order()
    service.hears(HANDED_OVER, gives_back(*ONE_CUP, staff=True), ReturnReceived("ord_1", "ret_1", ONE_CUP))

    assert order_in(service).status == "shipping_pending"
    assert refunds(service) == [(1, 45_000)]
    assert names(service.hears(DELIVERED).send) == ["OrderCompleted"]


@pytest.mark.parametrize("overtaken", [False, True])
def test_a_parcel_that_arrived_after_all_is_told_to_have_arrived_though_it_is_back_by_then(*, overtaken: bool) -> None:
    service = paid_shipped_order()
    service.hears(HANDED_OVER, gives_back(*ALL, staff=True))
    told: list[Body] = [DELIVERED, ReturnReceived("ord_1", "ret_1", ALL)]

    service.hears(*(reversed(told) if overtaken else told), *told)

    assert names(service.sent).count("OrderCompleted") == names(service.sent).count("OrderReturned") == 1
    assert order_in(service).status == "returned"


def test_what_comes_back_undelivered_is_no_reason_to_cancel() -> None:
    service = paid_shipped_order()
    service.hears(HANDED_OVER, gives_back(*ALL, staff=True))

    assert service.hears(CANCEL).reply == TooLateToCancel("ord_1", "shipping_pending")


def test_a_return_that_nobody_announced_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="was not announced"):
        delivered_order().hears(ReturnReceived("ord_1", "ret_1", ONE_CUP))


def test_what_was_not_sent_is_taken_back_by_staff_at_once() -> None:
    service = shop_with_order("completed")

    assert service.hears(gives_back(*ALL)).reply == StaffTakeBack()
    decision = service.hears(gives_back(*ALL, staff=True))

    assert names(decision.send) == ["OrderReturned", "RefundRequested"]
    assert order_in(service).status == "returned"


def test_a_mixed_payment_is_refunded_in_proportion_to_what_each_part_paid() -> None:
    service = shop_with(
        order(), BOOKED, pays("bank", 53_333), pays("wallet"), held(1, 53_333), held(2, 106_667, "wallet")
    )
    service.hears(captured(1, 53_333), captured(2, 106_667, "wallet"))
    service.sent.clear()

    service.hears(gives_back(ReturnedLine(0, 1), staff=True), gives_back(*ALL[1:], return_id="ret_2", staff=True))
    service.hears(gives_back(ReturnedLine(0, 1), return_id="ret_3", staff=True))

    assert refunds(service) == [(1, 15_000), (2, 30_000), (1, 23_333), (2, 46_667), (1, 15_000), (2, 30_000)]
    assert {type(sent) for sent in service.sent} >= {BankRefundRequested, RefundRequested}


def test_cancelling_asks_each_payment_back_whole() -> None:
    service = shop_with(
        order(shipped=True), BOOKED, pays("bank", 50_000), pays("wallet"), held(1, 50_000), held(2, 140_000, "wallet")
    )
    service.hears(captured(1, 50_000), captured(2, 140_000, "wallet"), CANCEL)
    service.sent.clear()

    service.hears(STOPPED)

    assert names(service.sent) == ["OrderCancelled", "BankRefundRequested", "RefundRequested"]
    assert refunds(service) == [(1, 50_000), (2, 140_000)]


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**12), min_size=1, max_size=8))
def test_shares_sum_to_the_whole_and_none_exceeds_its_weight(amount_minor: int, weights: list[int]) -> None:
    amount_minor = min(amount_minor, sum(weights))

    shares = apportion(amount_minor, weights)

    assert sum(shares) == (amount_minor if sum(weights) else 0)
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))


def test_the_largest_remainder_gets_the_odd_unit() -> None:
    assert apportion(100, [1, 1, 1]) == [34, 33, 33]
    assert apportion(10, [999, 1_000, 1]) == [5, 5, 0]
    assert apportion(1, [1, 2]) == [0, 1]
