"""One service at work: its own real database, its worker, and its routes, with the world around it played by a test.

service = await started(WALLET, ROUTES)          # a fixture
await service.hears(CustomerRegistered(…))       # facts from other services, until they are committed
service.sent                                     # what it told other services
await service.post("/v1/wallet/deposits", {…}, caller=…)
"""

import os
from asyncio import Future, create_task, gather, get_running_loop
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from documented import as_documented
from postgres_fixtures import FreshDatabase
from sagamart.messaging.database import Changes, Wanted
from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import Body, Message, new_id
from sagamart.messaging.operator_actions import OperatorActions
from sagamart.messaging.outside import Outside, OutsideCalls
from sagamart.messaging.postgres import PostgresDatabase
from sagamart.messaging.records import Entry, Record, need
from sagamart.messaging.service import Service
from sagamart.messaging.sweep import Sweep
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.worker import Node, Worker
from sagamart.platform.databases import ServiceDatabase, provision
from sagamart.platform.embedded import EmbeddedPostgres
from sagamart.platform.http import Caller, Mounted, Process, build_app, queries_of
from sagamart.platform.migrations import history_of, migrate
from sagamart.platform.settings import HttpSettings
from sagamart.platform.tokens import Tokens, keys_by_id
from sagamart.settings import ShopSettings

R = TypeVar("R", bound=Record)

KEY = Ed25519PrivateKey.generate()
TOKENS = Tokens(keys_by_id([KEY.public_key()]), issuer="test", audience="test", signer=KEY)
UNLIMITED = Process(HttpSettings(rate_limit_per_s=0))


class World:
    """All other services at once: says what they would say, keeps what this one says."""

    name = "world"

    def __init__(self, service: Service, transport: LocalTransport) -> None:
        self.consumes = service.emits
        self.registry = service.registry
        self.sent: list[Body] = []
        self._transport = transport
        self._waiting: dict[str, Future[None]] = {}
        transport.connect(self)

    def offer(self, messages: Sequence[Message[Body]]) -> int:
        """Keep what the service tells."""
        self.sent.extend(message.body for message in messages)
        self._transport.handled(self.name, messages)
        return len(messages)

    async def bury(self, letters: Sequence[UnreadableLetter]) -> None:
        """Nothing unreadable travels in memory."""
        raise AssertionError(letters)

    def arrived(self, message_ids: Sequence[str]) -> None:
        """The service has committed these."""
        for message_id in message_ids:
            self._waiting.pop(message_id).set_result(None)

    def refused(self, message_ids: Sequence[str], _after_s: float = 0) -> None:
        """No test fills a queue."""
        raise AssertionError(f"the service had no room for {message_ids}")

    async def say(self, messages: Sequence[Message[Body]]) -> None:
        """Tell the service, and wait until it has committed every one of these."""
        waiting = [self._waiting.setdefault(one.id, get_running_loop().create_future()) for one in messages]
        self._transport.hand_over(self.name, messages)
        for arrival in waiting:
            await arrival


