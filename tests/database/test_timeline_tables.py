"""The timeline's table on a real PostgreSQL: what goes in comes out, nothing is changed, and only what is old goes."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from msgspec.structs import replace

from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.shop.timeline.records import StoryEntry
from sagamart.shop.timeline.service import TIMELINE
from shop_fixtures import Tables, TablesOf

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
ENTRY = StoryEntry(
    message_id="msg_1",
    order_id="ord_1",
    customer_id="cus_1",
    type="OrderPaid",
    source="orders",
    node="node-1",
    at=AT,
    kept_until=AT + timedelta(days=36_500),
    cause="msg_0",
    correlation="msg_0",
    order_version=4,
    status="paid",
    body={"total_minor": 100, "lines": [{"sku": "CUP"}]},
)
ANSWER = replace(ENTRY, message_id="msg_2", customer_id=None, order_version=None, status=None, body={})
OLD = replace(ENTRY, message_id="msg_3", at=AT - timedelta(days=9_000), kept_until=AT - timedelta(days=8_000))


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(TIMELINE)


async def test_rows_come_out_as_they_went_in(tables: Tables) -> None:
    await tables.save(ENTRY, ANSWER)

    assert await tables.journal(StoryEntry) == [ENTRY, ANSWER]


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (replace(ENTRY, customer_id=None), "orders_tells_all_of_an_order"),
        (replace(ANSWER, status="paid"), "orders_tells_all_of_an_order"),
        (replace(ENTRY, order_version=0), "story_entries_order_version_check"),
        (replace(ENTRY, kept_until=AT - timedelta(days=1)), "story_entries_check"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: StoryEntry, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_a_message_is_written_down_once(tables: Tables) -> None:
    await tables.save(ENTRY)

    with pytest.raises(ConflictError, match="story_entries_pkey"):
        await tables.save(ENTRY)


@pytest.mark.parametrize("statement", ["update story_entries set body = '{}'", "truncate story_entries"])
async def test_the_story_cannot_be_rewritten(tables: Tables, statement: str) -> None:
    await tables.save(ENTRY)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tables.run(statement)


async def test_only_what_has_had_its_time_can_be_deleted(tables: Tables) -> None:
    await tables.save(ENTRY, OLD)

    await tables.run("delete from story_entries")

    assert await tables.journal(StoryEntry) == [ENTRY]


async def test_the_sweep_deletes_what_has_had_its_time(tables: Tables) -> None:
    await tables.save(ENTRY, OLD)

    await tables.database.prune(AT - timedelta(days=7))

    assert await tables.journal(StoryEntry) == [ENTRY]


async def test_a_rollback_leaves_nothing(tables: Tables) -> None:
    with pytest.raises(KeyboardInterrupt):
        await tables.save(ENTRY, then=KeyboardInterrupt())

    assert await tables.journal(StoryEntry) == []
