"""Every test that takes `side` runs over the twin and over PostgreSQL; one that takes `world`, on every way of travel.

To add a way: a class as in `ways.py`, a fixture that gives it, and its name among the parameters of `way`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import asyncpg
import pytest
import pytest_asyncio

from conformance.http_way import HttpWay
from conformance.kafka_way import KafkaWay
from conformance.sides import PostgresSide, Side, TwinSide
from conformance.things import DDL
from conformance.ways import LocalWay, Way, World
from kafka_broker import Broker
from sagamart.platform.migrations import history_of, migrate
from sagamart.platform.ports import Ports


@pytest_asyncio.fixture(scope="session")
async def things_dsn(lasting_database: Callable[..., Awaitable[str]]) -> str:
    """Give a database with the core's tables and those of the things."""
    dsn = await lasting_database()
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


@pytest.fixture
def local_way() -> LocalWay:
    """Give the way within one process."""
    return LocalWay()


@pytest.fixture
def kafka_way(kafka: Broker, fresh_prefix: Callable[[], str]) -> KafkaWay:
    """Give the way over a real broker, with topics of its own."""
    return KafkaWay(kafka.bootstrap, fresh_prefix())


@pytest.fixture
def http_way() -> Iterator[HttpWay]:
    """Give the way over sockets of this machine."""
    with Ports() as ports:
        yield HttpWay(ports)


@pytest.fixture(params=["local", "http", "kafka"])
def way(request: pytest.FixtureRequest) -> Way:
    """Give each way."""
    found: Way = request.getfixturevalue(f"{request.param}_way")
    return found


@pytest_asyncio.fixture
async def world(way: Way) -> AsyncIterator[World]:
    """Give a world in which nobody is at work yet."""
    made = World(way)
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def kafka_world(kafka_way: KafkaWay) -> AsyncIterator[World]:
    """Give a world over Kafka."""
    made = World(kafka_way)
    yield made
    await made.stop()
