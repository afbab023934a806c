"""The tables of payments."""

from alembic import op

from sagamart.platform.databases import append_only

revision = "0001_start"
down_revision = None


def upgrade() -> None:
    """Payments, and the journals of what people settled and what did not fit."""
    op.execute(PAYMENTS)
    op.execute(THE_REST)
    op.execute(append_only("resolutions"))
    op.execute(append_only("differences"))


PAYMENTS = """
    create table payments (
        version bigint not null,
        payment_id text primary key,
        purpose text not null check (purpose in ('order', 'top_up')),
        order_id text not null,
        payment bigint not null,
        order_version bigint not null,
        customer_id text not null,
        amount_minor bigint not null check (amount_minor > 0),
        currency text not null,
        status text not null check (status in
            ('new', 'pending', 'held', 'captured', 'refunded', 'declined', 'failed', 'unknown', 'voided')),
        at timestamptz not null,
        bank_id text unique,
        bank_status text,
        bank_version bigint not null,
        redirect_url text,
        holds_until timestamptz,
        capturing boolean not null,
        closing text not null check (closing in ('', 'void', 'expired', 'rejected', 'capture_refused', 'late')),
        captured_minor bigint not null,
        refunded_minor bigint not null,
        reason text,
        credited boolean not null,
        refunds jsonb not null,
        moved_at timestamptz,
        statement_minor bigint not null,
        constraint captured_within check (0 <= captured_minor and captured_minor <= amount_minor),
        constraint refunded_within check (0 <= refunded_minor and refunded_minor <= captured_minor),
        constraint captured_is_dated check ((captured_minor > 0) = (moved_at is not null)),
        constraint declined_for_a_reason check (status <> 'declined' or reason is not null)
    );
    create index payments_unsettled on payments (at) where status in ('new', 'pending', 'held', 'unknown');
    create index payments_that_differ on payments (payment_id)
        where statement_minor <> captured_minor - refunded_minor;
"""

THE_REST = """
    create table resolutions (
        resolution_id text primary key,
        payment_id text not null,
        outcome text not null check (outcome in ('nothing_taken', 'captured')),
        by text not null,
        why text not null check (why <> ''),
        at timestamptz not null
    );
    create table differences (
        difference_id text primary key,
        bank_key text not null,
        kind text not null,
        amount_minor bigint not null,
        currency text not null,
        found text not null,
        at timestamptz not null
    );
    create table reconciliations (
        version bigint not null,
        bank text primary key,
        read_until timestamptz,
        running boolean not null,
        at timestamptz not null,
        entries bigint not null,
        differences bigint not null,
        mended bigint not null
    );
"""
