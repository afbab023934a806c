-- name: payment_by_id^
-- A payment.
select * from payments where payment_id = :payment_id;

-- name: payments_of_customer(customer_id, before, before_at, limit)
-- A customer's payments through the bank, the newest first.
select * from payments
where customer_id = :customer_id
    and (at, payment_id) < (coalesce(:before_at::timestamptz, 'infinity'), :before::text)
order by at desc, payment_id desc
limit :limit;

-- name: payments_answered(payment_ids)
-- Those of these payments that have a page for their customer, or are settled.
select * from payments
where payment_id = any(:payment_ids::text[])
    and (redirect_url is not null or status in ('captured', 'refunded', 'declined', 'failed', 'voided'));

-- name: payments_unknown(after_at, after_id, limit)
-- Payments of which the bank has not told how they stand, the oldest first; what it is being asked, and when next.
with intents as materialized (
    select said ->> 'key' as key, said ->> 'type' as type, lease_until
    from outbox, string_to_table(convert_from(messages, 'UTF8'), e'\n') as line, lateral (select line::jsonb) as one (said)
    where said ->> 'type' in ('BankOpenAsked', 'BankCaptureAsked', 'BankCancelAsked', 'BankStateAsked')
)
select p.payment_id, p.purpose, p.order_id, p.customer_id, p.amount_minor, p.currency, p.at, p.capturing, p.closing,
    (select array_agg(distinct i.type order by i.type) from intents i where i.key = p.payment_id) as asked,
    least(
        (select min(i.lease_until) from intents i where i.key = p.payment_id),
        (select t.due_at from timers t where t.key = p.payment_id and t.name = 'look')
    ) as next_asking_at,
    greatest(0, extract(epoch from now() - p.at))::bigint as age_s
from payments p
where p.status = 'unknown' and (p.at, p.payment_id) > (coalesce(:after_at::timestamptz, '-infinity'), :after_id::text)
order by p.at, p.payment_id
limit :limit;

-- name: reconciliation^
-- How far the bank's statement has been compared.
select running, read_until, at, entries, differences, mended from reconciliations;

-- name: differences
-- Entries of the statement that no payment explains, the newest first.
select difference_id, bank_key, kind, amount_minor, currency, found, at
from differences
order by at desc, difference_id
limit :limit;

-- name: payments_that_differ
-- Payments whose money at the bank is not what we know, of those old enough for the statement that was read.
select payment_id, status, captured_minor - refunded_minor as known_minor, statement_minor
from payments
where statement_minor <> captured_minor - refunded_minor
    and coalesce(moved_at, at) < (select read_until from reconciliations)
order by payment_id
limit :limit;

-- name: top_ups_without_credit
-- Top-ups that the bank was paid for and the wallet has not confirmed.
select payment_id, status, captured_minor as known_minor, statement_minor
from payments
where purpose = 'top_up' and captured_minor > 0 and not credited
    and moved_at < (select read_until from reconciliations)
order by payment_id
limit :limit;

-- name: all_differences(place, subject, limit)
-- What a person has to look at after a reconciliation, of all three kinds, from just after one of them on.
select place, found, subject, bank_key, known_minor, statement_minor, currency, at
from (
    select 1 as place, found, difference_id as subject, bank_key, null::bigint as known_minor,
        amount_minor as statement_minor, currency, at
    from differences
    union all
    select 2, 'amount_differs', payment_id, null, captured_minor - refunded_minor, statement_minor, currency,
        coalesce(moved_at, at)
    from payments
    where statement_minor <> captured_minor - refunded_minor
        and coalesce(moved_at, at) < (select read_until from reconciliations)
    union all
    select 3, 'not_credited', payment_id, null, captured_minor, statement_minor, currency, moved_at
    from payments
    where purpose = 'top_up' and captured_minor > 0 and not credited
        and moved_at < (select read_until from reconciliations)
) as one
where (place, subject collate "C") > (:place, :subject)
order by place, subject collate "C"
limit :limit;

-- name: payments_unsettled
-- Payments about which the bank has not said its last word for longer than this.
select payment_id, status, at
from payments
where status in ('new', 'pending', 'held', 'unknown') and at < :before
order by at
limit :limit;

-- name: questions_left$
-- How much the bank has still to be asked.
select count(*)
from outbox, string_to_table(convert_from(messages, 'UTF8'), e'\n') as line
where line::jsonb ->> 'type' in ('BankStateAsked', 'StatementAsked');
