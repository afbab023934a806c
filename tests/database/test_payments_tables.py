"""The tables of payments on a real PostgreSQL: what must not be is refused."""

import msgspec
import pytest

from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.payments.service import PAYMENTS_SERVICE
from shop_fixtures import Tables, TablesOf
from table_rows import NEW, OPEN, REFUNDED, RESOLVED


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(PAYMENTS_SERVICE)


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (msgspec.structs.replace(NEW, amount_minor=0), "payments_amount_minor_check"),
        (msgspec.structs.replace(NEW, status="lost"), "payments_status_check"),
        (msgspec.structs.replace(NEW, purpose="fun"), "payments_purpose_check"),
        (msgspec.structs.replace(NEW, closing="fun"), "payments_closing_check"),
        (msgspec.structs.replace(NEW, status="declined"), "declined_for_a_reason"),
        (msgspec.structs.replace(REFUNDED, captured_minor=501), "captured_within"),
        (msgspec.structs.replace(REFUNDED, refunded_minor=501), "refunded_within"),
        (msgspec.structs.replace(REFUNDED, moved_at=None), "captured_is_dated"),
        (msgspec.structs.replace(OPEN, open_max=1), "no_more_than_may_be_open"),
        (msgspec.structs.replace(RESOLVED, outcome="lost"), "resolutions_outcome_check"),
        (msgspec.structs.replace(RESOLVED, why=""), "resolutions_why_check"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_two_payments_are_never_one_at_the_bank(tables: Tables) -> None:
    await tables.save(REFUNDED)

    with pytest.raises(ConflictError, match="payments_bank_id_key"):
        await tables.save(msgspec.structs.replace(NEW, bank_id="bank_2"))
