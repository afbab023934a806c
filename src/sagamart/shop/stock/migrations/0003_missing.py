"""Pieces that are gone although orders were promised them."""

from alembic import op

revision = "0003_missing"
down_revision = "0002_returns"


def upgrade() -> None:
    """A number beside what is on hand, and the movement that settles it."""
    op.execute("""
        alter table skus add column missing bigint not null default 0 check (missing >= 0);
        alter table movements
            drop constraint movements_kind_check,
            add constraint movements_kind_check check (
                kind in ('received', 'adjusted', 'committed', 'returned', 'missing')
            );
    """)
