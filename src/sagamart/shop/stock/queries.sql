-- name: stock_of^
-- What is free of one sku, and what is promised.
select version, sku, on_hand, reserved from skus where sku = :sku;
