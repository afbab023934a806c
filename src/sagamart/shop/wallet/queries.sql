-- name: wallet_of^
-- A customer's wallet.
select customer_id, currency, balance_minor, held_minor, balance_minor - held_minor as available_minor
from wallets
where customer_id = :customer_id;

-- name: entries_of
-- What moved in an account, newest first, from just before one entry on.
select posting_id, kind, amount_minor, currency, reference, at
from postings
where account = :account and account like 'customer:%' and (at, posting_id) < (:before_at, :before_id)
order by at desc, posting_id desc
limit :limit;
