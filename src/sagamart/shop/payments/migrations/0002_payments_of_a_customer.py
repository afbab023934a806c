"""Customers list their payments."""

from alembic import op

revision = "0002_payments_of_a_customer"
down_revision = "0001_start"


def upgrade() -> None:
    """An index for one customer's payments, the newest first."""
    op.execute("create index payments_of_a_customer on payments (customer_id, at, payment_id)")
