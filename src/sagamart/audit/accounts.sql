-- The customers, for comparing with their wallets.

-- name: customers_by_id
-- Who has registered as a customer.
select customer_id, version
from users
where roles ? 'CUSTOMER' and (:only::text[] is null or customer_id = any(:only::text[]))
order by customer_id collate "C";
