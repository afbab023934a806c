"""The core's database side over PostgreSQL (asyncpg).  Its rules are those of `database.py`.

Every session bounds how long it may hold a transaction or wait for a lock: a paused process must not hold locks.
What an error means follows from its SQLSTATE, by class (PostgreSQL's documentation, appendix A).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from msgspec.structs import astuple

from sagamart.messaging import dead_letters, inbox, outbox, requests, timers
from sagamart.messaging.database import (
    Changes,
    CommitUnknownError,
    ConflictError,
    KnownRequest,
    Loaded,
    RejectedError,
    UnavailableError,
    Wanted,
)
from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import encode, first_id_at
from sagamart.messaging.records import Need, Table
from sagamart.messaging.requests import StoredReply
from sagamart.messaging.service import Service
from sagamart.messaging.statements import Part, arrays, insert, joined, select, statement, update

SESSION = {
    "transaction_timeout": "20s",
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "3s",
    "plan_cache_mode": "force_generic_plan",
    # A batch finds all rows by key.  A plan made while a table was small would read all of it when it has grown.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "random_page_cost": "0.1",
    "seq_page_cost": "0.1",
}
CONNECT_S_MAX = 10
ANSWER_S_MAX = 25.0
"""A server that has not answered for so long is gone: it would have ended the transaction itself before that."""

STATEMENTS_MAX = 1000
"""Prepared statements kept per connection."""

_KNOWN = Part(inbox.KNOWN, scalar=True)
_PARKED = Part(dead_letters.PARKED, scalar=True)
_STILL_ARMED = Part(timers.STILL_ARMED, columns=arrays("generation"))
_REQUESTS = Part(
    "select key, fingerprint, message_id::text as message_id, status, body, location, refused"
    " from requests where key = any({}::text[])",
    columns=arrays("key", "fingerprint", "message_id", "status", "body", "location", "refused"),
)
_REMEMBER = Part(inbox.REMEMBER)
_OUTBOX = Part(outbox.WRITE)
_ARRIVED = Part(outbox.ARRIVED)
_ARM = Part(timers.ARM)
_DISARM = Part(timers.DISARM)
_BURY = Part(dead_letters.BURY)
_REVIVED = Part(dead_letters.REVIVED)
_ATTEMPTS_OVER = Part(dead_letters.ATTEMPTS_OVER)
_ANSWERED = Part(
    "insert into requests (key, fingerprint, message_id, status, location, refused, body)"
    " select r ->> 0, decode(r ->> 1, 'base64'), (r ->> 2)::uuid, (r ->> 3)::bigint, r ->> 4, (r ->> 5)::boolean,"
    " substring({}::bytea from (r ->> 6)::int for (r ->> 7)::int) from jsonb_array_elements({}::jsonb) r"
)
_encoder = msgspec.json.Encoder()

_CONFLICTS = (
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.UniqueViolationError,
)
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.InsufficientResourcesError,
    # Of the server, not of a row: a disk that fails (58), what nobody foresaw (XX).
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
    # A migration changed a table under a statement that was prepared: prepared anew, it works.
    asyncpg.InvalidCachedStatementError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""What a lost connection is told by, and what passes by itself: the same again may work."""


