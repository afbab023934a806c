"""An order's number is short enough to be read out, and no other order has it."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from sagamart.contracts import order_numbers
from sagamart.messaging.message import new_id
from sagamart.shop.orders.messages import order_id_of

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def orders(count: int) -> list[str]:
    """So many orders, a hundred of them in each millisecond."""
    dice = random.Random(1)  # noqa: S311  ids of a test
    return [order_id_of(new_id(AT + timedelta(milliseconds=n // 100), dice.randbytes(10))) for n in range(count)]


def test_no_two_orders_have_one_number() -> None:
    placed = orders(20_000)
    assert len({order_numbers.number_of(one) for one in placed}) == len(set(placed)) == 20_000


def test_a_number_leads_back_to_its_order() -> None:
    for order_id in orders(500):
        sought = order_numbers.sought_by(order_numbers.number_of(order_id))
        assert sought is not None
        assert sought.first <= order_id < sought.before
        assert order_id.endswith(sought.end)


def test_a_number_is_understood_however_people_type_it() -> None:
    (order_id,) = orders(1)
    number = order_numbers.number_of(order_id)
    for typed in (number.lower(), number.replace("-", " "), number.replace("0", "O").replace("1", "l")):
        assert order_numbers.sought_by(typed) == order_numbers.sought_by(number)


@pytest.mark.parametrize("typed", ["", "8F3K", "8F3K-07QZ-M2XA-1D9U", "8F3K-07QZ-M2XA-1D9T-0", "ord_1"])
def test_what_is_no_number_leads_nowhere(typed: str) -> None:
    assert order_numbers.sought_by(typed) is None
