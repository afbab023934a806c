"""Every test of this folder that takes `side` runs over the twin and over PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import pytest_asyncio

from conformance.sides import PostgresSide, Side, TwinSide
from conformance.things import DDL
from sagamart.platform.migrations import history_of, migrate


@pytest_asyncio.fixture(scope="session")
async def things_dsn(fresh_database: Callable[..., Awaitable[str]]) -> str:
    """Give a database with the core's tables and those of the things."""
    dsn = await fresh_database()
    await migrate(dsn, [history_of("sagamart.messaging")])
    connection = await asyncpg.connect(dsn)
    await connection.execute(DDL)
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
