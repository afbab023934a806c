"""Both sides of the conformance suite: the twin and PostgreSQL, each seen by two nodes, `a` and `b`.

A third node is `frail`: its connection can be lost.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

import asyncpg
import msgspec

from conformance.lossy_line import LossyLine
from conformance.things import APPLE, CHECKS, THINGS
from sagamart.messaging.database import Changes, CommitUnknownError, Database, Loaded, UnavailableError, Wanted
from sagamart.messaging.dead_letters import LetterStatus
from sagamart.messaging.memory import MemoryDatabase
from sagamart.messaging.memory_store import Store
from sagamart.messaging.postgres import PostgresDatabase

POLLS_MAX = 2000

Loss = Literal["the write", "the commit", "the commit's answer", "the attempt", "the attempt's answer"]
"""What is lost with the connection: it is not carried out, or it is, and nobody hears of it."""


class Shown(msgspec.Struct):
    """All that anybody can see of a database, times aside."""

    rows: dict[str, list[Any]]
    inbox: list[str]
    requests: list[str]
    outbox: list[tuple[str, str]]
    timers: list[tuple[str, str, str]]
    letters: list[tuple[str, str]]
    attempts: list[tuple[str, int]]
    nodes: list[tuple[str, bool]]


class Side(Protocol):
    """A database, with what a test must be able to do beside it."""

    @property
    def a(self) -> Database:
        """One node."""

    @property
    def b(self) -> Database:
        """Another."""

    @property
    def frail(self) -> Database:
        """A third, whose connection can be lost."""

    async def lose(self, loss: Loss | None) -> None:
        """From now on let the frail one lose its connection there; None: nowhere."""

    async def empty(self) -> None:
        """Forget everything."""

    async def until_somebody_waits(self) -> None:
        """Return when one transaction waits for another."""

    async def pass_time(self, seconds: int) -> None:
        """Let it be so much later."""

    async def set_letter(self, message_id: str, status: LetterStatus) -> None:
        """What an operator does."""

    async def shown(self) -> Shown:
        """What is committed."""


async def batch(database: Database, wanted: Wanted, changes: Changes | None = None) -> Loaded:
    """A whole transaction: load, write, commit."""
    async with database.transaction() as transaction:
        loaded = await transaction.load(wanted)
        if changes is not None:
            await transaction.write(changes)
    return loaded


async def write(database: Database, *changes: Changes) -> None:
    """Transactions that only write."""
    for change in changes:
        async with database.transaction() as transaction:
            await transaction.write(change)


class TwinSide:
    """The twin."""

    def __init__(self) -> None:
        self._begin()

    async def empty(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.later = timedelta()
        self.store = Store(THINGS, clock=lambda: datetime.now(UTC) + self.later, checks=CHECKS, lock_timeout_s=0.2)
        self.a = MemoryDatabase(self.store, node="a")
        self.b = MemoryDatabase(self.store, node="b")
        self.frail = MemoryDatabase(self.store, node="frail", pause=self._pause)
        self._loss: Loss | None = None

    async def lose(self, loss: Loss | None) -> None:
        self._loss = loss

    async def _pause(self, point: str) -> None:
        match self._loss, point:
            case "the write", "write":
                raise UnavailableError("the connection was lost")
            case ("the commit" | "the attempt", "commit") | (
                "the commit's answer" | "the attempt's answer",
                "committed",
            ):
                raise CommitUnknownError("the connection was lost")

    async def until_somebody_waits(self) -> None:
        for _ in range(POLLS_MAX):
            if self.store.locks.waiting:
                return
            await asyncio.sleep(0)
        raise AssertionError("nobody waits")

    async def pass_time(self, seconds: int) -> None:
        self.later += timedelta(seconds=seconds)

    async def set_letter(self, message_id: str, status: LetterStatus) -> None:
        if message_id in self.store.letters:
            self.store.letters[message_id].status = status

    async def shown(self) -> Shown:
        store = self.store
        return Shown(
            rows={table.name: [rows[key] for key in sorted(rows)] for rows, table in self._tables()},
            inbox=sorted(store.inbox),
            requests=sorted(store.requests),
            outbox=sorted((row.id, row.lease_owner) for row in store.outbox.values()),
            timers=sorted((row.key, row.name, row.generation) for row in store.timers.values()),
            letters=sorted((row.id, row.status) for row in store.letters.values()),
            attempts=sorted(store.attempts.items()),
            nodes=sorted(store.nodes.items()),
        )

    def _tables(self) -> list[tuple[dict[str, Any], Any]]:
        return [(self.store.rows[kind], table) for kind, table in self.store.tables.items()]


DIES = """
    create or replace function dies() returns trigger language plpgsql as $$
    begin
        if current_setting('application_name') = 'sagamart frail' then
            perform pg_terminate_backend(pg_backend_pid());
            perform pg_sleep(60);
        end if;
        return null;
    end $$;
