"""The outbox holds a row for the messages of a batch, not one for each."""

from alembic import op

revision = "0003_parcels"
down_revision = "0002_operators"


def upgrade() -> None:
    """What lies in the outbox becomes parcels of one message.  Compressing them would cost more than it saves."""
    op.execute("""
        alter table outbox drop column type, drop column key, drop column cause;
        alter table outbox rename column message to messages;
        alter table outbox alter column messages set storage external;
        alter table outbox set (
            autovacuum_vacuum_threshold = 1000,
            toast.autovacuum_vacuum_scale_factor = 0,
            toast.autovacuum_vacuum_threshold = 5000
        );
    """)