class RunningService:
    """A service at work over a database of its own."""

    def __init__(self, service: Service, routes: Sequence[Any], dsn: str, outside: Sequence[Outside] = ()) -> None:
        self.service = service
        self._outside = outside
        self.dsn = dsn
        self._routes = routes
        self._transport = LocalTransport()
        self._closing = AsyncExitStack()
        self.world = World(service, self._transport)

    async def start(self) -> None:
        """Let it work until `stop`."""
        database = PostgresDatabase(self.service, self.dsn, node="test")
        self._closing.push_async_callback(database.close)
        self.worker = Worker(self.service, database, self._transport, node=Node("test"))
        lane = create_task(self.worker.run())
        self._closing.push_async_callback(lambda: lane)
        self._closing.callback(self.worker.stop)
        if self._outside:
            self.reaches(*self._outside)
        self.pool = await asyncpg.create_pool(self.dsn, min_size=1, max_size=2)
        self._closing.push_async_callback(self.pool.close)
        self.queries = queries_of(_package(self.service), self.pool)
        mounted = Mounted(self.service.name, self._routes, self.worker.ask, self.queries)
        process = replace(UNLIMITED, actions={self.service.name: OperatorActions(self.pool)})
        self.app = build_app([mounted], tokens=TOKENS, process=process)
        transport = httpx.ASGITransport(app=cast("Any", self.app))
        hooks = {"response": [as_documented]}
        self.http = httpx.AsyncClient(transport=transport, base_url="http://shop", event_hooks=hooks)
        self._closing.push_async_callback(self.http.aclose)

    def reaches(self, *outside: Outside) -> None:
        """Call the outside world by these, and sweep, so that timers fire and what failed is called again."""
        calls = OutsideCalls(self.worker, outside)
        self._closing.push_async_callback(calls.close)
        tasks = [create_task(calls.run()), create_task(Sweep(self.worker).run())]

        async def end() -> None:
            for task in tasks:
                task.cancel()
            await gather(*tasks, return_exceptions=True)

        self._closing.push_async_callback(end)

    async def stop(self) -> None:
        """Finish the batch at hand, then close everything."""
        await self._closing.aclose()

    @property
    def sent(self) -> list[Body]:
        """What it told other services."""
        return self.world.sent

    async def hears(self, *bodies: Body) -> None:
        """Tell it these facts at once, each in a message of its own, and wait until it has committed them."""
        await self.world.say([said(body) for body in bodies])

    async def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """What its database holds."""
        return [tuple(row) for row in await self.pool.fetch(sql, *arguments)]

    async def get(self, path: str, *, caller: Caller | None = None, **headers: str) -> httpx.Response:
        """GET as this caller (None: nobody)."""
        return await self.http.get(path, headers={**_authorization(caller), **headers})

    async def post(
        self, path: str, body: Any, *, caller: Caller | None = None, key: str | None = "key-1"
    ) -> httpx.Response:
        """POST as this caller under this idempotency key."""
        return await self.send("POST", path, body, caller=caller, key=key)

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        caller: Caller | None = None,
        key: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """A request of another method."""
        keyed = {} if key is None else {"Idempotency-Key": key}
        return await self.http.request(method, path, json=body, headers={**_authorization(caller), **keyed, **headers})


class Tables:
    """A service's tables, written and read as its worker does, without its rules."""

    def __init__(self, service: Service, dsn: str) -> None:
        self.database = PostgresDatabase(service, dsn, node="test")

    async def save(self, *rows: Record | Entry, then: BaseException | None = None) -> None:
        """Write new rows in one transaction, and raise `then` before it is committed."""
        changes = Changes()
        for row in rows:
            changes.new.setdefault(type(row), []).append(row)
        async with self.database.transaction() as transaction:
            await transaction.write(changes)
            if then is not None:
                raise then

    async def replace(self, row: Record, loaded: int) -> None:
        """Write a record over the version that was loaded."""
        async with self.database.transaction() as transaction:
            await transaction.write(Changes(changed={type(row): [(row, loaded)]}))

    async def load(self, kind: type[R], *keys: str) -> list[R]:
        """These records."""
        async with self.database.transaction() as transaction:
            loaded = await transaction.load(Wanted([], [], [], [], [need(kind, *keys)]))
        return loaded.records[kind]

    async def journal(self, kind: type[Entry]) -> list[Any]:
        """All entries of a journal, sorted by key."""
        table = self.database.tables[kind]
        names = ", ".join(column.name for column in table.columns)
        found = await self.run(f"select {names} from {table.name} order by {table.key}")
        return table.read(found)

    async def run(self, sql: str) -> list[asyncpg.Record]:
        """A statement, as the service's runtime role."""
        connection = await asyncpg.connect(self.database.dsn)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(sql)
            return rows
        finally:
            await connection.close()


