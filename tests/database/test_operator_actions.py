"""What operators did, on a real PostgreSQL: kept as it was written, of a known kind, and never rewritten."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from sagamart.messaging.database import ConflictError
from sagamart.messaging.operator_actions import OperatorAction, OperatorActions
from sagamart.platform.databases import provision
from sagamart.platform.embedded import EmbeddedPostgres
from sagamart.platform.migrations import history_of, migrate
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
        "'move_order', 'ord_1', null, null, null, 'me', ''",
        "'release', null, gen_random_uuid(), 'OrderPaid', 'ord_1', 'me', ''",
        f"'pay_order', null, {LETTER}, 'me', 'why'",
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


def as_of(root: Path, package: str, last: str) -> Path:
    """A history as it was when it ended with this revision."""
    now = history_of(package)
    then = root / package.rpartition(".")[2] / "migrations"
    then.mkdir(parents=True)
    for revision in sorted(now.glob("[0-9]*.py")):
        if revision.stem <= last:
            shutil.copy(revision, then)
    return then


async def test_acts_of_the_journal_of_before_are_carried_over_once(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    database = await provision(postgres.dsn(), "orders_with_two_journals")
    before = [
        as_of(tmp_path, "sagamart.messaging", "0005_audit"),
        as_of(tmp_path, "sagamart.shop.orders", "0004_delivery_by_weight"),
    ]
    await migrate(database.owner_dsn, before)
    owner = await asyncpg.connect(database.owner_dsn)
    await owner.execute("""
        insert into staff_acts values
            ('id-1', 'ord_1', 'pay', 'cus_olga', '', 'booked', 'pay_pending', '2026-11-20Z'),
            ('id-2', 'ord_1', 'cancel', 'cus_olga', '', 'paid', 'paid', '2026-11-21Z');
        insert into operator_actions (id, action, subject, by, why, at) values
            ('id-2', 'cancel_order', 'ord_1', 'cus_olga', 'she called', '2026-11-21Z');
    """)

    await migrate(database.owner_dsn, [history_of("sagamart.messaging"), history_of("sagamart.shop.orders")])
    await owner.close()

    async with asyncpg.create_pool(database.runtime_dsn, min_size=1, max_size=1) as pool:
        journal = OperatorActions(pool)
        acts = await journal.before(datetime(2027, 1, 1, tzinfo=UTC), "", 10, "ord_1")
        assert [(act.action, act.why, act.status_before, act.status_after) for act in acts] == [
            ("cancel_order", "she called", "paid", "paid"),
            ("pay_order", "", "booked", "pay_pending"),
        ]
        assert await journal.before(datetime(2027, 1, 1, tzinfo=UTC), "", 10, "ord_2") == []
