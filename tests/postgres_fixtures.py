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

_numbers = itertools.count(1)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a short folder for a server: pytest's own tmp_path is closed to the account that root's PostgreSQL uses."""
    made = Path(tempfile.mkdtemp(prefix="sagamart-test-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest_asyncio.fixture(scope="session")
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """Give one server for the whole session; without fsync, since tests lose nothing in a power cut."""
    made = Path(tempfile.mkdtemp(prefix="sagamart-test-"))
    try:
        async with EmbeddedPostgres(made, settings={"fsync": "off", "max_connections": "500"}) as server:
            yield server
    finally:
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def fresh_database(postgres: EmbeddedPostgres) -> FreshDatabase:
    """Give `await fresh_database()`: the DSN of a new empty database, or of a copy of `template`.

    A template is the name of a database that nobody is connected to; its copy belongs to the same owner.
    """

    async def make(template: str = "template1") -> str:
        name = f"test_{next(_numbers)}"
        admin = await asyncpg.connect(postgres.dsn())
        try:
            owner = await admin.fetchval("select datdba::regrole from pg_database where datname = $1", template)
            await admin.execute(f"create database {name} template {template} owner {owner}")
        finally:
            await admin.close()
        return postgres.dsn(name)

    return make
