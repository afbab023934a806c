-- The products, for comparing with their copies.

-- name: products_by_sku
-- What is for sale.
select sku, version, title, price_minor, currency, active, weight_g, length_mm, width_mm, height_mm
from products where :only::text[] is null or sku = any(:only::text[])
order by sku collate "C";
