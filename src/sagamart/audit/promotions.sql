-- What must hold in promotions' database, and its rows for comparing with other services.

-- name: uses_that_differ
-- 15: how often a code counts as used is how often it is redeemed, and no more often than it may be.
with redeemed as (select code, count(*) as times from redemptions where status = 'redeemed' group by code)
select
    code as subject,
    c.version,
    format('used %s times of %s, redeemed %s times', c.used, c.uses_max, coalesce(redeemed.times, 0)) as seen
from promo_codes c
full join redeemed using (code)
where (:only::text[] is null or code = any(:only::text[]))
    and (c.version is null or c.used <> coalesce(redeemed.times, 0) or c.used > c.uses_max)
order by code;

-- name: customer_uses_that_differ
-- 15: the same for each customer.
with redeemed as (
    select code || '/' || customer_id as uses_id, count(*) as times
    from redemptions where status = 'redeemed' group by 1
)
select
    uses_id as subject,
    u.version,
    format('used %s times, redeemed %s times', coalesce(u.used, 0), coalesce(redeemed.times, 0)) as seen
from customer_uses u
full join redeemed using (uses_id)
where (:only::text[] is null or uses_id = any(:only::text[]))
    and coalesce(u.used, 0) <> coalesce(redeemed.times, 0)
order by uses_id;

-- name: redemptions_by_order
-- What each attempt of an order redeemed.
select order_id, version, attempt, status, code, discount_minor
from redemptions where :only::text[] is null or order_id = any(:only::text[])
order by order_id collate "C", attempt;