class PostgresDatabase:
    """One service's database.  `lanes` connections serve transactions, one more serves sweeps; each is held."""

    def __init__(self, service: Service, dsn: str, *, node: str) -> None:
        self.service = service
        self.node = node
        self.dsn = dsn
        self.tables = {table.record: table for table in service.tables}
        self._idle: list[asyncpg.Connection] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresTransaction"]:
        """BEGIN … COMMIT on a connection that is held between batches and thrown away after any trouble."""
        connection = await self._connection()
        sound = False
        try:
            try:
                await connection.execute("begin")
                yield PostgresTransaction(connection, self)
            except (asyncpg.PostgresError, *LOST) as error:
                sound = await _rolled_back(connection)
                raise _translated(error) from error
            except BaseException:
                sound = await _rolled_back(connection)
                raise
            try:
                await connection.execute("commit")
                sound = True
            except LOST as error:
                raise CommitUnknownError(str(error)) from error
            except asyncpg.PostgresError as error:
                raise _translated(error) from error
        finally:
            if sound:
                self._idle.append(connection)
            else:
                connection.terminate()

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator["PostgresTransaction"]:
        """Read without locks, then write and commit in one statement: two round trips."""
        connection = await self._connection()
        sound = False
        try:
            yield PostgresTransaction(connection, self, locked=False)
            sound = True
        except (asyncpg.PostgresError, *LOST) as error:
            sound = not isinstance(error, LOST)
            raise _translated(error) from error
        except ConflictError:
            sound = True
            raise
        finally:
            if sound and not connection.is_closed():
                self._idle.append(connection)
            else:
                connection.terminate()

    async def close(self) -> None:
        """Close all connections."""
        while self._idle:
            await self._idle.pop().close()

    async def _connection(self) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        try:
            return await asyncpg.connect(
                self.dsn,
                timeout=CONNECT_S_MAX,
                command_timeout=ANSWER_S_MAX,
                server_settings={**SESSION, "application_name": f"sagamart {self.node}"},
                statement_cache_size=STATEMENTS_MAX,
                max_cached_statement_lifetime=0,
            )
        except (asyncpg.PostgresError, *LOST) as error:
            raise UnavailableError(str(error)) from error

    async def _fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """One statement, outside the batches."""
        connection = await self._connection()
        try:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
        except (asyncpg.PostgresError, *LOST) as error:
            connection.terminate()
            raise _translated(error) from error
        except BaseException:
            connection.terminate()
            raise
        self._idle.append(connection)
        return rows

    async def begin_life(self, node: str) -> bool:
        """Note that this node runs and take back its leases; says whether its last stop was clean."""
        rows = await self._fetch(
            "with before as (select running from nodes where node = $1) insert into nodes (node, running)"
            " values ($1, true) on conflict (node) do update set running = true, at = now()"
            " returning (select running from before)",
            node,
        )
        await self.take_back(node)
        return not rows[0][0]

    async def take_back(self, node: str) -> None:
        """Let the leases of this node's outbox rows end now."""
        await self._fetch(outbox.TAKE_BACK, node)

    async def end_life(self, node: str) -> None:
        """Note that this node stopped of its own will."""
        await self._fetch("update nodes set running = false, at = now() where node = $1", node)

    async def count_attempts(self, message_ids: Sequence[str]) -> Mapping[str, int]:
        """Count one more attempt at each message."""
        return dict(await self._fetch(dead_letters.ATTEMPTS, sorted(message_ids)))

    async def due_outbox(self, node: str, limit: int) -> list[tuple[str, list[bytes]]]:
        """Lease parcels whose lease ran out."""
        return sorted((row[0], outbox.lines(row[1])) for row in await self._fetch(outbox.DUE, node, limit))

    async def due_timers(self, limit: int) -> list[tuple[str, bytes]]:
        """Name and message of timers whose moment has come."""
        return [(row[0], row[1]) for row in await self._fetch(timers.DUE, limit)]

    async def due_letters(self, limit: int) -> list[bytes]:
        """Messages to try again."""
        return [row[0] for row in await self._fetch(dead_letters.DUE, limit)]

    async def bury(self, letters: Sequence[UnreadableLetter]) -> None:
        """Keep what cannot be read, dead."""
        if letters:
            await self._fetch(dead_letters.BURY_UNREADABLE, *zip(*map(astuple, letters), strict=True))

    async def forget_arrived(self, parcel_ids: Sequence[str]) -> None:
        """Delete parcels that have arrived for good."""
        await self._fetch(outbox.ARRIVED.format("$1"), parcel_ids)

    async def postpone(self, after_s: Mapping[str, float]) -> set[str]:
        """Let the leases of these parcels end, each after so many seconds."""
        return {row[0] for row in await self._fetch(outbox.POSTPONE, list(after_s), list(after_s.values()))}

    async def prune(self, before: datetime) -> None:
        """Forget inbox ids and requests older than this, and records that expired earlier."""
        await self._fetch(inbox.PRUNE, first_id_at(before))
        await self._fetch(requests.PRUNE, before)
        for table in self.tables.values():
            if table.expires is not None:
                await self._fetch(f"delete from {table.name} where {table.expires} < $1", before)


