-- What must hold in the wallet's database, and its rows for comparing with other services.

-- name: currencies_out_of_balance
-- 1: money only moves; nothing is made or lost.
select
    currency as subject,
    null::bigint as version,
    format('all postings in %s sum to %s', currency, sum(amount_minor)) as seen
from postings
where :only::text[] is null or currency = any(:only::text[])
group by currency
having sum(amount_minor) <> 0;

-- name: movements_out_of_balance
-- 1: each movement has two sides, in one currency.
select
    movement_id as subject,
    count(*) as version,
    format('%s for %s: %s postings that sum to %s', min(kind), min(reference), count(*), sum(amount_minor)) as seen
from postings
where :only::text[] is null or movement_id = any(:only::text[])
group by movement_id
having sum(amount_minor) <> 0 or min(currency) <> max(currency) or count(*) <> 2
order by movement_id;

-- name: wallets_that_differ
-- 2: a balance is its postings, what is held is the open holds, and the one covers the other.
with
    posted as (
        select substr(account, 10) as customer_id, currency, sum(amount_minor) as total
        from postings where account like 'customer:%' group by 1, 2
    ),
    held as (
        select customer_id, currency, sum(amount_minor) as total from holds where status = 'held' group by 1, 2
    )
select
    customer_id as subject,
    w.version,
    format(
        'balance %s, postings %s; held %s, open holds %s (%s)',
        coalesce(w.balance_minor::text, 'none'), coalesce(posted.total, 0),
        coalesce(w.held_minor::text, 'none'), coalesce(held.total, 0), currency
    ) as seen
from wallets w
full join posted using (customer_id, currency)
full join held using (customer_id, currency)
where (:only::text[] is null or customer_id = any(:only::text[]))
    and (
        w.version is null
        or w.balance_minor <> coalesce(posted.total, 0)
        or w.held_minor <> coalesce(held.total, 0)
        or not (0 <= w.held_minor and w.held_minor <= w.balance_minor)
    )
order by customer_id;

-- name: captures_that_differ
-- 4: what a captured hold held has gone from its customer to the house, and nothing else was taken.
with
    taken as (
        select
            movement_id,
            min(reference) as reference,
            coalesce(sum(amount_minor) filter (where amount_minor > 0), 0) as amount_minor,
            min(account) as source,
            max(account) as target,
            max(currency) as currency
        from postings where kind = 'capture' group by movement_id
    ),
    captured as (select * from holds where status = 'captured')
select
    coalesce(hold_id, movement_id) as subject,
    captured.version,
    case
        when hold_id is null then format('money was taken for %s without a captured hold', reference)
        when movement_id is null then format('the hold of %s is captured, but no money moved', order_id)
        else format('%s held for %s, but %s moved from %s to %s', captured.amount_minor, order_id, taken.amount_minor,
                    source, target)
    end as seen
from captured
full join taken on movement_id = hold_id
where (:only::text[] is null or coalesce(hold_id, movement_id) = any(:only::text[]))
    and (
        hold_id is null or movement_id is null
        or captured.amount_minor <> taken.amount_minor
        or captured.currency <> taken.currency
        or source <> 'customer:' || captured.customer_id
        or target <> 'house:revenue'
    )
order by 1;

-- name: wallet_versions_with_gaps
-- 13: a version for each movement, hold and release, and one more where the wallet was opened by itself.
with
    moved as (
        select substr(account, 10) as customer_id, count(*) as changes
        from postings where account like 'customer:%' group by 1
    ),
    held as (
        select
            customer_id,
            count(*) filter (where status in ('held', 'captured') or (status = 'released' and version > 1))
                + count(*) filter (where status = 'released' and version > 1 and amount_minor > 0) as changes
        from holds group by 1
    )
select
    customer_id as subject,
    w.version,
    format('version %s after %s changes', w.version, coalesce(moved.changes, 0) + coalesce(held.changes, 0)) as seen
from wallets w
left join moved using (customer_id)
left join held using (customer_id)
where (:only::text[] is null or customer_id = any(:only::text[]))
    and w.version - coalesce(moved.changes, 0) - coalesce(held.changes, 0) not in (0, 1)
order by customer_id;

-- name: hold_versions_with_gaps
-- 13: a hold is made once and ended once.
select hold_id as subject, version, format('a hold that is %s has version %s', status, version) as seen
from holds
where (:only::text[] is null or hold_id = any(:only::text[]))
    and version <> case status when 'captured' then 2 when 'released' then least(greatest(version, 1), 2) else 1 end
order by hold_id;

-- name: forgotten_movements
-- 14: who was told that money moved can rely on it.
select
    message_id::text as subject,
    null::bigint as version,
    format('%s of %s was acknowledged, but no money moved', split_part(key, ' ', 3), split_part(key, ' ', 1)) as seen
from requests r
where status = 201 and not refused
    and split_part(key, ' ', 3) in ('/v1/wallet/deposits', '/v1/wallet/withdrawals')
    and (:only::text[] is null or message_id::text = any(:only::text[]))
    and not exists (select from postings p where p.movement_id = r.message_id::text)
order by message_id;

-- name: money_by_order
-- What each payment of an order holds or held; and, as a row without a hold, what the house keeps of the order.
select * from (
    select order_id, hold_id, version, payment, status, customer_id, amount_minor, currency, 0::bigint as kept_minor
    from holds where :only::text[] is null or order_id = any(:only::text[])
    union all
    select reference, null, count(*), null, null, null, null, null, sum(amount_minor)::bigint
    from postings
    where account in ('house:revenue', 'house:refunds') and (:only::text[] is null or reference = any(:only::text[]))
    group by reference
) as one
order by order_id collate "C", payment;

-- name: wallets_by_customer
-- Which wallets there are.
select customer_id, version from wallets where :only::text[] is null or customer_id = any(:only::text[])
order by customer_id collate "C";

-- name: bank_money_by_order_or_customer
-- What the books have of the bank's money: of each order, and of the top-ups of each customer.
select key, sum(total_minor)::bigint as total_minor, count(*) as version
from (
    select reference as key, amount_minor as total_minor
    from postings where account in ('house:revenue', 'house:refunds') and kind in ('bank_capture', 'bank_refund')
    union all
    select substr(account, 10) as key, amount_minor as total_minor
    from postings where account like 'customer:%' and kind = 'top_up'
) as one
where :only::text[] is null or key = any(:only::text[])
group by key
order by key collate "C";
