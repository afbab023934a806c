"""Notifications' table."""

from alembic import op

revision = "0001_start"
down_revision = None


def upgrade() -> None:
    """What people were told."""
    op.execute("""
        create table notifications (
            version bigint not null,
            notification_id text primary key,
            customer_id text not null,
            kind text not null check (kind in ('order_completed', 'order_cancelled', 'wallet_opened')),
            facts jsonb not null,
            at timestamptz not null
        );
        create index notifications_of_a_customer on notifications (customer_id, at desc, notification_id desc);
    """)
