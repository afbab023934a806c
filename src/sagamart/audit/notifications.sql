-- What people were told, for comparing with what happened.

-- name: told_by_order
-- What was told about each order.
select split_part(notification_id, '/', 1) as order_id, version, kind, customer_id
from notifications
where kind in ('order_completed', 'order_cancelled')
    and (:only::text[] is null or split_part(notification_id, '/', 1) = any(:only::text[]))
order by split_part(notification_id, '/', 1) collate "C", kind;

-- name: told_by_customer
-- Who was told of a wallet.
select customer_id, version
from notifications
where kind = 'wallet_opened' and (:only::text[] is null or customer_id = any(:only::text[]))
order by customer_id collate "C";

-- name: told_twice
-- 16: nobody is told of the same turn of the same thing twice; how often an order may be cancelled, orders knows.
select
    coalesce(facts ->> 'order_id', customer_id) as subject,
    count(*) as version,
    format('%s was told %s %s times', customer_id, kind, count(*)) as seen
from notifications
where kind in ('order_completed', 'wallet_opened')
    and (:only::text[] is null or coalesce(facts ->> 'order_id', customer_id) = any(:only::text[]))
group by coalesce(facts ->> 'order_id', customer_id), customer_id, kind
having count(*) > 1
order by 1;
