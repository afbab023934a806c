"""What is listed is what there is: neither the shop and the bank nor the shop and its pages share code for a name."""

from typing import get_args

from sagamart.bank.misbehaviour import NAMES
from sagamart.contracts.orders import Status
from sagamart.shop.payments.switching import MISBEHAVIOURS
from sagamart.web.console import orders
from sagamart.web.texts import is_text


def test_every_misbehaviour_of_the_bank_has_a_switch() -> None:
    assert MISBEHAVIOURS == NAMES
    assert [name for name in NAMES if not is_text(f"console.bank_{name}")] == []


def test_orders_are_filtered_by_every_status_there_is() -> None:
    assert get_args(Status) == orders.STATUSES
