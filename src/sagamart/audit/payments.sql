-- Rows of payments for comparing with other services.

-- name: money_by_order_or_customer
-- What the bank took and did not give back: of each order, and of the top-ups of each customer.
select key, sum(total_minor)::bigint as total_minor, sum(version)::bigint as version
from (
    select
        case purpose when 'order' then order_id else customer_id end as key,
        captured_minor - refunded_minor as total_minor,
        version
    from payments
) as one
where :only::text[] is null or key = any(:only::text[])
group by key
order by key collate "C";
