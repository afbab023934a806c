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

-- name: payments_by_order
-- The payments of each order through the bank.
select order_id, version, payment, status, amount_minor, captured_minor, closing, capturing, refunds
from payments where purpose = 'order' and (:only::text[] is null or order_id = any(:only::text[]))
order by order_id collate "C", payment;

-- name: payments_the_statement_knows_otherwise
-- 3: what a payment brought is what the bank's statement says, once that has been read so far.
select
    payment_id as subject,
    version,
    format('%s with %s, the statement says %s', status, captured_minor - refunded_minor, statement_minor) as seen
from payments
where (:only::text[] is null or payment_id = any(:only::text[]))
    and statement_minor <> captured_minor - refunded_minor
    and coalesce(moved_at, at) < (select read_until from reconciliations where not running)
order by payment_id;

-- name: entries_of_no_payment
-- 3: every entry of the bank's statement is of a payment of ours.
select
    bank_key as subject,
    null::bigint as version,
    format('the bank has %s %s of %s %s, which is of no payment of ours (%s)', kind, difference_id, amount_minor,
           currency, found) as seen
from differences
where :only::text[] is null or bank_key = any(:only::text[])
order by bank_key;

-- name: refunds_that_differ
-- 3: what went back of a payment is the sum of its refunds, unless the bank has undone all of it.
select
    payment_id as subject,
    version,
    format('%s went back, its refunds are %s', refunded_minor, total) as seen
from payments
cross join lateral (
    select coalesce(sum((refund ->> 'amount_minor')::bigint), 0) as total
    from jsonb_array_elements(refunds) refund where refund ->> 'status' = 'refunded'
) as given
where (:only::text[] is null or payment_id = any(:only::text[]))
    and (refunded_minor < total or captured_minor < refunded_minor)
order by payment_id;
