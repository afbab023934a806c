"""The view of the lines tells how far each item is: how many of its pieces are booked, shipped, returned."""

from alembic import op

revision = "0006_items"
down_revision = "0005_one_journal"

ORDER_ITEMS = """
    create or replace view order_items as
        select
            o.order_id,
            item.position,
            item.line ->> 'sku' as sku,
            item.line ->> 'title' as title,
            (item.line ->> 'quantity')::bigint as quantity,
            (item.line ->> 'price_minor')::bigint as price_minor,
            o.currency,
            o.status as order_status,
            case
                when item.line ->> 'sku' is not null and o.reason is null
                    and o.known @> jsonb_build_array(jsonb_build_array(o.attempt, 'booked'))
                then (item.line ->> 'quantity')::bigint else 0
            end as booked,
            case
                when o.known @> '[[1, "handed_over"]]' or o.known @> '[[1, "delivered"]]'
                then (item.line ->> 'quantity')::bigint else 0
            end as shipped,
            (
                select coalesce(sum((piece ->> 'quantity')::bigint), 0)::bigint
                from jsonb_array_elements(o.returns) back
                cross join lateral jsonb_array_elements(back -> 'lines') piece
                where (piece ->> 'line')::bigint = item.position - 1
                    and o.known @> jsonb_build_array(jsonb_build_array(back ->> 'return_id', 'received'))
            ) as returned
        from orders o
        cross join lateral jsonb_array_elements(o.lines) with ordinality as item (line, position);
"""


def upgrade() -> None:
    """Three columns of the view."""
    op.execute(ORDER_ITEMS)
