"""Migrations: one history of raw SQL per source, applied to a service's database in one transaction.

A source is a folder of revisions. Two apply to each database, the core's and then the service's:
`migrate(dsn, [messaging/migrations, shop/stock/migrations])`. A revision is `0002_prices.py`:

    from alembic import op

    revision = "0002_prices"
    down_revision = "0001_start"


    def upgrade() -> None:
        op.execute(\"\"\"alter table skus add column price bigint\"\"\")

Rules:
- A revision's id is its file's name, so the head is known without importing anything.
- The source is named after the folder that holds it (`stock`), and has the version table `migrations_<source>`.
- Everything that is pending, of both sources, is one transaction: it all happens, or nothing does.
- Replicas that start together take turns on an advisory lock; the later ones find nothing left to do.
- A database further on than this code is left alone: versions run side by side, and changes are additive first.
- Alembic takes a second to import, so it is, only where something is pending (`migration_sql.py`).
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, TypeAlias

import asyncpg

from sagamart.platform.databases import read_only

TURN_WAIT_S_MAX = 600
LOCK_WAIT_S_MAX = 10
REVISION_LENGTH_MAX = 32  # of version_num, as Alembic makes it
_LOCK = "sagamart: migrations"

Database: TypeAlias = "str | asyncpg.Connection"


class MigrationError(RuntimeError):
    """A migration could not be applied; nothing was changed. The message names the source and the revision."""


class _Step(NamedTuple):
    source: Path
    before: str | None
    revision: str


def history_of(package: str) -> Path:
    """Find the revisions of a package, such as sagamart.shop.stock, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"{package} is not a package.")
    return Path(spec.submodule_search_locations[0]) / "migrations"


async def migrate(
    database: Database,
    sources: Sequence[Path],
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Bring a database to the head of every source; return what was applied, as `source/revision`, in order.

    Waits up to TURN_WAIT_S_MAX for another replica that migrates, and for each lock up to LOCK_WAIT_S_MAX.
    Raises MigrationError; nothing is changed then.
    """
    async with _connected(database) as connection:
        if not await _pending(connection, sources):
            return []
        async with connection.transaction():
            await connection.execute(f"set local lock_timeout = '{TURN_WAIT_S_MAX}s'")
            await connection.execute("select pg_advisory_xact_lock(hashtext($1))", _LOCK)
            await connection.execute(f"set local lock_timeout = '{LOCK_WAIT_S_MAX}s'")
            steps = await _pending(connection, sources)
            for step in steps:
                await _apply(connection, step)
                progress(f"Migrated {step.source.parent.name} to {step.revision}")
    return [_name(step) for step in steps]


async def at_head(database: Database, sources: Sequence[Path]) -> bool:
    """Whether the database has every revision that this code knows."""
    async with _connected(database) as connection:
        return not await _pending(connection, sources)


async def _pending(connection: asyncpg.Connection, sources: Sequence[Path]) -> list[_Step]:
    steps = []
    for source in sources:
        current = await _current(connection, source)
        revisions = _revisions(source)
        for before, revision in zip([None, *revisions], revisions, strict=False):
            if current is None or revision > current:
                steps.append(_Step(source, before, revision))
    return steps


def _revisions(source: Path) -> list[str]:
    found = sorted(file.stem for file in source.glob("[0-9]*.py"))
    if not found:
        raise MigrationError(f"There are no revisions in {source}.")
    for name in found:
        if len(name) > REVISION_LENGTH_MAX:
            raise MigrationError(f"{source / name}.py: a revision's name has at most {REVISION_LENGTH_MAX} characters.")
    return found


async def _current(connection: asyncpg.Connection, source: Path) -> str | None:
    table = version_table(source)
    # Not to_regclass: within one transaction it may still answer from before the wait for the advisory lock.
    there = "select true from pg_class where relname = $1 and relnamespace = 'public'::regnamespace"
    if not await connection.fetchval(there, table):
        return None
    current: str | None = await connection.fetchval(f"select version_num from {table}")
    return current


def version_table(source: Path) -> str:
    """Name the table that holds the source's current revision."""
    name = source.parent.name
    if not name.isidentifier():
        raise ValueError(f"{source} is in a folder whose name cannot be a part of a table's name.")
    return f"migrations_{name}"


async def _apply(connection: asyncpg.Connection, step: _Step) -> None:
    from sagamart.platform.migration_sql import upgrade_sql  # noqa: PLC0415 Alembic's import takes a second

    try:
        sql = upgrade_sql(step.source, step.before, step.revision, version_table(step.source))
        await connection.execute(sql)
        if step.before is None:
            await connection.execute(read_only(version_table(step.source)))
    except Exception as error:
        raise MigrationError(f"{_name(step)} could not be applied, and nothing was changed: {error}") from error


def _name(step: _Step) -> str:
    return f"{step.source.parent.name}/{step.revision}"


def _connected(database: Database) -> AbstractAsyncContextManager[asyncpg.Connection]:
    return _opened(database) if isinstance(database, str) else nullcontext(database)


@asynccontextmanager
async def _opened(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()