Started = Callable[..., Awaitable[RunningService]]
DatabaseOf = Callable[[Service], Awaitable[str]]
TablesOf = Callable[[Service], Awaitable[Tables]]


def said(body: Body) -> Message[Body]:
    """A message of the world."""
    now = datetime.now(UTC)
    message_id = new_id(now, os.urandom(10))
    return Message(
        id=message_id,
        type=type(body).__name__,
        key=body.key,
        source=World.name,
        at=now,
        correlation=message_id,
        body=body,
    )


def _authorization(caller: Caller | None) -> dict[str, str]:
    return {} if caller is None else {"Authorization": f"Bearer {TOKENS.sign(caller)}"}


def selling_anything(settings: ShopSettings = ShopSettings()) -> ShopSettings:  # noqa: B008  immutable
    """The same where customers order lines with a title and price of their own, as in a demonstration."""
    return replace(settings, orders=replace(settings.orders, custom_lines="all"))


def _package(service: Service) -> str:
    return service.migrations.removesuffix(".migrations")


@pytest_asyncio.fixture(scope="session")
async def migrated(postgres: EmbeddedPostgres) -> Callable[[Service], Awaitable[ServiceDatabase]]:
    """Give `await migrated(WALLET)`: a database of that service as migrations leave it, to be copied."""
    made: dict[str, ServiceDatabase] = {}

    async def make(service: Service) -> ServiceDatabase:
        if service.name not in made:
            database = await provision(postgres.dsn(), service.name)
            packages = ["sagamart.messaging", _package(service)]
            await migrate(database.owner_dsn, [history_of(package) for package in packages])
            made[service.name] = database
        return made[service.name]

    return make


def _copies(
    postgres: EmbeddedPostgres, fresh_database: FreshDatabase, migrated: Callable[[Service], Awaitable[ServiceDatabase]]
) -> DatabaseOf:
    async def make(service: Service) -> str:
        template = (await migrated(service)).name
        # As provisioned: foreign keys are checked with the owner's rights in the schema.
        copy = urlsplit(await fresh_database(template, owner=f"{template}_owner")).path[1:]
        return postgres.dsn(copy, role=template)

    return make


@pytest.fixture
def database_of(
    postgres: EmbeddedPostgres, fresh_database: FreshDatabase, migrated: Callable[[Service], Awaitable[ServiceDatabase]]
) -> DatabaseOf:
    """Give `await database_of(WALLET)`: the DSN of a fresh database of that service, as its runtime role."""
    return _copies(postgres, fresh_database, migrated)


@pytest.fixture(scope="session")
def lasting_database_of(
    postgres: EmbeddedPostgres,
    lasting_database: FreshDatabase,
    migrated: Callable[[Service], Awaitable[ServiceDatabase]],
) -> DatabaseOf:
    """Give the same for who outlives a test."""
    return _copies(postgres, lasting_database, migrated)


@pytest_asyncio.fixture
async def started(database_of: DatabaseOf) -> AsyncIterator[Started]:
    """Give `await started(WALLET, ROUTES)`: the service at work; it is stopped at the end of the test."""
    running: list[RunningService] = []

    async def start(service: Service, routes: Sequence[Any] = (), outside: Sequence[Outside] = ()) -> RunningService:
        one = RunningService(service, routes, await database_of(service), outside)
        await one.start()
        running.append(one)
        return one

    yield start
    for one in running:
        await one.stop()


@pytest_asyncio.fixture
async def tables_of(database_of: DatabaseOf) -> AsyncIterator[TablesOf]:
    """Give `await tables_of(WALLET)`: the tables of a fresh database of that service."""
    opened: list[Tables] = []

    async def make(service: Service) -> Tables:
        opened.append(Tables(service, await database_of(service)))
        return opened[-1]

    yield make
    for tables in opened:
        await tables.database.close()
