"""The bank's tables on a real PostgreSQL: what must not be is refused, whoever writes it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from sagamart.bank.records import (
    OperationRecord,
    PaymentRecord,
    insert_payment,
    lock_payment,
    place_operation,
    update_payment,
)

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
HELD = PaymentRecord(
    payment_id="pay_1",
    merchant_id="shop",
    key="key-1",
    kind="hold",
    status="held",
    amount_minor=1000,
    currency="RUB",
    reference="ord_1",
    description="Tea",
    card="4000000000000001",
    return_url="https://shop.example/",
    hold_s=60,
    hold_expires_at=AT + timedelta(seconds=60),
    created_at=AT,
)
DONE = OperationRecord(
    merchant_id="shop", key="key-1", kind="hold", status="succeeded", amount_minor=1000, currency="RUB", at=AT
)
POST = """
    insert into postings (movement_id, kind, account, amount_minor, currency, at, merchant_id, entry, payment_id)
    values ($1, 'debit', $2, $3, 'RUB', now(), $4, $5, $6)
"""


async def post(connection: asyncpg.Connection, *lines: tuple[str, int]) -> None:
    """Write one movement; a merchant's line is its first entry."""
    async with connection.transaction():
        for account, amount_minor in lines:
            entry = ("shop", 1, "pay_1") if account.startswith("merchant:") else (None, None, None)
            await connection.execute(POST, "mov_1", account, amount_minor, *entry)


@pytest.fixture
async def connection(bank_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(bank_dsn)
    await connection.execute("insert into merchants values ('shop', 'Shop', 'digest', '{}', null, '{}')")
    yield connection
    await connection.close()


async def test_a_payment_comes_out_as_it_went_in_and_as_it_was_changed(connection: asyncpg.Connection) -> None:
    await insert_payment(connection, HELD)
    assert await lock_payment(connection, "pay_1") == HELD

    captured = HELD.changed(status="captured", captured_minor=400)
    await update_payment(connection, captured)

    assert await lock_payment(connection, "pay_1") == captured
    assert await lock_payment(connection, "pay_2") is None


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"amount_minor": 0}, "payments_amount_minor_check"),
        ({"currency": "rub"}, "payments_currency_check"),
        ({"status": "lost"}, "payments_status_check"),
        ({"captured_minor": 1001, "status": "captured"}, "captured_is_held"),
        ({"captured_minor": -1, "status": "captured"}, "captured_is_held"),
        ({"captured_minor": 500, "refunded_minor": 501, "status": "captured"}, "refunded_is_captured"),
        ({"captured_minor": 500}, "captured_says_so"),
        ({"captured_minor": 500, "refunded_minor": 499, "status": "cancelled"}, "captured_says_so"),
        ({"card": None}, "held_on_a_card_until"),
        ({"hold_expires_at": None}, "held_on_a_card_until"),
        ({"status": "declined"}, "declined_for_a_reason"),
        ({"refusal": "card_declined"}, "declined_for_a_reason"),
        ({"status": "needs_confirmation"}, "confirmed_by_a_link"),
        ({"merchant_id": "nobody"}, "payments_merchant_id_fkey"),
    ],
)
async def test_a_payment_against_the_rules_is_refused(
    connection: asyncpg.Connection, changes: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=constraint):
        await insert_payment(connection, replace(HELD, **changes))


async def test_a_key_makes_one_payment(connection: asyncpg.Connection) -> None:
    await insert_payment(connection, HELD)

    with pytest.raises(asyncpg.UniqueViolationError, match="payments_merchant_id_key_key"):
        await insert_payment(connection, replace(HELD, payment_id="pay_2"))


async def test_a_key_is_taken_once(connection: asyncpg.Connection) -> None:
    assert await place_operation(connection, DONE)
    assert not await place_operation(connection, replace(DONE, kind="capture"))
    assert await place_operation(connection, replace(DONE, key="key-2"))


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"status": "refused"}, "refused_for_a_reason"),
        ({"refusal": "card_declined"}, "refused_for_a_reason"),
        ({"kind": "unknown"}, "unknown_is_cancelled"),
        ({"kind": "gift"}, "operations_kind_check"),
        ({"amount_minor": -1}, "operations_amount_minor_check"),
    ],
)
async def test_an_operation_against_the_rules_is_refused(
    connection: asyncpg.Connection, changes: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        await place_operation(connection, replace(DONE, **changes))


@pytest.mark.parametrize(("balance_minor", "held_minor"), [(100, 101), (100, -1), (-1, 0)])
async def test_no_more_is_held_than_is_there(
    connection: asyncpg.Connection, balance_minor: int, held_minor: int
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="held_is_covered"):
        await connection.execute("insert into accounts values ('client:1', $1, $2)", balance_minor, held_minor)


async def test_a_movement_that_does_not_sum_to_zero_is_refused_when_it_is_committed(
    connection: asyncpg.Connection,
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="mov_1 does not sum to zero"):
        await post(connection, ("client:1", -100), ("merchant:shop", 99))

    await post(connection, ("client:1", -100), ("merchant:shop", 100))
    assert await connection.fetchval("select count(*) from postings") == 2


async def test_a_merchants_entry_has_one_number(connection: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.UniqueViolationError, match="postings_merchant_id_entry_key"):
        await post(connection, ("merchant:shop", 100), ("merchant:shop", -100))


@pytest.mark.parametrize(
    "statement", ["update postings set amount_minor = 1", "delete from postings", "drop table accounts"]
)
async def test_the_books_cannot_be_rewritten(connection: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
