"""The journal is read by time."""

from alembic import op

revision = "0004_journal"
down_revision = "0003_missing"


def upgrade() -> None:
    """An index that costs the writing of a movement next to nothing: the journal grows in the order of its times."""
    op.execute("create index movements_by_time on movements using brin (at)")
