-- name: order_by_id(order_id)^
-- One order.
select * from orders where order_id = :order_id;

-- name: orders_of_customer(customer_id, after, before, statuses, words, ending, limit)
-- A customer's orders, the newest first (ids are time-ordered).
select * from orders o
where customer_id = :customer_id
    and order_id >= :after and order_id < :before
    and (:ending::text is null or order_id like :ending)
    and (:statuses::text[] is null or status = any(:statuses::text[]))
    and (:words::text is null or exists (
        select from jsonb_array_elements(o.lines) line
        where line ->> 'title' ilike :words or line ->> 'sku' ilike :words
    ))
order by order_id desc
limit :limit;

-- name: orders_of_everybody(after, before, statuses, words, ending, searched, limit)
-- All orders, the newest first.  Words are sought in the newest `searched` of those only: no index helps there.
select * from (
    select * from orders
    where order_id >= :after and order_id < :before
        and (:ending::text is null or order_id like :ending)
        and (:statuses::text[] is null or status = any(:statuses::text[]))
    order by order_id desc
    limit case when :words::text is null then :limit::bigint else :searched::bigint end
) o
where :words::text is null or exists (
    select from jsonb_array_elements(o.lines) line
    where line ->> 'title' ilike :words or line ->> 'sku' ilike :words
)
order by order_id desc
limit :limit;

-- name: orders_sorted(customer_id, after, before, statuses, words, ending, searched, sort, last_key, last_id, limit)
-- The newest `searched` of a customer's orders (null: of everybody's), sorted otherwise.
select o.* from (
    select * from orders
    where (:customer_id::text is null or customer_id = :customer_id::text)
        and order_id >= :after and order_id < :before
        and (:ending::text is null or order_id like :ending)
        and (:statuses::text[] is null or status = any(:statuses::text[]))
    order by order_id desc
    limit :searched::bigint
) o
cross join lateral (
    select case :sort::text when 'total' then o.total_minor when '-total' then -o.total_minor else 0 end as key
) sorted
where (sorted.key, o.order_id) > (:last_key::bigint, :last_id::text)
    and (:words::text is null or exists (
        select from jsonb_array_elements(o.lines) line
        where line ->> 'title' ilike :words or line ->> 'sku' ilike :words
    ))
order by sorted.key, o.order_id
limit :limit::bigint;

-- name: changed_since(order_ids, versions)
-- Those of these orders that are further on than these versions.
select o.*
from unnest(:order_ids::text[], :versions::bigint[]) as seen (order_id, version)
join orders o on o.order_id = seen.order_id and o.version > seen.version;

-- name: settled_among(order_ids)
-- Those of these orders that wait for nobody but their customer or a carrier, or have come to an end.
select * from orders
where order_id = any(:order_ids::text[])
    and status in (
        'checked', 'booked', 'partially_paid', 'paid', 'shipping_pending', 'completed', 'returned', 'cancelled'
    );

-- name: basket_of(customer_id)^
-- What a customer has laid aside.
select * from baskets where customer_id = :customer_id;

-- name: orders_unsettled(after, before, statuses, limit)
-- Orders in these statuses that have not changed since, the oldest first (ids are time-ordered), from just after one on;
-- when each is woken next, and whether a dead letter parks it.
select
    o.*,
    (select t.due_at from timers t where t.key = o.order_id and t.name = 'deadline') as timer_at,
    exists (select from dead_letters d where d.key = o.order_id and d.status <> 'discarded') as parked
from orders o
where o.order_id > :after and o.status = any(:statuses::text[]) and o.changed_at < :before
order by o.order_id
limit :limit;

-- name: orders_with_traces(customer_id, limit)
-- A customer's orders that hold an address or a title of the customer's own, those that have ended first.
select order_id, status in ('completed', 'returned', 'cancelled') as ended from orders
where customer_id = :customer_id
    and (plan #>> '{delivery,address}' is not null
        or plan #>> '{before,delivery,address}' is not null
        or plan ->> 'elsewhere' is not null
        or exists (
            select from jsonb_array_elements(lines) line where line ->> 'sku' is null and line ->> 'title' <> ''
        ))
order by ended desc, order_id
limit :limit;

-- name: orders_by_status(since, statuses, deadlines_s)
-- How many orders from this id on are in each of these statuses, and how many have outstayed its deadline by a minute.
select
    status,
    count(*) as orders,
    count(*) filter (where changed_at < now() - make_interval(secs => deadline_s + 60)) as overdue
from orders
join unnest(:statuses::text[], :deadlines_s::bigint[]) as bound (status, deadline_s) using (status)
where order_id >= :since
group by status;

-- name: pace(after, counted)
-- Of the newest `counted` orders after one id: how many were placed in each second, and where they stand.
select date_trunc('second', placed_at) as second, status, count(*) as orders
from (select placed_at, status from orders where order_id > :after order by order_id desc limit :counted) newest
group by 1, 2
order by 1;

-- name: orders_open(after, counted, final)$
-- How many of the newest `counted` orders after one id are on their way.
select count(*) from (select status from orders where order_id > :after order by order_id desc limit :counted) newest
where status <> all(:final::text[]);
