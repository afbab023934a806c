"""The house's accounts are rolled up by time."""

from alembic import op

revision = "0004_house"
down_revision = "0003_bank"


def upgrade() -> None:
    """An index that costs the writing of a posting next to nothing: the journal grows in the order of its times."""
    op.execute("create index postings_by_time on postings using brin (at)")
