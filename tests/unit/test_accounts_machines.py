"""How failed log-ins are counted and forgiven, on literals."""

from datetime import UTC, datetime, timedelta

import pytest

from one_service import OneService
from sagamart.shop.accounts.machines import wait_s
from sagamart.shop.accounts.messages import NoteFailedLogIn
from sagamart.shop.accounts.records import FailedLogIns
from sagamart.shop.accounts.service import ACCOUNTS

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def after(failures: int) -> OneService:
    accounts = OneService(ACCOUNTS)
    accounts.now = NOON
    for _ in range(failures):
        accounts.hears(NoteFailedLogIn("account", "client"))
    return accounts


@pytest.mark.parametrize(("failures", "waits_s"), [(1, 0), (9, 0), (10, 30), (11, 60)])
def test_an_account_fails_ten_times_at_once_and_then_every_thirty_seconds(failures: int, waits_s: int) -> None:
    forgiven_at = after(failures).record(FailedLogIns, "account").forgiven_at
    assert max(0, wait_s(forgiven_at, NOON, is_account=True)) == waits_s


@pytest.mark.parametrize(("failures", "waits_s"), [(49, 0), (50, 5), (51, 10)])
def test_a_client_fails_fifty_times_at_once_and_then_every_five_seconds(failures: int, waits_s: int) -> None:
    forgiven_at = after(failures).record(FailedLogIns, "client").forgiven_at
    assert max(0, wait_s(forgiven_at, NOON, is_account=False)) == waits_s


def test_what_is_long_ago_is_forgiven() -> None:
    accounts = after(20)
    accounts.now = NOON + timedelta(hours=1)
    accounts.hears(NoteFailedLogIn("account", "client"))
    assert accounts.record(FailedLogIns, "account").forgiven_at == accounts.now + timedelta(seconds=30)
