"""What the console lists is what there is: pages know the public API only, so they keep these names a second time."""

from typing import get_args

from sagamart.bank.misbehaviour import NAMES
from sagamart.contracts.orders import Status
from sagamart.web.console import bank, orders


def test_every_misbehaviour_of_the_bank_has_a_switch() -> None:
    assert bank.MISBEHAVIOURS == NAMES


def test_orders_are_filtered_by_every_status_there_is() -> None:
    assert get_args(Status) == orders.STATUSES
