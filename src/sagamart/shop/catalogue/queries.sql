-- name: product_of(sku)^
-- One product, as it is now.
select sku, version, title, description, price_minor, currency, weight_g, length_mm, width_mm, height_mm, tax_rate_bp,
       active
from products where sku = :sku;

-- name: products_after(active, after, limit)
-- The products behind a sku, in the order of skus, on the shelf or off it.
select sku, version, title, description, price_minor, currency, weight_g, length_mm, width_mm, height_mm, tax_rate_bp,
       active
from products
where active = :active and sku > :after
order by sku
limit :limit;

-- name: products_found(active, after, limit, question)
-- The same among those that a question's words are found in.
select sku, version, title, description, price_minor, currency, weight_g, length_mm, width_mm, height_mm, tax_rate_bp,
       active
from products
where active = :active and sku > :after and product_words(title, description) @@ question_words(:question)
order by sku
limit :limit;
