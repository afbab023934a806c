"""The services' databases as an audit reads them: one read-only snapshot each, never joined but here.

Rules:
- Each database is read on a connection of its own, in one transaction that sees one moment and can write nothing.
- Rows are streamed in the order of their key, `ROWS_READ_MAX` at a time, so that memory does not grow with the shop.
- A query is a named one of the `.sql` file of its service; `only` narrows it to these keys (None: all).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from importlib.resources import files
from typing import Any

import aiosql
import asyncpg

ROWS_READ_MAX = 5000
LOOK_S_MAX = 600
"""How long one look may take; a snapshot keeps old rows from being cleared away."""

Row = Any
"""A row of a query: its values by position, and by name."""

Only = Sequence[str] | None


class Snapshots:
    """The databases of one look, by service."""

    def __init__(self, connections: Mapping[str, asyncpg.Connection]) -> None:
        self._connections = connections

    @property
    def services(self) -> frozenset[str]:
        """The services that are present."""
        return frozenset(self._connections)

    async def rows(self, service: str, file: str, query: str, only: Only, **more: Any) -> list[Row]:
        """All rows of a query that finds few; `more` are its other parameters."""
        find = getattr(_queries(file), query)
        return [row async for row in find(self._connections[service], only=only, **more)]

    async def merged(
        self, queries: Mapping[str, str], only: Only
    ) -> AsyncIterator[tuple[str, Mapping[str, Sequence[Row]]]]:
        """Join the rows of one query a service by their first column; services that are absent have none."""
        streams = {
            service: Stream(await self._connections[service].cursor(statement(service, query), only))
            for service, query in queries.items()
            if service in self._connections
        }
        absent: dict[str, Sequence[Row]] = dict.fromkeys(queries, ())
        while True:
            for stream in streams.values():
                await stream.fill()
            keys = [stream.key for stream in streams.values() if stream.key is not None]
            if not keys:
                return
            key = min(keys)
            yield key, absent | {service: await stream.take(key) for service, stream in streams.items()}


class Stream:
    """Rows of one query in the order of their first column."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._rows: deque[Row] = deque()
        self._ended = False

    async def fill(self) -> None:
        """Have the next row at hand, if there is one."""
        if not self._rows and not self._ended:
            self._rows.extend(await self._cursor.fetch(ROWS_READ_MAX))
            self._ended = not self._rows

    @property
    def key(self) -> str | None:
        """The key of the row at hand; None at the end."""
        return self._rows[0][0] if self._rows else None

    async def take(self, key: str) -> Sequence[Row]:
        """The next rows, as far as they have this key."""
        taken: list[Row] = []
        while self.key == key:
            taken.append(self._rows.popleft())
            await self.fill()
        return taken


@lru_cache
def _queries(file: str) -> Any:
    text = (files("sagamart.audit") / f"{file}.sql").read_text("utf-8")
    return aiosql.from_str(text, "asyncpg", mandatory_parameters=False)


def statement(file: str, query: str) -> str:
    """The text of a named query that has no parameter but `only`."""
    sql: str = getattr(_queries(file), query).sql
    return sql


@asynccontextmanager
async def snapshots(dsns: Mapping[str, str]) -> AsyncIterator[Snapshots]:
    """Look at all databases at (nearly) the same moment."""
    async with AsyncExitStack() as stack:
        connections = dict(zip(dsns, await asyncio.gather(*map(_connect, dsns.values())), strict=True))
        for connection in connections.values():
            stack.push_async_callback(connection.close)
        await asyncio.gather(*map(_freeze, connections.values()))
        yield Snapshots(connections)


async def _connect(dsn: str) -> asyncpg.Connection:
    bounds = {"statement_timeout": f"{LOOK_S_MAX}s", "idle_in_transaction_session_timeout": f"{LOOK_S_MAX}s"}
    return await asyncpg.connect(dsn, server_settings={"application_name": "sagamart audit", **bounds})


async def _freeze(connection: asyncpg.Connection) -> None:
    await connection.execute("begin isolation level repeatable read, read only")
    await connection.execute("select 1")  # the snapshot is that of the first statement
