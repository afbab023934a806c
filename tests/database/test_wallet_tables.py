"""The wallet's tables on a real PostgreSQL: what must not be is refused."""

import pytest
from msgspec.structs import replace

from sagamart.messaging.database import RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.wallet.records import Hold, Wallet
from sagamart.shop.wallet.service import WALLET
from shop_fixtures import Tables, TablesOf
from table_rows import CLEARED, DEPOSIT


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(WALLET)


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (Wallet(1, "cus_1", "RUB", 100, 101), "held_is_covered"),
        (Wallet(1, "cus_1", "RUB", 100, -1), "held_is_covered"),
        (Hold(1, "pay_1-1", "ord_1", 1, "cus_1", -1, "RUB", "held"), "holds_amount_minor_check"),
        (Hold(1, "pay_1-1", "ord_1", 1, "cus_1", 1, "RUB", "lost"), "holds_status_check"),  # type: ignore[arg-type]  # what the table must refuse
        (Hold(1, "pay_1-1", "ord_1", 1, "cus_1", 1, "RUB", "refused", "fun"), "holds_refusal_check"),  # type: ignore[arg-type]  # the same
        (replace(CLEARED, amount_minor=0), "clearings_amount_minor_check"),
        (replace(DEPOSIT[0], kind="gift"), "postings_kind_check"),
        (Hold(1, "pay_1-1", "ord_1", 1, "cus_1", 1, "RUB", "refused"), "refused_for_a_reason"),
        (Hold(1, "pay_1-1", "ord_1", 1, "cus_1", 1, "RUB", "held", "released"), "refused_for_a_reason"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)
