-- name: payment_by_id^
-- A payment.
select * from payments where payment_id = :payment_id;

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
