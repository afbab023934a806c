"""The wallet's tables."""

from alembic import op

from sagamart.platform.databases import append_only

revision = "0001_start"
down_revision = None


def upgrade() -> None:
    """Wallets, holds, and the journal of postings."""
    op.execute("""
        create table wallets (
            version bigint not null,
            customer_id text primary key,
            currency text not null,
            balance_minor bigint not null,
            held_minor bigint not null,
            constraint held_is_covered check (0 <= held_minor and held_minor <= balance_minor)
        );
        create table holds (
            version bigint not null,
            hold_id text primary key,
            order_id text not null,
            attempt bigint not null,
            customer_id text not null,
            amount_minor bigint not null check (amount_minor >= 0),
            currency text not null,
            status text not null check (status in ('held', 'refused', 'captured', 'released')),
            refusal text check (refusal in ('insufficient_funds', 'currency_mismatch', 'released')),
            available_minor bigint not null,
            constraint refused_for_a_reason check ((status = 'refused') = (refusal is not null))
        );
        create table postings (
            posting_id text primary key,
            movement_id text not null,
            kind text not null check (kind in ('deposit', 'withdrawal', 'capture')),
            account text not null,
            amount_minor bigint not null,
            currency text not null,
            reference text not null,
            at timestamptz not null
        );
        create index postings_of_a_customer on postings (account, at desc, posting_id desc)
            where account like 'customer:%';
    """)
    op.execute(append_only("postings"))
