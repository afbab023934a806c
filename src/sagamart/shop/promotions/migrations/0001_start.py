"""Promotions' tables."""

from alembic import op

revision = "0001_start"
down_revision = None

CODES = """
    create table promo_codes (
        version bigint not null,
        code text primary key,
        percent_bp bigint not null check (percent_bp between 0 and 10000),
        amount_minor bigint not null check (amount_minor >= 0),
        currency text not null check (length(currency) = 3),
        goods_min_minor bigint not null check (goods_min_minor >= 0),
        valid_from timestamptz not null,
        valid_until timestamptz,
        uses_max bigint,
        customer_uses_max bigint check (customer_uses_max >= 1),
        active boolean not null,
        used bigint not null,
        constraint share_or_amount check ((percent_bp = 0) <> (amount_minor = 0)),
        constraint begins_before_it_ends check (valid_from < valid_until),
        constraint used_no_more_than_allowed check (0 <= used and used <= uses_max)
    ) with (fillfactor = 70);
"""
CUSTOMER_USES = """
    create table customer_uses (
        version bigint not null,
        uses_id text primary key,
        code text not null,
        customer_id text not null,
        used bigint not null check (used >= 0),
        uses_max bigint,
        constraint used_no_more_than_a_customer_may check (used <= uses_max),
        unique (code, customer_id)
    );
"""
REDEMPTIONS = """
    create table redemptions (
        version bigint not null,
        redemption_id text primary key,
        order_id text not null,
        attempt bigint not null check (attempt >= 1),
        customer_id text not null,
        code text not null,
        status text not null check (status in ('redeemed', 'refused', 'given_back')),
        discount_minor bigint not null check (discount_minor >= 0),
        reason text,
        constraint refused_for_a_reason check ((status = 'refused') = (reason is not null)),
        constraint refused_takes_nothing_off check (status <> 'refused' or discount_minor = 0)
    );
    create index redemptions_of_a_code on redemptions (code) where status = 'redeemed';
"""


def upgrade() -> None:
    """Codes, what each customer has of them, and what each attempt of an order redeemed."""
    for statement in (CODES, CUSTOMER_USES, REDEMPTIONS):
        op.execute(statement)
