"""The core's tables in a real PostgreSQL: what must hold whatever the planner believes, and what a migration keeps."""

import re
import shutil
from pathlib import Path

import asyncpg

from postgres_fixtures import FreshDatabase
from sagamart.messaging import timers
from sagamart.messaging.outbox import lines
from sagamart.messaging.postgres import SESSION
from sagamart.messaging.statements import Part, statement
from sagamart.platform.migrations import history_of, migrate


async def test_timers_are_looked_up_one_by_one_even_if_the_table_was_vacuumed_while_it_was_empty(
    fresh_database: FreshDatabase,
) -> None:
    dsn = await fresh_database()
    await migrate(dsn, [history_of("sagamart.messaging")])
    connection = await asyncpg.connect(dsn, server_settings=SESSION)
    await connection.execute("vacuum analyze timers")

    sql = statement((Part(timers.DISARM),))
    plan = "\n".join(row[0] for row in await connection.fetch(f"explain {sql}", "[]"))

    await connection.close()
    assert re.search(r"Index Scan using timers_pkey on timers i.*\n\s*Index Cond: \(\(key = .*name = ", plan), plan
    assert "Tid Scan on timers" in plan


async def test_what_lay_in_the_outbox_before_parcels_becomes_parcels_of_one(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    dsn = await fresh_database()
    connection = await asyncpg.connect(dsn)
    before_parcels = tmp_path / "messaging/migrations"
    before_parcels.mkdir(parents=True)
    for revision in ("0001_start.py", "0002_operators.py"):
        shutil.copy(history_of("sagamart.messaging") / revision, before_parcels)
    await migrate(dsn, [before_parcels])
    await connection.execute(
        "insert into outbox values (gen_random_uuid(), 'Told', 'k', gen_random_uuid(), '{\"key\":\"k\"}', 'n', now())"
    )

    await migrate(dsn, [history_of("sagamart.messaging")])

    row = await connection.fetchrow("select messages, lease_owner from outbox")
    await connection.close()
    assert (lines(row["messages"]), row["lease_owner"]) == ([b'{"key":"k"}'], "n")
