"""A real PostgreSQL for the tests: one server a session, a fresh database in some milliseconds."""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from sagamart.platform.embedded import EmbeddedPostgres

FreshDatabase = Callable[..., Awaitable[str]]

SETTINGS = {
    "max_connections": "500",
    "fsync": "off",
    "full_page_writes": "off",
    # It would look into hundreds of databases in turn, ten a second.
    "autovacuum": "off",
}

_numbers = itertools.count(1)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a short folder for a server: pytest's own tmp_path is closed to the account that root's PostgreSQL uses."""
    made = Path(tempfile.mkdtemp(prefix="sagamart-test-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest_asyncio.fixture(scope="session")
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """Give one server for the whole session, which promises nothing for the case of a power cut."""
    made = Path(tempfile.mkdtemp(prefix="sagamart-test-"))
    try:
        async with EmbeddedPostgres(made, settings=SETTINGS) as server:
            yield server
    finally:
        shutil.rmtree(made, ignore_errors=True)


class Databases:
    """New databases on a server, and their end."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres
        self._made: list[str] = []

    async def make(self, template: str = "template1", owner: str | None = None) -> str:
        """The DSN of a copy of `template`, a database that nobody is connected to, of the same owner or another.

        Files are copied as they are: half the work of writing each page into the log.
        """
        name = f"test_{next(_numbers)}"
        admin = await asyncpg.connect(self._postgres.dsn())
        try:
            kept = await admin.fetchval("select datdba::regrole from pg_database where datname = $1", template)
            await admin.execute(f"create database {name} template {template} owner {owner or kept} strategy file_copy")
        finally:
            await admin.close()
        self._made.append(name)
        return self._postgres.dsn(name)

    async def drop(self) -> None:
        """Leave none of them: thousands of databases are gigabytes, and minutes to clear away at the end."""
        if not self._made:
            return
        admin = await asyncpg.connect(self._postgres.dsn())
        try:
            while self._made:
                await admin.execute(f"drop database {self._made.pop()} with (force)")
        finally:
            await admin.close()


@pytest.fixture(scope="session")
def lasting_databases(postgres: EmbeddedPostgres) -> Databases:
    """Give databases that stay as long as the server does."""
    return Databases(postgres)


@pytest.fixture(scope="session")
def lasting_database(lasting_databases: Databases) -> FreshDatabase:
    """Give `await lasting_database()`: the DSN of a new empty database, or of a copy of `template`."""
    return lasting_databases.make


@pytest_asyncio.fixture
async def databases(postgres: EmbeddedPostgres) -> AsyncIterator[Databases]:
    """Give databases that go with the test."""
    made = Databases(postgres)
    yield made
    await made.drop()


@pytest.fixture
def fresh_database(databases: Databases) -> FreshDatabase:
    """Give `await fresh_database()`: the same, gone when the test ends."""
    return databases.make
