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
