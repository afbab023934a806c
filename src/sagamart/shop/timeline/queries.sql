-- name: customer_of(order_id)$
-- Whose order it is.
select customer_id from story_entries where order_id = :order_id and customer_id is not null limit 1;

-- name: story_of(order_id, types, after, limit)
-- The story of an order from just after one message on.  A message follows its cause, whatever the clocks of the two
-- processes say: it counts as said no earlier than that, and at no lower version.  Those of one moment stand in the order
-- of `types`.
with recursive said as materialized (
    select * from story_entries where order_id = :order_id
), told as (
    select s.*, s.at as moment, coalesce(s.order_version, 0) as height, 0 as depth
    from said s
    where s.cause is null or not exists (select from said c where c.message_id = s.cause)
    union all
    select s.*, greatest(s.at, t.moment), greatest(s.order_version, t.height), t.depth + 1
    from told t
    join said s on s.cause = t.message_id
), numbered as (
    select *, row_number() over (
        order by moment, height, depth, array_position(:types::text[], type), message_id
    ) as number
    from told
)
select
    n.number, n.message_id, n.type, n.source, n.node, n.at, n.order_version, n.status, n.cause, c.number as because_of,
    n.correlation, n.body
from numbered n
left join numbered c on c.message_id = n.cause
where n.number > coalesce((select number from numbered where message_id = :after), 0)
order by n.number
limit :limit;

-- name: steps(newest)
-- How long each kind of message came after its cause, in milliseconds, among the newest entries.
select
    e.source, e.type, count(*) as messages,
    percentile_cont(0.5) within group (order by lag_ms) as median_ms,
    percentile_cont(0.95) within group (order by lag_ms) as p95_ms
from (
    select n.source, n.type, greatest(0, extract(epoch from n.at - c.at) * 1000)::float8 as lag_ms
    from (select * from story_entries order by order_id desc, message_id desc limit :newest) n
    join story_entries c on c.order_id = n.order_id and c.message_id = n.cause
) e
group by e.source, e.type
order by messages desc, e.type;
