"""Whatever the order in which an order's messages come, and whichever comes twice: it ends the same."""

from collections.abc import Iterator, Sequence
from itertools import permutations

import pytest

from one_service import OneService
from orders_examples import BOOKED, CANCEL, CAPTURED, HELD, POOR, SHORT, deadline, names, order_in, shop_with_order
from sagamart.messaging.message import Body
from sagamart.shop.orders.messages import OrderDeadline


def every_order_with_one_twice(*messages: Body) -> Iterator[Sequence[Body]]:
    for twice in messages:
        yield from permutations((*messages, twice))


def ends_of(status: str, *messages: Body) -> set[tuple[object, ...]]:
    """Status, facts, reason and version of an order that hears these messages in every order, one of them twice."""
    found: set[tuple[object, ...]] = set()
    for told in every_order_with_one_twice(*messages):
        service = shop_with_order(status)
        service.hears(*told)
        order = order_in(service)
        found.add((order.status, order.known, order.reason, order.shortfall, order.version))
        assert_everybody_was_told_once(service)
    return found


def assert_everybody_was_told_once(service: OneService) -> None:
    """No status is entered twice, so nobody is told twice; and an order ends once."""
    told = names(service.sent)
    assert len(told) == len(set(told))
    assert ("OrderCancelled" in told) != ("OrderCompleted" in told)


def test_a_paid_order_ends_completed() -> None:
    (end,) = ends_of("booking_pending", BOOKED, HELD, CAPTURED)

    assert end[0] == "completed"
    assert end[-1] == 4


def test_an_order_short_of_goods_ends_cancelled() -> None:
    (end,) = ends_of("booking_pending", SHORT)

    assert end[:1] + end[2:3] == ("cancelled", "stock_refused")


def test_an_order_short_of_money_ends_cancelled() -> None:
    (end,) = ends_of("booking_pending", BOOKED, POOR)

    assert end[:1] + end[2:3] == ("cancelled", "money_refused")


def test_a_cancelled_order_ends_cancelled_whatever_was_booked_meanwhile() -> None:
    (end,) = ends_of("booking_pending", CANCEL, BOOKED)

    assert end[:1] + end[2:3] == ("cancelled", "cancelled_by_customer")


def test_what_comes_after_the_cancellation_changes_nothing_but_what_is_known() -> None:
    ends = set()
    for told in every_order_with_one_twice(BOOKED, HELD):
        service = shop_with_order("cancelled")
        service.hears(*told)
        assert service.sent == []
        ends.add((order_in(service).status, order_in(service).known, order_in(service).version))

    assert len(ends) == 1


@pytest.mark.parametrize("told", list(every_order_with_one_twice(BOOKED, HELD, CANCEL)))
def test_a_cancellation_that_races_the_money_wins_or_is_refused_but_never_both(told: Sequence[Body]) -> None:
    service = shop_with_order("booking_pending")

    service.hears(*told)

    sent = names(service.sent)
    assert ("OrderCancelled" in sent) != ("CaptureRequested" in sent)
    assert order_in(service).status == ("cancelled" if "OrderCancelled" in sent else "capturing")


@pytest.mark.parametrize("told", list(every_order_with_one_twice(BOOKED, HELD, deadline("booking_pending"))))
def test_a_deadline_that_races_the_goods_cancels_or_does_nothing(told: Sequence[Body]) -> None:
    service = shop_with_order("booking_pending")

    service.hears(*told)

    sent = names(service.sent)
    first = next(body for body in told if body in (BOOKED, HELD) or isinstance(body, OrderDeadline))
    assert ("OrderCancelled" in sent) is isinstance(first, OrderDeadline)
    assert ("CaptureRequested" in sent) is (not isinstance(first, OrderDeadline))