"""
IN_THE_WRITE = DIES + "create trigger dies after insert on inbox for each row execute function dies()"
IN_THE_COMMIT = DIES + (
    "create constraint trigger dies after insert on inbox deferrable initially deferred"
    " for each row execute function dies()"
)


class PostgresSide:
    """The real one.  The frail node's server process kills itself, or the answer is lost on the way."""

    def __init__(self, dsn: str) -> None:
        self.a = PostgresDatabase(THINGS, dsn, node="a")
        self.b = PostgresDatabase(THINGS, dsn, node="b")
        self._line = LossyLine(dsn)
        self.frail = PostgresDatabase(THINGS, self._line.dsn, node="frail")
        self.dsn = dsn

    async def open(self) -> None:
        self._look: asyncpg.Connection = await asyncpg.connect(self.dsn)
        await self._line.open()

    async def close(self) -> None:
        await self._look.close()
        for database in (self.a, self.b, self.frail):
            await database.close()
        await self._line.close()

    async def lose(self, loss: Loss | None) -> None:
        await self._look.execute("drop trigger if exists dies on inbox")
        match loss:
            case "the write":
                await self._look.execute(IN_THE_WRITE)
            case "the commit" | "the attempt":
                await self._look.execute(IN_THE_COMMIT)
            case "the commit's answer":
                self._line.loses_answer_to = b"commit\0"
            case "the attempt's answer":
                self._line.loses_answer_to = APPLE.email.encode()

    async def empty(self) -> None:
        await self._look.execute(
            "delete from things; delete from lines; delete from inbox; delete from requests; delete from outbox;"
            " delete from timers; delete from dead_letters; delete from attempts; delete from nodes"
        )

    async def until_somebody_waits(self) -> None:
        waiting = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        for _ in range(POLLS_MAX):
            if await self._look.fetchval(waiting):
                return
        raise AssertionError("nobody waits")

    async def pass_time(self, seconds: int) -> None:
        for table, column in (
            ("outbox", "lease_until"),
            ("timers", "due_at"),
            ("dead_letters", "retry_at"),
            ("requests", "at"),
        ):
            await self._look.execute(
                f"update {table} set {column} = {column} - make_interval(secs => $1)", float(seconds)
            )

    async def set_letter(self, message_id: str, status: LetterStatus) -> None:
        await self._look.execute("update dead_letters set status = $2 where id = $1::uuid", message_id, status)

    async def shown(self) -> Shown:
        rows = {}
        for table in THINGS.tables:
            found = await self._look.fetch(f'select * from {table.name} order by {table.key} collate "C"')
            rows[table.name] = table.read(found)
        return Shown(
            rows=rows,
            inbox=[row[0] for row in await self._fetch("select id::text from inbox")],
            requests=[row[0] for row in await self._fetch("select key from requests")],
            outbox=await self._fetch("select id::text, lease_owner from outbox"),
            timers=await self._fetch("select key, name, generation::text from timers"),
            letters=await self._fetch("select id::text, status from dead_letters"),
            attempts=await self._fetch("select id::text, attempts from attempts"),
            nodes=await self._fetch("select node, running from nodes"),
        )

    async def _fetch(self, sql: str) -> list[Any]:
        return sorted(tuple(row) for row in await self._look.fetch(sql))
