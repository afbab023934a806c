"""The timeline's table on a real PostgreSQL: what must not be is refused, and only what is old goes."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from sagamart.messaging.database import RejectedError
from sagamart.shop.timeline.records import StoryEntry
from sagamart.shop.timeline.service import TIMELINE
from shop_fixtures import Tables, TablesOf
from table_rows import ANSWER, AT, ENTRY

OLD = replace(ENTRY, message_id="msg_3", at=AT - timedelta(days=9_000), kept_until=AT - timedelta(days=8_000))


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(TIMELINE)


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (replace(ENTRY, customer_id=None), "orders_tells_all_of_an_order"),
        (replace(ANSWER, status="paid"), "orders_tells_all_of_an_order"),
        (replace(ENTRY, order_version=0), "story_entries_order_version_check"),
        (replace(ENTRY, body=[]), "story_entries_body_check"),
        (replace(ENTRY, kept_until=AT - timedelta(days=1)), "story_entries_check"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: StoryEntry, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_only_what_has_had_its_time_can_be_deleted(tables: Tables) -> None:
    await tables.save(ENTRY, OLD)

    await tables.run("delete from story_entries")

    assert await tables.journal(StoryEntry) == [ENTRY]


async def test_the_sweep_deletes_what_has_had_its_time(tables: Tables) -> None:
    await tables.save(ENTRY, OLD)

    await tables.database.prune(AT - timedelta(days=7))

    assert await tables.journal(StoryEntry) == [ENTRY]
