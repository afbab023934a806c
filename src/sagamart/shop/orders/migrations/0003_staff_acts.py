"""What staff did to customers' orders is kept."""

from alembic import op

from sagamart.platform.databases import append_only

revision = "0003_staff_acts"
down_revision = "0002_payments"


def upgrade() -> None:
    """One journal."""
    op.execute("""
        create table staff_acts (
            act_id text primary key,
            order_id text not null,
            act text not null check (act in ('pay', 'change', 'cancel', 'move', 'return')),
            by text not null,
            why text not null,
            status_before text not null,
            status_after text not null,
            at timestamptz not null
        );
        create index staff_acts_of_an_order on staff_acts (order_id, act_id);
    """)
    op.execute(append_only("staff_acts"))
