-- What must hold in stock's database, and its rows for comparing with other services.

-- name: skus_that_differ
-- 5: what is on hand is the sum of the movements, what is reserved the open reservations, and the one covers the other.
-- Where promised pieces are missing, nothing else of that sku is free.
with
    moved as (select sku, sum(quantity) as total from movements group by sku),
    promised as (
        select line ->> 'sku' as sku, sum((line ->> 'quantity')::bigint) as total
        from reservations cross join jsonb_array_elements(lines) line
        where status = 'booked' group by 1
    )
select
    sku as subject,
    s.version,
    format(
        'on hand %s, movements %s; reserved %s, open reservations %s; missing %s',
        coalesce(s.on_hand::text, 'none'), coalesce(moved.total, 0),
        coalesce(s.reserved::text, 'none'), coalesce(promised.total, 0), coalesce(s.missing, 0)
    ) as seen
from skus s
full join moved using (sku)
full join promised using (sku)
where (:only::text[] is null or sku = any(:only::text[]))
    and (
        s.version is null
        or s.on_hand <> coalesce(moved.total, 0)
        or s.reserved <> coalesce(promised.total, 0)
        or not (0 <= s.reserved and s.reserved <= s.on_hand)
        or s.missing < 0
        or (s.missing > 0 and s.on_hand > s.reserved)
    )
order by sku;

-- name: commits_that_differ
-- 6: what a committed reservation reserved has left the stock, and nothing else was sold.
with
    committed as (
        select reservation_id || '/' || (line ->> 'sku') as movement_id, version, order_id,
            (line ->> 'quantity')::bigint as quantity
        from reservations cross join jsonb_array_elements(lines) line
        where status in ('committed', 'restocked')
    ),
    sold as (select movement_id, reference, quantity from movements where kind = 'committed')
select
    movement_id as subject,
    committed.version,
    case
        when committed.version is null then format('%s pieces left for %s without a reservation', -sold.quantity, reference)
        when reference is null then format('%s pieces of %s are committed, but none left', committed.quantity, order_id)
        else format('%s pieces of %s are committed, but %s left', committed.quantity, order_id, -sold.quantity)
    end as seen
from committed
full join sold using (movement_id)
where (:only::text[] is null or movement_id = any(:only::text[]))
    and (committed.version is null or reference is null or committed.quantity <> -sold.quantity)
order by movement_id;

-- name: sku_versions_with_gaps
-- 13: a version for each movement, each reserved line, and each line that was given back.  A later attempt of an order
-- takes over what an earlier one reserved, a return may be told before its payment, and missing pieces leave when others
-- come free: two changes at one version.
with
    moved as (
        select sku, count(*) as changes, bool_or(kind in ('returned', 'missing')) as at_once from movements group by sku
    ),
    reserved as (
        select line ->> 'sku' as sku,
            count(*) + count(*) filter (where status = 'released') as changes,
            bool_or(attempt > 1) as at_once
        from reservations cross join jsonb_array_elements(lines) line group by 1
    )
select
    sku as subject,
    s.version,
    format('version %s after %s changes', s.version, coalesce(moved.changes, 0) + coalesce(reserved.changes, 0)) as seen
from skus s
left join moved using (sku)
left join reserved using (sku)
where (:only::text[] is null or sku = any(:only::text[]))
    and s.version <> coalesce(moved.changes, 0) + coalesce(reserved.changes, 0)
    and (
        s.version > coalesce(moved.changes, 0) + coalesce(reserved.changes, 0)
        or not (coalesce(moved.at_once, false) or coalesce(reserved.at_once, false))
    )
order by sku;

-- name: reservation_versions_with_gaps
-- 13: a reservation is made once and ended once; a release that came first is a row without lines.
select
    reservation_id as subject, version, format('a reservation that is %s has version %s', status, version) as seen
from reservations
where (:only::text[] is null or reservation_id = any(:only::text[]))
    and version <> case
        when status = 'committed' then 2
        when status = 'restocked' then 3
        when status = 'released' and (lines <> '[]' or version = 2) then 2
        else 1
    end
order by reservation_id;

-- name: forgotten_movements
-- 14: who was told that pieces came can rely on it.
select
    message_id::text as subject,
    null::bigint as version,
    format('%s of %s was acknowledged, but no piece moved', split_part(key, ' ', 3), split_part(key, ' ', 1)) as seen
from requests r
where status = 200 and not refused
    and split_part(key, ' ', 3) ~ '^/v1/stock/[^/]+/(receipts|adjustments)$'
    and (:only::text[] is null or message_id::text = any(:only::text[]))
    and not exists (select from movements m where m.movement_id = r.message_id::text)
order by message_id;

-- name: goods_by_order
-- What each attempt of an order reserved; and, as rows without an attempt, what came back of the order by sku.
select * from (
    select order_id, version, attempt, status, lines, null as sku, 0::bigint as quantity
    from reservations where :only::text[] is null or order_id = any(:only::text[])
    union all
    select reference, count(*), null, null, null, sku, sum(quantity)::bigint
    from movements
    where kind = 'returned' and (:only::text[] is null or reference = any(:only::text[]))
    group by reference, sku
) as one
order by order_id collate "C", attempt;

-- name: skus_by_name
-- What is free of each sku.
select sku, version, greatest(on_hand - reserved - missing, 0) as available
from skus where :only::text[] is null or sku = any(:only::text[])
order by sku collate "C";
