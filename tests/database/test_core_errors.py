"""What PostgreSQL's errors mean to the core: trouble that passes, somebody who was faster, or a row that cannot be."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import asyncpg
import pytest
import pytest_asyncio
from msgspec.structs import replace

from conformance.lossy_line import LossyLine
from conformance.sides import batch, write
from conformance.things import APPLE, DDL, PEAR, THINGS, Thing, an_id, handled, new, wanted
from postgres_fixtures import FreshDatabase
from sagamart.messaging.database import (
    Changes,
    CommitUnknownError,
    ConflictError,
    RejectedError,
    UnavailableError,
)
from sagamart.messaging.postgres import PostgresDatabase
from sagamart.messaging.records import need
from sagamart.platform.migrations import history_of, migrate

RAISE = "raise "
RAISES = f"""
    create function raise_it() returns trigger language plpgsql as $$
    begin
        if new.email like '{RAISE}%' then
            raise exception 'as the test wants it' using errcode = substr(new.email, {len(RAISE) + 1});
        end if;
        return new;
    end $$;
    create trigger raises before insert on things for each row execute function raise_it();
"""
GIVEN_UP_S_MAX = 30.0
INDEXED_BYTES_MAX = 2704
"""What a B-tree takes of one row."""


@pytest_asyncio.fixture(scope="module")
async def dsn(lasting_database: FreshDatabase) -> str:
    made = await lasting_database()
    await migrate(made, [history_of("sagamart.messaging")])
    connection = await asyncpg.connect(made)
    await connection.execute(DDL + RAISES)
    await connection.close()
    return made


@pytest_asyncio.fixture
async def database(dsn: str) -> AsyncIterator[PostgresDatabase]:
    connection = await asyncpg.connect(dsn)
    await connection.execute("truncate things, inbox")
    await connection.close()
    made = PostgresDatabase(THINGS, dsn, node="a")
    yield made
    await made.close()


MEANT = [
    ("08006", UnavailableError),
    ("53100", UnavailableError),
    ("53200", UnavailableError),
    ("57014", UnavailableError),
    ("58000", UnavailableError),
    ("58030", UnavailableError),
    ("58P01", UnavailableError),
    ("XX000", UnavailableError),
    ("XX001", UnavailableError),
    ("40001", ConflictError),
    ("40P01", ConflictError),
    ("55P03", ConflictError),
    ("23505", ConflictError),
    ("0A000", RejectedError),
    ("22003", RejectedError),
    ("23514", RejectedError),
    ("42501", RejectedError),
    ("54000", RejectedError),
    ("54001", RejectedError),
    ("P0001", RejectedError),
    ("55000", RejectedError),
    ("ZZ999", RejectedError),
]


@pytest.mark.parametrize(("sqlstate", "meant"), MEANT)
async def test_an_error_means_what_its_class_says(
    database: PostgresDatabase, sqlstate: str, meant: type[Exception]
) -> None:
    with pytest.raises(meant):
        await write(database, new(PEAR, replace(APPLE, email=RAISE + sqlstate)))

    await write(database, new(PEAR))


@pytest.mark.parametrize(("sqlstate", "meant"), MEANT)
async def test_an_attempt_that_met_the_servers_trouble_may_have_been_written(
    database: PostgresDatabase, sqlstate: str, meant: type[Exception]
) -> None:
    async def attempt() -> None:
        async with database.attempt() as transaction:
            await transaction.write(new(PEAR, replace(APPLE, email=RAISE + sqlstate)))

    with pytest.raises(CommitUnknownError if meant is UnavailableError else meant):
        await attempt()

    await write(database, new(PEAR))


async def test_a_key_too_long_for_its_index_is_refused_and_what_was_with_it_is_not_written(
    database: PostgresDatabase,
) -> None:
    incompressible = Random(1).randbytes(INDEXED_BYTES_MAX).hex()  # noqa: S311  no secret
    with pytest.raises(RejectedError, match="index row"):
        await write(database, new(PEAR, replace(APPLE, thing_id=incompressible)))

    assert (await batch(database, wanted(need(Thing, "pear")))).records == {Thing: []}


async def test_a_column_that_was_changed_under_a_prepared_statement_is_read_by_the_next_transaction(
    database: PostgresDatabase,
) -> None:
    await write(database, new(APPLE))
    await batch(database, wanted(need(Thing, "apple")))
    connection = await asyncpg.connect(database.dsn)
    await connection.execute("alter table things alter column email type varchar(200)")
    await connection.close()

    with pytest.raises(UnavailableError):
        await batch(database, wanted(need(Thing, "apple")))

    assert (await batch(database, wanted(need(Thing, "apple")))).records == {Thing: [APPLE]}


async def test_a_server_that_never_answers_is_given_up(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagamart.messaging.postgres.ANSWER_S_MAX", 0.5)
    line = LossyLine(database.dsn)
    await line.open()
    beyond = PostgresDatabase(THINGS, line.dsn, node="b")
    line.loses_answer_to, line.goes_silent = b"commit", True

    async with asyncio.timeout(GIVEN_UP_S_MAX):
        with pytest.raises(CommitUnknownError):
            await write(beyond, new(APPLE))

        assert (await batch(beyond, wanted(need(Thing, "apple")))).records == {Thing: [APPLE]}
    await beyond.close()
    await line.close()


async def test_a_sweep_that_meets_the_servers_trouble_is_put_off(database: PostgresDatabase) -> None:
    await write(database, handled(1))
    connection = await asyncpg.connect(database.dsn)
    await connection.execute("""
        create function broken() returns trigger language plpgsql as $$
        begin raise exception 'a disk that fails' using errcode = '58030'; end $$;
        create trigger breaks before insert on attempts execute function broken();
    """)
    try:
        with pytest.raises(UnavailableError):
            await database.count_attempts([an_id(1)])
    finally:
        await connection.execute("drop trigger breaks on attempts; drop function broken")
        await connection.close()

    assert await database.count_attempts([an_id(1)]) == {an_id(1): 1}
    await write(database, Changes(attempted=[an_id(1)]))
