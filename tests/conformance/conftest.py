"""Every test of this folder that takes `side` runs over the twin and over PostgreSQL."""

import io
import runpy
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from alembic.migration import MigrationContext
from alembic.operations import Operations

from conformance.sides import PostgresSide, Side, TwinSide
from conformance.things import DDL
from integration.conftest import FreshDatabase, fresh_database, postgres

__all__ = ["fresh_database", "postgres"]


def core_tables() -> str:
    """The core's migrations as SQL."""
    spec = find_spec("sagamart.messaging")
    assert spec is not None
    assert spec.submodule_search_locations
    sql = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": sql})
    for revision in sorted(Path(spec.submodule_search_locations[0], "migrations").glob("[0-9]*.py")):
        with Operations.context(context):
            runpy.run_path(str(revision))["upgrade"]()
    return sql.getvalue()


@pytest_asyncio.fixture(scope="session")
async def things_dsn(fresh_database: FreshDatabase) -> str:
    """Give a database with the core's tables and those of the things."""
    dsn = await fresh_database()
    connection = await asyncpg.connect(dsn)
    await connection.execute(core_tables() + DDL)
    await connection.close()
    return dsn


@pytest_asyncio.fixture(scope="session")
async def postgres_side(things_dsn: str) -> AsyncIterator[PostgresSide]:
    """Give the real side, for the whole session."""
    side = PostgresSide(things_dsn)
    await side.open()
    yield side
    await side.close()


@pytest.fixture(params=["twin", "postgres"])
def kept_side(request: pytest.FixtureRequest) -> Side:
    """Give either kind, as the last test left it."""
    if request.param == "twin":
        return TwinSide()
    real: Side = request.getfixturevalue("postgres_side")
    return real


@pytest_asyncio.fixture
async def side(kept_side: Side) -> Side:
    """Give an empty database of either kind."""
    await kept_side.empty()
    return kept_side
