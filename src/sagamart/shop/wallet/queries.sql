-- name: wallet_of^
-- A customer's wallet.
select customer_id, currency, balance_minor, held_minor, balance_minor - held_minor as available_minor
from wallets
where customer_id = :customer_id;

-- name: house_accounts(since, until)
-- What moved in the house's accounts in between, by account, kind and currency.
select account, kind, currency, count(*) as movements, sum(amount_minor)::bigint as amount_minor
from postings
where account like 'house:%' and at >= :since and at < :until
group by account, kind, currency
order by account, kind, currency;

-- name: entries_of
-- What moved in an account, newest first, from just before one entry on.
select posting_id, kind, amount_minor, currency, reference, at
from postings
where account = :account and account like 'customer:%' and (at, posting_id) < (:before_at, :before_id)
order by at desc, posting_id desc
limit :limit;
