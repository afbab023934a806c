"""Stock's tables."""

from alembic import op

from sagamart.platform.databases import append_only

revision = "0001_start"
down_revision = None


def upgrade() -> None:
    """Skus, reservations, and the journal of movements."""
    op.execute("""
        create table skus (
            version bigint not null,
            sku text primary key,
            on_hand bigint not null,
            reserved bigint not null,
            constraint reserved_is_on_hand check (0 <= reserved and reserved <= on_hand)
        );
        create table reservations (
            version bigint not null,
            reservation_id text primary key,
            order_id text not null,
            attempt bigint not null,
            status text not null check (status in ('booked', 'refused', 'released', 'committed')),
            lines jsonb not null,
            short jsonb not null
        );
        create table movements (
            movement_id text primary key,
            sku text not null,
            kind text not null check (kind in ('received', 'adjusted', 'committed')),
            quantity bigint not null,
            reference text not null,
            at timestamptz not null
        );
    """)
    op.execute(append_only("movements"))
