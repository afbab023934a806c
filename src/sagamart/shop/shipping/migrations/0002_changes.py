"""A parcel may go to another address as long as it is here."""

from alembic import op

revision = "0002_changes"
down_revision = "0001_start"


def upgrade() -> None:
    """How often a shipment's address was to be changed, and why the last change was refused."""
    op.execute("""
        alter table shipments
            add column changes bigint not null default 0 check (changes >= 0),
            add column change_refusal text;
    """)
