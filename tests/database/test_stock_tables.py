"""Stock's tables on a real PostgreSQL: what goes in comes out, what must not be is refused."""

from datetime import UTC, datetime

import asyncpg
import pytest

from sagamart.contracts.orders import ShortLine
from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.stock.records import Movement, Reservation, ReservedLine, Sku
from sagamart.shop.stock.service import STOCK
from shop_fixtures import Tables, TablesOf

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
CUPS = Sku(1, "CUP", 5, 2)
BOOKED = Reservation(1, "ord_1/1", "ord_1", 1, "booked", (ReservedLine("CUP", 2), ReservedLine("Чашка", 1)))
REFUSED = Reservation(1, "ord_2/1", "ord_2", 1, "refused", short=(ShortLine("CUP", 9, 3),))
RECEIVED = Movement("mov_1", "CUP", "received", 5, "usr_keeper", AT)


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(STOCK)


async def test_skus_reservations_and_movements_come_out_as_they_went_in(tables: Tables) -> None:
    await tables.save(CUPS, BOOKED, REFUSED, RECEIVED)

    assert await tables.load(Sku, "CUP", "NONE") == [CUPS]
    assert await tables.load(Reservation, "ord_1/1", "ord_2/1") == [BOOKED, REFUSED]
    assert await tables.journal(Movement) == [RECEIVED]


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (Sku(1, "CUP", 1, 2), "reserved_is_on_hand"),
        (Sku(1, "CUP", 1, -1), "reserved_is_on_hand"),
        (Sku(1, "CUP", -1, 0), "reserved_is_on_hand"),
        (Reservation(1, "ord_1/1", "ord_1", 1, "lost"), "reservations_status_check"),  # type: ignore[arg-type]  # what the table must refuse
        (Movement("mov_1", "CUP", "lost", 1, "", AT), "movements_kind_check"),  # type: ignore[arg-type]  # the same
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_an_attempt_has_one_reservation_for_ever(tables: Tables) -> None:
    await tables.save(BOOKED)

    with pytest.raises(ConflictError, match="reservations_pkey"):
        await tables.save(BOOKED)


async def test_a_sku_is_saved_only_over_the_version_that_was_loaded(tables: Tables) -> None:
    await tables.save(CUPS)
    await tables.replace(Sku(2, "CUP", 5, 3), loaded=1)

    with pytest.raises(ConflictError, match="version"):
        await tables.replace(Sku(2, "CUP", 5, 4), loaded=1)

    assert await tables.load(Sku, "CUP") == [Sku(2, "CUP", 5, 3)]


async def test_a_rollback_leaves_nothing(tables: Tables) -> None:
    with pytest.raises(KeyboardInterrupt):
        await tables.save(CUPS, BOOKED, RECEIVED, then=KeyboardInterrupt())

    assert await tables.load(Sku, "CUP") == []
    assert await tables.load(Reservation, "ord_1/1") == []
    assert await tables.journal(Movement) == []


@pytest.mark.parametrize("statement", ["update movements set quantity = 0", "delete from movements"])
async def test_the_journal_cannot_be_rewritten(tables: Tables, statement: str) -> None:
    await tables.save(RECEIVED)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tables.run(statement)
