-- What people were told, for comparing with what happened.

-- name: told_by_order
-- What was told about each order.
select split_part(notification_id, '/', 1) as order_id, version, kind, customer_id, notification_id
from notifications
where kind in ('order_completed', 'order_cancelled', 'order_shipped', 'order_returned', 'order_refunded')
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

-- name: sent_twice
-- 16: of a turn goes at most one message by each channel; of these kinds an order has one turn.
select
    subject,
    count(*) as version,
    format('%s goes out %s times by %s', what, count(*), channel) as seen
from (
    select
        coalesce(n.facts ->> 'order_id', d.customer_id) as subject,
        case
            when n.kind in ('order_paid', 'order_shipped', 'order_completed') then n.kind
            else substr(d.notification_id, strpos(d.notification_id, '/') + 1)
        end as what,
        d.channel
    from dispatches d
    join notifications n using (notification_id)
) as one
where :only::text[] is null or subject = any(:only::text[])
group by subject, what, channel
having count(*) > 1
order by subject, what, channel;

-- name: sent_of_nothing
-- 11: a message that goes out is about a turn that its customer was told of, and is named after it.
select
    d.dispatch_id as subject,
    d.version,
    case
        when n.notification_id is null then format('goes to %s by %s of nothing that happened', d.customer_id, d.channel)
        else format('goes to %s by %s of %s, which %s was told', d.customer_id, d.channel, d.notification_id, n.customer_id)
    end as seen
from dispatches d
left join notifications n using (notification_id)
where (:only::text[] is null or d.dispatch_id = any(:only::text[]))
    and (
        n.notification_id is null
        or n.customer_id <> d.customer_id
        or split_part(d.dispatch_id, '/', 1) <> split_part(d.notification_id, '/', 1)
        or split_part(d.dispatch_id, '/', 2) <> n.kind
    )
order by d.dispatch_id;
