-- What must hold in orders' database, and its rows for comparing with other services.

-- name: orders_that_are_stuck
-- 7: an order leaves each status within its deadline; a minute is granted to whoever has to fire the timer.
select
    order_id as subject,
    version,
    format('%s since %s, where %s s are the most', status, changed_at, deadline_s) as seen
from orders
join unnest(:statuses::text[], :deadlines_s::bigint[]) as bound (status, deadline_s) using (status)
where (:only::text[] is null or order_id = any(:only::text[]))
    and changed_at < now() - make_interval(secs => deadline_s + 60)
order by order_id;

-- name: orders_without_a_deadline
-- 7: as long as an order moves, a timer stands behind it.
select order_id as subject, version, format('%s, and no timer will ever end it', status) as seen
from orders o
where (:only::text[] is null or order_id = any(:only::text[]))
    and status = any(:statuses::text[])
    and not exists (select from timers t where t.key = o.order_id and t.name = 'deadline')
order by order_id;

-- name: order_versions_with_gaps
-- 13: the first version, one for each fact learned, and one for each wish and deadline that changed something.  These
-- are not kept; but an order that is paid at once can only be ended by one.
select
    order_id as subject,
    version,
    format('version %s after %s facts (%s)', version, jsonb_array_length(known), coalesce(reason, status)) as seen
from orders
where (:only::text[] is null or order_id = any(:only::text[]))
    and (
        version < 1 + jsonb_array_length(known)
        or plan - 'terms' = '{}' and (plan -> 'terms' -> 'later') is null and returns = '[]' and version <> 1 + jsonb_array_length(known)
            + case when reason in ('stock_refused', 'stock_revoked', 'money_refused') or reason is null then 0 else 1 end
    )
order by order_id;

-- name: forgotten_orders
-- 14: who was told that an order was placed finds it.
select
    substr(location, 12) as subject,
    null::bigint as version,
    format('acknowledged to %s, but there is no such order', split_part(key, ' ', 1)) as seen
from requests r
where status = 202 and not refused and location like '/v1/orders/%'
    and (:only::text[] is null or substr(location, 12) = any(:only::text[]))
    and not exists (select from orders o where o.order_id = substr(r.location, 12))
order by location;

-- name: orders_without_a_slot
-- 15: the slots of a customer list all orders that are not settled.
select order_id as subject, o.version, format('%s, but takes no slot of %s', o.status, o.customer_id) as seen
from orders o
left join unpaid_orders u using (customer_id)
where (:only::text[] is null or order_id = any(:only::text[]))
    and o.status = any(:statuses::text[])
    and (u.order_ids ? o.order_id) is not true
order by order_id;

-- name: slots_without_an_order
-- 15: a slot is taken by an order of that customer.  A settled one stays listed until the customer's next order.
select
    listed.order_id as subject,
    u.version,
    format('takes a slot of %s, but %s', u.customer_id, coalesce('belongs to ' || o.customer_id, 'does not exist')) as seen
from unpaid_orders u
cross join jsonb_array_elements_text(u.order_ids) as listed (order_id)
left join orders o on o.order_id = listed.order_id
where (:only::text[] is null or listed.order_id = any(:only::text[]))
    and o.customer_id is distinct from u.customer_id
order by listed.order_id;

-- name: orders_by_id
-- Every order with what it has learned.
select order_id, o.*
from orders o where :only::text[] is null or order_id = any(:only::text[])
order by order_id collate "C";

-- name: copies_by_sku
-- What orders knows of each product.
select sku, version, catalogue_version, title, price_minor, currency, active, stock_version, sold_out
from product_copies where :only::text[] is null or sku = any(:only::text[])
order by sku collate "C";

-- name: totals_that_differ
-- 8: what is to be paid is the lines, less the discount, and the delivery.
select
    order_id as subject,
    version,
    format('costs %s, but its lines %s, its discount %s and its delivery %s', total_minor, goods, discount, delivery) as seen
from orders
cross join lateral (
    select
        coalesce(sum((line ->> 'quantity')::bigint * (line ->> 'price_minor')::bigint), 0) as goods,
        coalesce((plan ->> 'discount_minor')::bigint, 0) as discount,
        coalesce((plan -> 'delivery' ->> 'price_minor')::bigint, 0) as delivery
    from jsonb_array_elements(lines) line
) as part
where (:only::text[] is null or order_id = any(:only::text[]))
    and total_minor <> goods - discount + delivery
order by order_id;

-- name: copies_by_method
-- What orders knows of each delivery method.
select method, version, method_version, price_minor, currency, needs_shipment, needs_address, active
from delivery_copies where :only::text[] is null or method = any(:only::text[])
order by method collate "C";
