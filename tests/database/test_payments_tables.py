"""The tables of payments on a real PostgreSQL: what goes in comes out, what must not be is refused."""

from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest

from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.payments.records import Difference, Payment, Reconciliation, Refund, Resolution
from sagamart.shop.payments.service import PAYMENTS_SERVICE
from shop_fixtures import Tables, TablesOf

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
NEW = Payment(1, "pay_1-1", "order", "ord_1", 1, 3, "cus_1", 500, "RUB", "new", AT)
REFUNDED = Payment(
    7,
    "pay_2-1",
    "order",
    "ord_2",
    1,
    3,
    "cus_1",
    500,
    "RUB",
    "captured",
    AT,
    bank_id="bank_2",
    bank_status="captured",
    bank_version=3,
    holds_until=AT,
    captured_minor=500,
    refunded_minor=200,
    refunds=(Refund("ref_1", 200, "refunded"), Refund("ref_2", 300, "asked")),
    moved_at=AT,
    statement_minor=300,
)
RUN = Reconciliation(1, "bank", AT, running=False, at=AT, entries=3, differences=1, mended=2)
RESOLVED = Resolution("res_1", "pay_1-1", "captured", "usr_1", "a letter", AT)
DIFFERENT = Difference("1", "key", "debit", 500, "RUB", "unknown", AT)


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(PAYMENTS_SERVICE)


async def test_payments_come_out_as_they_went_in(tables: Tables) -> None:
    await tables.save(NEW, REFUNDED, RUN, RESOLVED, DIFFERENT)

    assert await tables.load(Payment, "pay_1-1", "pay_2-1", "pay_none") == [NEW, REFUNDED]
    assert await tables.load(Reconciliation, "bank") == [RUN]
    assert await tables.journal(Resolution) == [RESOLVED]
    assert await tables.journal(Difference) == [DIFFERENT]


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (msgspec.structs.replace(NEW, amount_minor=0), "payments_amount_minor_check"),
        (msgspec.structs.replace(NEW, status="lost"), "payments_status_check"),
        (msgspec.structs.replace(NEW, status="declined"), "declined_for_a_reason"),
        (msgspec.structs.replace(REFUNDED, captured_minor=501), "captured_within"),
        (msgspec.structs.replace(REFUNDED, refunded_minor=501), "refunded_within"),
        (msgspec.structs.replace(REFUNDED, moved_at=None), "captured_is_dated"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_two_payments_are_never_one_at_the_bank(tables: Tables) -> None:
    await tables.save(REFUNDED)

    with pytest.raises(ConflictError, match="payments_bank_id_key"):
        await tables.save(msgspec.structs.replace(NEW, bank_id="bank_2"))


@pytest.mark.parametrize("table", ["resolutions", "differences"])
async def test_what_people_did_and_what_was_found_is_never_changed(tables: Tables, table: str) -> None:
    await tables.save(RESOLVED, DIFFERENT)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tables.run(f"delete from {table}")
