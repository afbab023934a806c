"""When the bank's statement is compared: every night at its hour, whatever happened during the day."""

from datetime import UTC, datetime, timedelta

import pytest

from one_service import OneService
from sagamart.messaging.decision import Arm
from sagamart.shop.payments.decide import PaymentRules
from sagamart.shop.payments.messages import BANK, BeginReconciling, Reconcile, ReconciliationDue
from sagamart.shop.payments.reconciling import next_at
from sagamart.shop.payments.records import Reconciliation
from sagamart.shop.payments.service import payments_service

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR_S = 3600


def due_in(hours: float) -> list[Arm]:
    return [Arm("reconcile", hours * HOUR_S, ReconciliationDue())]


def payments_at(at: datetime, hour: int = 3) -> OneService:
    payments = OneService(payments_service(PaymentRules(reconcile_hour=hour)))
    payments.now = at
    return payments


@pytest.mark.parametrize(
    ("at", "hour", "expected"),
    [
        (NOON, 3, NOON + timedelta(hours=15)),
        (NOON, 13, NOON + timedelta(hours=1)),
        (NOON, 12, NOON + timedelta(days=1)),
        (NOON - timedelta(seconds=1), 12, NOON),
    ],
)
def test_the_next_night_begins_at_the_hour(at: datetime, hour: int, expected: datetime) -> None:
    assert next_at(at, hour) == expected


def test_the_first_start_arms_the_hour_and_another_start_with_another_hour_moves_it() -> None:
    payments = payments_at(NOON)

    assert payments.hears(BeginReconciling()).timers == due_in(15)
    later = payments_at(NOON, hour=18)
    later.working = payments.working
    assert later.hears(BeginReconciling()).timers == due_in(6)


def test_a_night_on_which_nothing_ran_is_made_up_for_at_the_next_start() -> None:
    payments = payments_at(NOON)
    payments.hears(BeginReconciling())

    payments.now = NOON + timedelta(days=1)

    assert payments.hears(BeginReconciling()).timers == due_in(0)


def test_a_comparison_by_hand_does_not_move_the_night() -> None:
    payments = payments_at(NOON)
    payments.hears(BeginReconciling())
    payments.now = NOON + timedelta(hours=14)

    assert payments.hears(Reconcile()).timers == due_in(1)


def test_a_night_that_begins_while_one_is_compared_by_hand_does_not_lose_the_nights_after_it() -> None:
    payments = payments_at(NOON)
    payments.hears(Reconcile())
    payments.now = NOON + timedelta(hours=15)

    due = payments.hears(ReconciliationDue())

    assert due.timers == due_in(24)
    assert due.send == ()
    assert payments.record(Reconciliation, BANK).running
