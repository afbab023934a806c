"""The table itself: it holds together, whatever the rules in it do."""

from collections.abc import Iterator
from typing import get_args

import pytest

from sagamart.contracts.orders import OrderCancelled, Status
from sagamart.contracts.payments import PaymentCaptured, PaymentHeld, PaymentRedirected
from sagamart.contracts.shipping import ReturnReceived
from sagamart.messaging.message import Body
from sagamart.shop.orders.decide import learn, stay
from sagamart.shop.orders.facts import FACTS, OF_GOODS, OF_MONEY, OF_PROMO, OF_REFUNDS, OF_RETURNS
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import (
    CancelOrder,
    ChangeOrder,
    MoveOrder,
    OrderDeadline,
    PayOrder,
    PlaceOrder,
    ReturnItems,
)
from sagamart.shop.orders.paying import take_late_money
from sagamart.shop.orders.service import ORDERS_SERVICE
from sagamart.shop.orders.stepping import emitted_for
from sagamart.shop.orders.stopping import cancel, refuse_to_cancel, stop

STATUSES: tuple[Status, ...] = get_args(Status)
OPEN = sorted(status for status, state in LIFECYCLE.items() if not state.final)
ENDS = sorted(set(STATUSES) - set(OPEN))
HEARD: tuple[type[Body], ...] = (
    *FACTS,
    PaymentRedirected,
    PlaceOrder,
    PayOrder,
    ChangeOrder,
    CancelOrder,
    MoveOrder,
    ReturnItems,
    OrderDeadline,
)
NEVER_PASSED_OVER = {*OF_PROMO, *OF_GOODS, *OF_MONEY, *OF_REFUNDS}


def onward(status: Status) -> set[Status]:
    """The statuses that may follow this one, those passed through included."""
    ends = {target for cell in LIFECYCLE[status].on.values() for target in cell.to} - {status}
    return ends | {by for end in ends if (by := LIFECYCLE[end].by) is not None}


def reached_from(status: Status) -> set[Status]:
    found: set[Status] = set()
    fresh = onward(status)
    while fresh:
        found |= fresh
        fresh = {further for one in fresh for further in onward(one)} - found
    return found


def cells() -> Iterator[tuple[Status, type[Body]]]:
    return ((status, kind) for status in LIFECYCLE for kind in LIFECYCLE[status].on)


def test_the_table_has_a_row_for_every_status() -> None:
    assert set(LIFECYCLE) == set(STATUSES)


def test_every_row_has_a_cell_for_every_message() -> None:
    assert {(status, kind) for status in STATUSES for kind in HEARD} == set(cells())


def test_every_status_is_reached_from_a_new_order() -> None:
    assert reached_from("new") | {"new"} == set(LIFECYCLE)


@pytest.mark.parametrize("status", OPEN)
def test_an_open_order_has_a_way_to_its_end_and_a_deadline(status: Status) -> None:
    state = LIFECYCLE[status]

    assert reached_from(status) & set(ENDS)
    assert state.deadline in ("window", "attempt") or state.deadline_s
    assert state.on[OrderDeadline].rule is not None


@pytest.mark.parametrize("status", OPEN)
def test_what_an_open_order_awaits_leads_it_onward(status: Status) -> None:
    state = LIFECYCLE[status]

    assert state.awaits
    for kind in state.awaits:
        assert set(state.on[kind].to) - {status}


def test_an_end_is_left_by_goods_that_come_back_or_money_that_comes_late_and_by_nothing_else() -> None:
    ways = {
        (status, kind, target)
        for status in ENDS
        for kind, cell in LIFECYCLE[status].on.items()
        for target in cell.to
        if target != status
    }

    assert {way for way in ways if way[0] == "returned"} == set()
    assert {way for way in ways if way[0] == "completed"} == {
        ("completed", ReturnReceived, "returned"),
        ("completed", ReturnItems, "returned"),
    }
    assert {kind for status, kind, _ in ways if status == "cancelled"} == {PaymentHeld, PaymentCaptured}


@pytest.mark.parametrize("status", ENDS)
def test_an_end_awaits_nothing_and_takes_no_slot(status: Status) -> None:
    state = LIFECYCLE[status]

    assert state.deadline is None
    assert state.awaits == ()
    assert not state.unpaid


@pytest.mark.parametrize("status", STATUSES)
def test_a_fact_about_money_or_goods_is_learned_in_every_status(status: Status) -> None:
    for kind in NEVER_PASSED_OVER:
        rule = LIFECYCLE[status].on[kind].rule
        assert rule in (learn, take_late_money)


@pytest.mark.parametrize("status", STATUSES)
def test_what_cannot_come_says_why_and_is_no_wish(status: Status) -> None:
    for kind, cell in LIFECYCLE[status].on.items():
        if cell.rule is None:
            assert cell.because
            assert kind in FACTS or kind is PlaceOrder
            assert cell.to == ()


def test_goods_come_back_only_of_what_has_been_sent() -> None:
    for status in set(STATUSES) - {"shipping_pending", "completed", "returned"}:
        for kind in OF_RETURNS:
            assert LIFECYCLE[status].on[kind].rule is None


def test_an_open_order_can_be_cancelled_just_where_it_can_be_undone() -> None:
    for status in OPEN:
        state = LIFECYCLE[status]
        asks_shipping_first = not state.unpaid
        wished = stop if asks_shipping_first else cancel
        only_the_bank_may = status == "capturing"
        assert state.on[CancelOrder].rule is (refuse_to_cancel if only_the_bank_may else wished)


def test_what_undoes_an_order_is_what_cancelling_tells() -> None:
    assert {state.undo for state in LIFECYCLE.values() if state.undo} == {OrderCancelled}
    assert LIFECYCLE["cancelled"].tells is OrderCancelled


def test_only_a_bank_ends_an_order_whose_money_is_being_taken() -> None:
    ending = {kind for kind, cell in LIFECYCLE["capturing"].on.items() if "cancelled" in cell.to}

    assert ending == set(OF_MONEY)


def test_where_nothing_changes_the_table_says_why() -> None:
    for status, kind in cells():
        cell = LIFECYCLE[status].on[kind]
        assert bool(cell.because) is (cell.rule is stay or cell.rule is None)


def test_every_cell_names_statuses_that_an_order_can_be_in() -> None:
    for status, kind in cells():
        cell = LIFECYCLE[status].on[kind]
        assert bool(cell.to) is (cell.rule is not None)
        assert set(cell.to) <= set(STATUSES)


def test_a_customers_slot_is_taken_until_the_order_is_paid_or_over() -> None:
    assert {status for status, state in LIFECYCLE.items() if not state.unpaid} == {
        "paid",
        "shipping_pending",
        "completed",
        "returned",
        "cancelled",
    }


def test_the_service_hears_every_message_of_the_table() -> None:
    listed = {kind.__name__ for kind in HEARD}
    copies = {"ProductChanged", "SkuSoldOut", "SkuBackInStock", "DeliveryMethodChanged"}
    others = {"FillBasket", "CallOffOrder", "LateMoney"}
    forgetting = {"CustomerErased", "OrderTracesFound", "ForgetOrdersAgain"}

    assert ORDERS_SERVICE.consumes == listed | copies | others | forgetting


def test_what_a_message_may_cause_is_read_off_the_table() -> None:
    caused = {kind.__name__ for kind in emitted_for(PlaceOrder)}

    assert {"OrderPlaced", "BookingRequested", "HoldRequested", "PaymentAwaited", "OrderDeadline"} <= caused
    assert "OrderCancelled" not in caused
    assert OrderCancelled in emitted_for(CancelOrder)
