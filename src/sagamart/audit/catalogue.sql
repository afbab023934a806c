-- The products, for comparing with their copies.

-- name: products_by_sku
-- What is for sale.
select p.sku, p.version, p.title, p.price_minor, p.currency, p.active, p.weight_g, p.length_mm, p.width_mm, p.height_mm,
       a.available, coalesce(a.stock_version, 0) as stock_version
from products p left join availabilities a on a.sku = p.sku
where :only::text[] is null or p.sku = any(:only::text[])
order by p.sku collate "C";
