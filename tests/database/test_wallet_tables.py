"""The wallet's tables on a real PostgreSQL: what goes in comes out, what must not be is refused."""

from datetime import UTC, datetime

import asyncpg
import pytest

from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.wallet.records import Hold, Movement, Posting, Wallet
from sagamart.shop.wallet.service import WALLET
from shop_fixtures import Tables, TablesOf

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
RICH = Wallet(1, "cus_1", "RUB", 9_000_000_000_000_000_000, 1)
HELD = Hold(1, "pay_1-1", "ord_1", 1, "cus_1", 300, "RUB", "held")
REFUSED = Hold(1, "pay_2-1", "ord_2", 1, "cus_1", 300, "RUB", "refused", "insufficient_funds", 299)
DEPOSIT = Movement("mov_1", "deposit", 500, "RUB", "usr_operator", AT).postings("house:clearing", "customer:cus_1")


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(WALLET)


async def test_wallets_holds_and_postings_come_out_as_they_went_in(tables: Tables) -> None:
    await tables.save(RICH, HELD, REFUSED, *DEPOSIT)

    assert await tables.load(Wallet, "cus_1", "cus_none") == [RICH]
    assert await tables.load(Hold, "pay_1-1", "pay_2-1") == [HELD, REFUSED]
    assert await tables.journal(Posting) == list(DEPOSIT)


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (Wallet(1, "cus_1", "RUB", 100, 101), "held_is_covered"),
        (Wallet(1, "cus_1", "RUB", 100, -1), "held_is_covered"),
        (Hold(1, "pay_1-1", "ord_1", 1, "cus_1", -1, "RUB", "held"), "holds_amount_minor_check"),
        (Hold(1, "pay_1-1", "ord_1", 1, "cus_1", 1, "RUB", "lost"), "holds_status_check"),  # type: ignore[arg-type]  # what the table must refuse
        (Hold(1, "pay_1-1", "ord_1", 1, "cus_1", 1, "RUB", "refused"), "refused_for_a_reason"),
        (Hold(1, "pay_1-1", "ord_1", 1, "cus_1", 1, "RUB", "held", "released"), "refused_for_a_reason"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_a_movement_is_written_once_for_ever(tables: Tables) -> None:
    await tables.save(*DEPOSIT)

    with pytest.raises(ConflictError, match="postings_pkey"):
        await tables.save(*DEPOSIT)


async def test_a_wallet_is_saved_only_over_the_version_that_was_loaded(tables: Tables) -> None:
    await tables.save(Wallet(1, "cus_1", "RUB", 100))
    await tables.replace(Wallet(2, "cus_1", "RUB", 150), loaded=1)

    with pytest.raises(ConflictError, match="version"):
        await tables.replace(Wallet(2, "cus_1", "RUB", 170), loaded=1)

    assert await tables.load(Wallet, "cus_1") == [Wallet(2, "cus_1", "RUB", 150)]


async def test_a_rollback_leaves_nothing(tables: Tables) -> None:
    with pytest.raises(KeyboardInterrupt):
        await tables.save(RICH, HELD, *DEPOSIT, then=KeyboardInterrupt())

    assert await tables.load(Wallet, "cus_1") == []
    assert await tables.load(Hold, "pay_1-1") == []
    assert await tables.journal(Posting) == []


@pytest.mark.parametrize(
    "statement", ["update postings set amount_minor = 0", "delete from postings", "drop table postings"]
)
async def test_the_journal_cannot_be_rewritten(tables: Tables, statement: str) -> None:
    await tables.save(*DEPOSIT)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tables.run(statement)
