"""Stock's tables on a real PostgreSQL: what must not be is refused."""

import pytest

from sagamart.messaging.database import RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.stock.records import Movement, Reservation, Sku
from sagamart.shop.stock.service import STOCK
from shop_fixtures import Tables, TablesOf
from table_rows import AT


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(STOCK)


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (Sku(1, "CUP", 1, 2), "reserved_is_on_hand"),
        (Sku(1, "CUP", 1, -1), "reserved_is_on_hand"),
        (Sku(1, "CUP", -1, 0), "reserved_is_on_hand"),
        (Sku(1, "CUP", 1, 1, -1), "skus_missing_check"),
        (Reservation(1, "ord_1/1", "ord_1", 1, "lost"), "reservations_status_check"),  # type: ignore[arg-type]  # what the table must refuse
        (Movement("mov_1", "CUP", "lost", 1, "", AT), "movements_kind_check"),  # type: ignore[arg-type]  # the same
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)
