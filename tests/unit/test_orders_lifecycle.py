"""The table itself: it holds together, whatever the rules in it do."""

from collections.abc import Iterator
from typing import get_args

import pytest

from sagamart.contracts.orders import OrderCancelled, OrderMessage, Status
from sagamart.messaging.message import Body
from sagamart.shop.orders.decide import FACTS, cancel, learn, refuse_to_cancel, stay
from sagamart.shop.orders.lifecycle import LIFECYCLE, emitted_for
from sagamart.shop.orders.messages import CancelOrder, OrderDeadline, PlaceOrder
from sagamart.shop.orders.service import ORDERS_SERVICE

RESTING = {status for status, state in LIFECYCLE.items() if state.passes_to is None and status != "new"}
OPEN = {status for status in RESTING if not LIFECYCLE[status].final}

CANNOT_COME = {
    ("capturing", "StockRefused"),  # it captures only what is booked,
    ("capturing", "MoneyRefused"),  # and held
    ("completed", "StockRefused"),
    ("completed", "MoneyRefused"),
    ("cancelled", "MoneyCaptured"),  # nothing was asked to be captured
}


def onward(status: Status) -> set[Status]:
    """The statuses that may follow this one, those passed through included."""
    state = LIFECYCLE[status]
    ends = {target for transition in state.on.values() for target in transition.to} - {status}
    passed = {other for other, row in LIFECYCLE.items() if row.passes_to in ends}
    return ends | passed | ({state.passes_to} if state.passes_to else set())


def reached_from(status: Status) -> set[Status]:
    found: set[Status] = set()
    fresh = onward(status)
    while fresh:
        found |= fresh
        fresh = {further for one in fresh for further in onward(one)} - found
    return found


def cells() -> Iterator[tuple[Status, type[Body]]]:
    return ((status, kind) for status in LIFECYCLE for kind in LIFECYCLE[status].on)


def test_every_status_is_one_that_other_services_know() -> None:
    assert set(LIFECYCLE) <= set(get_args(Status))


def test_every_status_is_reached_from_a_new_order() -> None:
    assert reached_from("new") == set(LIFECYCLE) - {"new"}


@pytest.mark.parametrize("status", sorted(OPEN))
def test_an_open_order_has_a_way_to_its_end_and_a_deadline(status: Status) -> None:
    state = LIFECYCLE[status]

    assert any(LIFECYCLE[end].final for end in reached_from(status))
    assert state.deadline_s is not None
    assert state.deadline_s > 0
    assert OrderDeadline in state.on


@pytest.mark.parametrize("status", sorted(OPEN))
def test_what_an_open_order_awaits_leads_it_onward(status: Status) -> None:
    state = LIFECYCLE[status]

    assert state.awaits
    for kind in state.awaits:
        assert set(state.on[kind].to) - {status}


@pytest.mark.parametrize("status", sorted(RESTING - OPEN))
def test_an_end_is_never_left_and_awaits_nothing(status: Status) -> None:
    state = LIFECYCLE[status]

    assert onward(status) == set()
    assert state.deadline_s is None
    assert state.awaits == ()
    assert not state.unpaid


@pytest.mark.parametrize("status", sorted(RESTING))
@pytest.mark.parametrize("kind", FACTS)
def test_a_fact_about_money_or_goods_is_learned_or_a_fault_but_never_passed_over(
    kind: type[Body], status: Status
) -> None:
    transition = LIFECYCLE[status].on.get(kind)

    if (status, kind.__name__) in CANNOT_COME:
        assert transition is None
    else:
        assert transition is not None
        assert transition.rule is learn


def test_an_order_can_be_cancelled_just_where_it_can_be_undone() -> None:
    for status in OPEN:
        state = LIFECYCLE[status]
        undoable = state.undo is not None
        assert state.on[CancelOrder].rule is (cancel if undoable else refuse_to_cancel)
        assert ("cancelled" in reached_from(status)) is undoable


def test_what_undoes_an_order_is_what_cancelling_sends() -> None:
    assert (
        {state.undo for state in LIFECYCLE.values() if state.undo} == {LIFECYCLE["cancelled"].asks} == {OrderCancelled}
    )


def test_nobody_comes_back_from_the_point_of_no_return() -> None:
    assert reached_from("capturing") == {"paid", "completed"}


def test_where_nothing_changes_the_table_says_why() -> None:
    for status, kind in cells():
        transition = LIFECYCLE[status].on[kind]
        assert bool(transition.because) is (transition.rule is stay)


def test_every_cell_names_statuses_of_the_table() -> None:
    for status, kind in cells():
        assert LIFECYCLE[status].on[kind].to
        assert set(LIFECYCLE[status].on[kind].to) <= RESTING


def test_every_entered_status_tells_the_other_services() -> None:
    kinds = [state.asks for status, state in LIFECYCLE.items() if status != "new"]

    assert None not in kinds
    assert len(set(kinds)) == len(kinds)


def test_the_service_hears_every_message_of_the_table() -> None:
    listed = {kind.__name__ for _, kind in cells()}

    assert listed <= ORDERS_SERVICE.consumes
    assert ORDERS_SERVICE.consumes - listed == {"ProductChanged", "SkuSoldOut", "SkuBackInStock"}


def test_what_a_message_may_cause_is_read_off_the_table() -> None:
    assert [kind.__name__ for kind in emitted_for(PlaceOrder)] == ["BookingRequested", "HoldRequested", "OrderDeadline"]
    assert issubclass(OrderCancelled, OrderMessage)
    assert OrderCancelled in emitted_for(CancelOrder)
