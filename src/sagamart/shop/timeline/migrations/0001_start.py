"""The timeline's table."""

from alembic import op

from sagamart.platform.databases import append_only

revision = "0001_start"
down_revision = None


def upgrade() -> None:
    """What was said about orders.  Nobody but the owner changes a row, and none goes before its time."""
    op.execute("""
        create table story_entries (
            message_id text not null,
            order_id text not null,
            customer_id text,
            type text not null,
            source text not null,
            node text not null,
            at timestamptz not null,
            kept_until timestamptz not null check (kept_until >= at),
            cause text,
            correlation text not null,
            order_version bigint check (order_version >= 1),
            status text,
            body jsonb not null check (jsonb_typeof(body) = 'object'),
            primary key (order_id, message_id),
            constraint orders_tells_all_of_an_order
                check (num_nulls(customer_id, order_version, status) in (0, 3))
        );
        create index story_entries_by_age on story_entries using brin (kept_until);
    """)
    op.execute(append_only("story_entries", until="kept_until"))