class PostgresTransaction:
    """One batch.  Every method is one statement."""

    def __init__(self, connection: asyncpg.Connection, database: PostgresDatabase, *, locked: bool = True) -> None:
        self._connection = connection
        self._database = database
        self._locked = locked

    async def load(self, wanted: Wanted) -> Loaded:
        """Read all that the batch asks for; lock the records."""
        parts, arguments = [_KNOWN, _PARKED], [_json(wanted.message_ids), _json(wanted.keys)]
        if wanted.requests:
            parts.append(_REQUESTS)
            arguments.append(_json(wanted.requests))
        firing = [_json(wanted.keys), _json(wanted.timers)] if wanted.timers else []
        row, place = await self._read(parts, arguments, wanted.needs, firing)
        answered: dict[str, KnownRequest] = {}
        if wanted.requests and row[2] is not None:
            for key, fingerprint, message_id, *reply in zip(*row[2:place], strict=True):
                answered[key] = KnownRequest(key, fingerprint, message_id, StoredReply(*reply))
        return Loaded(
            handled=set(row[0] or ()),
            parked=set(row[1] or ()),
            timers=set(row[-1] or ()) if wanted.timers else set(),
            requests=answered,
            records=self._records(wanted.needs, row, place),
        )

    async def load_more(self, needs: Sequence[Need]) -> Mapping[type, list[Any]]:
        """Read and lock records that could only be named after the first load."""
        row, place = await self._read([], [], needs)
        return self._records(needs, row, place)

    async def write(self, changes: Changes) -> None:
        """Write everything.  Raises ConflictError or RejectedError."""
        parts: list[Part] = []
        arguments: list[Any] = []

        def add(part: Part, *columns: Any) -> None:
            parts.append(part)
            arguments.extend(columns)

        if changes.handled:
            add(_REMEMBER, _json(changes.handled))
        for kind, rows in changes.new.items():
            add(insert(self._table(kind)), _json([astuple(row) for row in rows]))
        for kind, pairs in changes.changed.items():
            table = self._table(kind)
            often = kind in changes.often
            values = table.values_often if often else astuple
            rows = [(*values(row), loaded) for row, loaded in pairs]
            add(update(table, often=often), _json(rows), len(pairs))
        self._add_core(changes, add)
        if not parts:
            return
        try:
            await self._connection.fetchrow(statement(tuple(parts)), *arguments)
        except LOST as error:
            if self._locked:
                raise
            raise CommitUnknownError(str(error)) from error

    def _add_core(self, changes: Changes, add: Any) -> None:
        """The core's own tables."""
        if changes.requests:
            whole, places = joined([r.reply.body for r in changes.requests])
            answered = [
                (r.key, r.fingerprint, r.message_id, r.reply.status, r.reply.location, r.reply.refused, *place)
                for r, place in zip(changes.requests, places, strict=True)
            ]
            add(_ANSWERED, whole, _json(answered))
        if changes.disarmed:
            add(_DISARM, _json(changes.disarmed))
        if changes.armed:
            whole, places = joined([timer.message for timer in changes.armed])
            armed = [
                (t.key, t.name, t.generation, t.after_s, *place) for t, place in zip(changes.armed, places, strict=True)
            ]
            add(_ARM, whole, _json(armed))
        if changes.outbox:
            parcels = changes.outbox
            add(_OUTBOX, self._database.node, _json([p.id for p in parcels]), [outbox.stored(p) for p in parcels])
        if changes.arrived:
            add(_ARRIVED, _json(changes.arrived))
        if changes.dead:
            dead = [(d.message.id, d.message.key, d.message.type, d.status, d.error) for d in changes.dead]
            add(_BURY, *map(_json, zip(*dead, strict=True)), [encode(d.message) for d in changes.dead])
        if changes.revived:
            add(_REVIVED, _json(changes.revived))
        if changes.attempted:
            add(_ATTEMPTS_OVER, _json(changes.attempted))

    async def _read(
        self, parts: list[Part], arguments: list[Any], needs: Sequence[Need], firing: Sequence[str] = ()
    ) -> tuple[Any, int]:
        """The one row of the statement, and where its records begin.

        Timers are locked last, as a batch that arms them does; whoever arms or disarms them meanwhile is waited for.
        """
        place = sum(len(part.columns) or 1 for part in parts)
        for need in needs:
            table = self._table(need.kind)
            parts.append(select(table, need.column or table.key, locked=self._locked))
            arguments.append(_json(need.values))
        if firing:
            parts.append(_STILL_ARMED)
            arguments.extend(firing)
        return await self._connection.fetchrow(statement(tuple(parts)), *arguments), place

    def _records(self, needs: Sequence[Need], row: Any, place: int) -> dict[type, list[Any]]:
        found: dict[type, list[Any]] = {}
        for need in needs:
            table = self._table(need.kind)
            end = place + len(table.columns)
            found.setdefault(need.kind, []).extend(table.unpacked(row[place:end]))
            place = end
        return found

    def _table(self, kind: type) -> Table[Any]:
        return self._database.tables[kind]


def _json(value: Any) -> str:
    return _encoder.encode(value).decode()


async def _rolled_back(connection: asyncpg.Connection) -> bool:
    """Roll back; says whether the connection can be used again."""
    if connection.is_closed():
        return False
    try:
        await connection.execute("rollback")
    except (asyncpg.PostgresError, *LOST):
        return False
    return True


def _translated(error: Exception) -> Exception:
    """The database's errors in the core's words: what is neither a conflict nor the server's trouble is a row's fault.

    So an error that nobody foresaw costs one message, which the batch is halved for, and not the service.
    """
    if isinstance(error, asyncpg.DivisionByZeroError):
        return ConflictError("a record's version is no longer the one that was loaded")
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return RejectedError(f"a value that PostgreSQL cannot hold: {error}")
    if isinstance(error, LOST):
        return UnavailableError(f"{type(error).__name__}: {error}")
    if isinstance(error, _CONFLICTS):
        return ConflictError(f"{type(error).__name__}: {error}")
    return RejectedError(f"{type(error).__name__}: {error}")
