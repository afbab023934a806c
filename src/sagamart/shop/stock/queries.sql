-- name: stock_of^
-- What is free of one sku, and what is promised.
select sku, on_hand, reserved, on_hand - reserved as available, version
from skus
where sku = :sku;
