-- name: order_by_id(order_id)^
-- One order.
select * from orders where order_id = :order_id;

-- name: orders_of_customer(customer_id, before, statuses, limit)
-- A customer's orders, the newest first (ids are time-ordered); `before` is the last one seen.
select * from orders
where customer_id = :customer_id
    and order_id < coalesce(:before::text, 'ord_g')
    and (:statuses::text[] is null or status = any(:statuses::text[]))
order by order_id desc
limit :limit;

-- name: orders_of_everybody(before, statuses, limit)
-- All orders, the newest first.
select * from orders
where order_id < coalesce(:before::text, 'ord_g')
    and (:statuses::text[] is null or status = any(:statuses::text[]))
order by order_id desc
limit :limit;

-- name: settled_among(order_ids)
-- Those of these orders that have come to an end.
select * from orders where order_id = any(:order_ids::text[]) and status in ('completed', 'cancelled');
