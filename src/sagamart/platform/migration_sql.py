"""The SQL of one revision, from Alembic's offline mode: asyncpg then executes it, so no second driver is needed.

Slow to import (Alembic and SQLAlchemy): imported only by a migration that has something to do.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.sql import Executable


class RawSql(PostgresqlImpl):
    """Alembic's PostgreSQL (this takes its place), except that SQL given as text stays as it is written.

    Alembic would read `':1'` inside a literal as a parameter and double each `%`.
    """

    __dialect__ = "postgresql"

    def execute(self, sql: Executable | str, execution_options: Mapping[str, Any] | None = None) -> None:
        """Write a text out unchanged; leave anything else to Alembic."""
        if isinstance(sql, str):
            self.static_output(sql.strip().rstrip(";") + ";")
        else:
            super().execute(sql, dict(execution_options or {}))


def upgrade_sql(source: Path, before: str | None, revision: str, version_table: str) -> str:
    """Write the SQL that takes a source from the revision before to this one, its version table included.

    Raises ValueError where the file's revision or down_revision is not what the files' names say.
    """
    config = Config()
    config.set_main_option("script_location", str(source).replace("%", "%%"))
    config.set_main_option("version_locations", str(source).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    scripts = ScriptDirectory.from_config(config)
    script = scripts.get_revision(revision)
    if script is None or script.down_revision != before:
        stated = script.down_revision if script else None
        raise ValueError(f"its down_revision is {stated!r}, and the revision before it is {before!r}")
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql",
        opts={
            "as_sql": True,
            "output_buffer": written,
            "starting_rev": before,
            "version_table": version_table,
            "transactional_ddl": False,
            "fn": lambda _revision, _context: scripts._upgrade_revs(revision, before or "base"),  # noqa: SLF001 as alembic.command does
        },
    )
    with Operations.context(context):
        context.run_migrations()
    return written.getvalue()
