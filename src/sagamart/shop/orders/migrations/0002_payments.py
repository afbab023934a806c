"""An order is paid in parts, shipped, returned; customers have baskets, and orders knows the delivery methods."""

from alembic import op

revision = "0002_payments"
down_revision = "0001_start"

ORDERS = """
    alter table orders
        add column payments jsonb not null default '[]',
        add column plan jsonb not null default '{}',
        add column returns jsonb not null default '[]',
        drop constraint orders_status_check,
        add constraint orders_status_check check (
            status in (
                'new', 'booking_pending', 'checked', 'booked', 'pay_pending', 'partially_paid', 'capturing',
                'paid', 'shipping_pending', 'completed', 'cancelled', 'returned'
            )
        );
"""
DELIVERY_COPIES = """
    create table delivery_copies (
        version bigint not null,
        method text primary key,
        method_version bigint not null,
        price_minor bigint not null check (price_minor >= 0),
        currency text not null,
        needs_shipment boolean not null,
        needs_address boolean not null,
        active boolean not null
    );
"""
BASKETS = """
    create table baskets (
        version bigint not null,
        customer_id text primary key,
        lines jsonb not null,
        changed_at timestamptz not null
    );
"""


def upgrade() -> None:
    """Columns for payments, what was agreed and what comes back; the new statuses; two tables."""
    for made in (ORDERS, DELIVERY_COPIES, BASKETS):
        op.execute(made)
