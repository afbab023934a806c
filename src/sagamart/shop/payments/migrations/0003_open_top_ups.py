"""A customer has so many top-ups open at the same time, and no more."""

from alembic import op

revision = "0003_open_top_ups"
down_revision = "0002_payments_of_a_customer"


def upgrade() -> None:
    """A row for each customer who tops up.  Top-ups of before do not count: they settle by themselves."""
    op.execute("""
        create table open_top_ups (
            version bigint not null,
            customer_id text primary key,
            payment_ids jsonb not null,
            open_max bigint not null,
            constraint no_more_than_may_be_open check (jsonb_array_length(payment_ids) <= open_max)
        );
    """)
