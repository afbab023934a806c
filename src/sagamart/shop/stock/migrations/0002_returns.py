"""Pieces come back: of orders cancelled after they were paid, and of completed ones."""

from alembic import op

revision = "0002_returns"
down_revision = "0001_start"


def upgrade() -> None:
    """Another end of a reservation, another kind of movement."""
    op.execute("""
        alter table reservations
            drop constraint reservations_status_check,
            add constraint reservations_status_check check (
                status in ('booked', 'refused', 'released', 'committed', 'restocked')
            );
        alter table movements
            drop constraint movements_kind_check,
            add constraint movements_kind_check check (kind in ('received', 'adjusted', 'committed', 'returned'));
    """)
