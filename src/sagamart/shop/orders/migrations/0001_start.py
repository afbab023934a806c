"""Orders' tables.

The status is in no index on purpose: an order changes it several times within a second, and a row whose indexed columns
stay the same is updated in place.
"""

from alembic import op

revision = "0001_start"
down_revision = None

SLOTS = """
    create table unpaid_orders (
        version bigint not null,
        customer_id text primary key,
        order_ids jsonb not null,
        orders_max bigint not null,
        constraint no_more_than_the_slots check (jsonb_array_length(order_ids) <= orders_max)
    );
"""
ORDERS = """
    create table orders (
        version bigint not null,
        order_id text primary key,
        customer_id text not null,
        status text not null check (
            status in ('booking_pending', 'pay_pending', 'capturing', 'completed', 'cancelled')
        ),
        lines jsonb not null check (jsonb_array_length(lines) between 1 and 200),
        total_minor bigint not null check (total_minor between 0 and 9000000000000000),
        currency text not null check (length(currency) = 3),
        placed_at timestamptz not null,
        changed_at timestamptz not null,
        attempt bigint not null check (attempt >= 1),
        known jsonb not null,
        reason text,
        shortfall jsonb,
        constraint cancelled_for_a_reason check ((status = 'cancelled') = (reason is not null))
    ) with (fillfactor = 70);
    create index orders_of_a_customer on orders (customer_id, order_id);
"""
PRODUCT_COPIES = """
    create table product_copies (
        version bigint not null,
        sku text primary key,
        catalogue_version bigint not null,
        title text not null,
        price_minor bigint not null check (price_minor >= 0),
        currency text not null,
        active boolean not null,
        stock_version bigint not null,
        sold_out boolean not null
    );
"""
ORDER_ITEMS = """
    create view order_items as
        select
            o.order_id,
            item.position,
            item.line ->> 'sku' as sku,
            item.line ->> 'title' as title,
            (item.line ->> 'quantity')::bigint as quantity,
            (item.line ->> 'price_minor')::bigint as price_minor,
            o.currency,
            o.status as order_status
        from orders o
        cross join lateral jsonb_array_elements(o.lines) with ordinality as item (line, position);
"""


def upgrade() -> None:
    """The customers' slots, orders, the copies of products, and a view of the lines as rows."""
    for made in (SLOTS, ORDERS, PRODUCT_COPIES, ORDER_ITEMS):
        op.execute(made)
