-- name: codes_named(code)
-- The code of this name, if there is one.
select * from promo_codes where code = :code;

-- name: codes_after(after, limit)
-- The codes behind a name.
select * from promo_codes where code > :after order by code limit :limit;

-- name: used_by_customer(code, customer_id)$
-- How often a customer has a code redeemed.
select used from customer_uses where code = :code and customer_id = :customer_id;

-- name: moment()$
-- What time it is.
select now();
