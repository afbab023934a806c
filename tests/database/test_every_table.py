"""Every table of every service on a real PostgreSQL.

A struct is a row, what goes in comes out, nothing stays of what is rolled back, and a journal is never rewritten.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import asyncpg
import pytest
from msgspec.structs import replace

from sagamart.messaging.database import ConflictError
from sagamart.messaging.records import Table
from sagamart.messaging.service import Service
from sagamart.platform.databases import ServiceDatabase
from sagamart.settings import ShopSettings
from sagamart.slices import services_of
from shop_fixtures import Tables, TablesOf
from table_rows import ROWS

SERVICES = list(services_of(ShopSettings()).values())
OWN = {service.name: [table for table in service.tables if table.name != "operator_actions"] for service in SERVICES}
"""The tables of each service, without the core's journal of operators' acts: see `test_operator_actions.py`."""

JOURNALS = [(service, table) for service in SERVICES for table in OWN[service.name] if table.journal]
GO_IN_TIME = {"story_entries"}
"""Journals of which rows may be deleted that have had their time: see `test_timeline_tables.py`."""

TYPES = {
    "text": "text",
    "bigint": "bigint",
    "boolean": "boolean",
    "bytea": "bytea",
    "timestamptz": "timestamp with time zone",
    "jsonb": "jsonb",
}
COLUMNS = """
    select table_name, column_name, data_type, is_nullable = 'YES' as nullable
    from information_schema.columns where table_schema = 'public' and is_generated = 'NEVER'
"""
CONSTRAINTS = """
    select c.conrelid::regclass::text as table_name, c.conname::text as name, c.contype,
        array(
            select a.attname::text from unnest(c.conkey) with ordinality as k (number, place)
            join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number order by k.place
        ) as columns
    from pg_constraint c where c.connamespace = 'public'::regnamespace and c.contype in ('p', 'u', 'c', 'f')
"""
every_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


Look = Callable[[Service, str], Awaitable[list[asyncpg.Record]]]


@pytest.fixture
def look(migrated: Callable[[Service], Awaitable[ServiceDatabase]]) -> Look:
    """Give `await look(WALLET, sql)`: what its database is like as migrations leave it."""

    async def asked(service: Service, sql: str) -> list[asyncpg.Record]:
        return await Tables(service, (await migrated(service)).runtime_dsn).run(sql)

    return asked


def rows_in(service: Service, table: Table[Any]) -> list[Any]:
    """The examples of a table, sorted by key."""
    rows = [row for row in ROWS[service.name] if type(row) is table.record]
    return sorted(rows, key=lambda row: getattr(row, table.key))


def struct_columns(table: Table[Any]) -> set[tuple[str, str, bool]]:
    """Name, type, and whether it may be nothing."""
    hints = get_type_hints(table.record)
    return {(column.name, TYPES[column.type], NoneType in get_args(hints[column.name])) for column in table.columns}


async def rows_kept(tables: Tables, table: Table[Any], keys: list[str]) -> list[Any]:
    """What a table holds of these keys, sorted by them."""
    found = await tables.journal(table.record) if table.journal else await tables.load(table.record, *keys)
    return sorted(found, key=lambda row: str(getattr(row, table.key)))


@every_service
async def test_a_struct_has_the_columns_of_its_table(service: Service, look: Look) -> None:
    found = await look(service, COLUMNS)

    for table in OWN[service.name]:
        assert {tuple(row)[1:] for row in found if row["table_name"] == table.name} == struct_columns(table), table.name


@every_service
async def test_what_a_record_is_looked_up_by_is_unique(service: Service, look: Look) -> None:
    found = [row for row in await look(service, CONSTRAINTS) if row["contype"] in (b"p", b"u")]
    keys = {(row["table_name"], tuple(row["columns"])): row["contype"] for row in found}

    for table in OWN[service.name]:
        (primary,) = [columns for (name, columns), kind in keys.items() if (name, kind) == (table.name, b"p")]
        assert (primary[-1:] if table.journal else primary) == (table.key,), table.name
        assert all(keys.get((table.name, (column,))) == b"u" for column in table.unique), table.name


@every_service
async def test_every_constraint_is_tried(service: Service, look: Look) -> None:
    named = {table.name for table in OWN[service.name]}
    found = await look(service, CONSTRAINTS)
    tried = Path(__file__).with_name(f"test_{service.name}_tables.py").read_text()

    untried = [row["name"] for row in found if row["table_name"] in named and row["contype"] in (b"c", b"u", b"f")]
    assert [name for name in untried if f'"{name}"' not in tried] == []


@every_service
async def test_what_goes_in_comes_out(service: Service, tables_of: TablesOf) -> None:
    tables = await tables_of(service)

    await tables.save(*ROWS[service.name])

    for table in OWN[service.name]:
        rows = rows_in(service, table)
        assert await rows_kept(tables, table, [getattr(row, table.key) for row in rows] + ["none"]) == rows
        for column in table.columns:
            values = [getattr(row, column.name) for row in rows]
            assert any(value is not None for value in values), f"no example has a {column.name}"


@every_service
async def test_a_record_is_saved_only_over_the_version_that_was_loaded(service: Service, tables_of: TablesOf) -> None:
    tables = await tables_of(service)
    await tables.save(*ROWS[service.name])

    for table in OWN[service.name]:
        for row in () if table.journal else rows_in(service, table):
            changed = replace(row, version=row.version + 1)
            await tables.replace(changed, loaded=row.version)
            with pytest.raises(ConflictError, match="version"):
                await tables.replace(changed, loaded=row.version)
            assert await tables.load(table.record, getattr(row, table.key)) == [changed]


@every_service
async def test_a_rollback_leaves_nothing(service: Service, tables_of: TablesOf) -> None:
    tables = await tables_of(service)

    with pytest.raises(KeyboardInterrupt):
        await tables.save(*ROWS[service.name], then=KeyboardInterrupt())

    left = {table.name: await tables.run(f"select from {table.name}") for table in OWN[service.name]}
    assert left == {table.name: [] for table in OWN[service.name]}


@pytest.mark.parametrize(("service", "table"), JOURNALS, ids=lambda one: one.name)
async def test_a_journal_is_never_rewritten(service: Service, table: Table[Any], tables_of: TablesOf) -> None:
    tables = await tables_of(service)
    await tables.save(*ROWS[service.name])
    rewriting = [f"update {table.name} set {table.key} = ''", f"truncate {table.name}", f"drop table {table.name}"]
    if table.name not in GO_IN_TIME:
        rewriting.append(f"delete from {table.name}")

    for statement in rewriting:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tables.run(statement)

    assert await tables.journal(table.record) == rows_in(service, table)


@every_service
async def test_an_entry_or_a_first_version_is_written_once_for_ever(service: Service, tables_of: TablesOf) -> None:
    tables = await tables_of(service)
    await tables.save(*ROWS[service.name])

    for table in OWN[service.name]:
        with pytest.raises(ConflictError, match=f"{table.name}_pkey"):
            await tables.save(rows_in(service, table)[0])
