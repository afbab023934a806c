"""What operators did, on a real PostgreSQL: kept as it was written, of a known kind, and never rewritten."""

from datetime import UTC, datetime

import asyncpg
import pytest

from sagamart.messaging.database import ConflictError
from sagamart.messaging.operator_actions import OperatorAction
from sagamart.shop.orders.service import ORDERS_SERVICE
from shop_fixtures import Tables, TablesOf

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
DONE = OperatorAction("msg_1", "cancel_order", "ord_1", "cus_olga", "the customer called", AT)
LETTER = "gen_random_uuid(), 'OrderPaid', 'ord_1'"


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(ORDERS_SERVICE)


async def test_an_act_comes_out_as_it_went_in_and_happens_once(tables: Tables) -> None:
    await tables.save(DONE)

    assert await tables.journal(OperatorAction) == [DONE]
    with pytest.raises(ConflictError, match="operator_actions_pkey"):
        await tables.save(DONE)


@pytest.mark.parametrize(
    "values",
    [
        "'cancel_order', null, null, null, null, 'me', 'why'",
        f"'cancel_order', 'ord_1', {LETTER}, 'me', 'why'",
        "'release', null, null, null, null, 'me', 'why'",
        f"'release', 'ord_1', {LETTER}, 'me', 'why'",
        "'pause', 'ord_1', null, null, null, 'me', 'why'",
        "'forget', 'ord_1', null, null, null, 'me', 'why'",
        "'cancel_order', 'ord_1', null, null, null, 'me', ''",
    ],
)
async def test_an_act_that_does_not_say_what_it_was_done_to_or_why_is_refused(tables: Tables, values: str) -> None:
    columns = "action, subject, letter_id, letter_type, letter_key, by, why"

    with pytest.raises(asyncpg.CheckViolationError):
        await tables.run(f"insert into operator_actions ({columns}) values ({values})")


@pytest.mark.parametrize(
    "statement",
    ["update operator_actions set why = 'other'", "delete from operator_actions", "truncate operator_actions"],
)
async def test_what_was_done_cannot_be_rewritten(tables: Tables, statement: str) -> None:
    await tables.save(DONE)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tables.run(statement)
