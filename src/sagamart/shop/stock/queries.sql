-- name: stock_of^
-- What is free of one sku, and what is promised.
select sku, on_hand, reserved, greatest(on_hand - reserved - missing, 0) as available, version, missing
from skus
where sku = :sku;

-- name: newest_reservations_of(sku, before, limit)
-- Who has been promised pieces of a sku, the newest order first, from just before one order on.
select reservation_id, order_id
from reservations
where status = 'booked' and lines @> jsonb_build_array(jsonb_build_object('sku', :sku::text))
    and (:before::text is null or order_id collate "C" < :before)
order by order_id collate "C" desc
limit :limit;

-- name: movements_of(sku, kind, since, before_at, before_id, limit)
-- What came and went of a sku since then, the newest first, from just before one movement on.
select movement_id, kind, quantity, reference, at
from movements
where sku = :sku
    and (:kind::text is null or kind = :kind)
    and at >= :since and at <= :before_at and (at, movement_id) < (:before_at, :before_id)
order by at desc, movement_id desc
limit :limit;

-- name: reservations_of(sku, status, since, before, limit)
-- Which attempts of orders placed since then reserved pieces of a sku, or were refused them, the newest order first.
select reservation_id, order_id, attempt, status,
    coalesce((
        select sum((line ->> 'quantity')::bigint) from jsonb_array_elements(lines) line where line ->> 'sku' = :sku
    ), 0)::bigint as quantity
from reservations
where reservation_id >= :since and (:before::text is null or reservation_id < :before)
    and (:status::text is null or status = :status)
    and (
        lines @> jsonb_build_array(jsonb_build_object('sku', :sku::text))
        or short @> jsonb_build_array(jsonb_build_object('sku', :sku::text))
    )
order by reservation_id desc
limit :limit;
