"""A hold is of a payment, not of an attempt: an order may be paid in several parts."""

from alembic import op

revision = "0002_payments"
down_revision = "0001_start"


def upgrade() -> None:
    """Name what an order counts there."""
    op.execute("alter table holds rename column attempt to payment")
