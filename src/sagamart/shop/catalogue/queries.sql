-- name: product_of(sku)^
-- One product, as it is now.
select p.sku, p.version, p.title, p.description, p.price_minor, p.currency, p.weight_g, p.length_mm, p.width_mm,
       p.height_mm, p.tax_rate_bp, p.active, p.photo, coalesce(a.available, false) as available
from products p left join availabilities a on a.sku = p.sku
where p.sku = :sku;

-- name: products_by_sku(active, currency, price_from, price_to, in_stock, sku, limit)
-- The products behind a place, in the order of skus.
select p.sku, p.version, p.title, p.description, p.price_minor, p.currency, p.weight_g, p.length_mm, p.width_mm,
       p.height_mm, p.tax_rate_bp, p.active, p.photo, coalesce(a.available, false) as available
from products p left join availabilities a on a.sku = p.sku
where p.active = :active and p.sku > :sku
      and (:currency::text is null or p.currency = :currency)
      and (:price_from::bigint is null or p.price_minor >= :price_from)
      and (:price_to::bigint is null or p.price_minor <= :price_to)
      and (:in_stock::boolean is null or coalesce(a.available, false) = :in_stock)
order by p.sku
limit :limit;

-- name: products_by_title(active, currency, price_from, price_to, in_stock, text, sku, limit)
-- The same in the order of titles.
select p.sku, p.version, p.title, p.description, p.price_minor, p.currency, p.weight_g, p.length_mm, p.width_mm,
       p.height_mm, p.tax_rate_bp, p.active, p.photo, coalesce(a.available, false) as available
from products p left join availabilities a on a.sku = p.sku
where p.active = :active and (p.title, p.sku) > (:text, :sku)
      and (:currency::text is null or p.currency = :currency)
      and (:price_from::bigint is null or p.price_minor >= :price_from)
      and (:price_to::bigint is null or p.price_minor <= :price_to)
      and (:in_stock::boolean is null or coalesce(a.available, false) = :in_stock)
order by p.title, p.sku
limit :limit;

-- name: products_by_price(active, currency, price_from, price_to, in_stock, number, sku, limit)
-- The same, the cheapest first.
select p.sku, p.version, p.title, p.description, p.price_minor, p.currency, p.weight_g, p.length_mm, p.width_mm,
       p.height_mm, p.tax_rate_bp, p.active, p.photo, coalesce(a.available, false) as available
from products p left join availabilities a on a.sku = p.sku
where p.active = :active and (p.price_minor, p.sku) > (coalesce(:number::bigint, -1), :sku)
      and (:currency::text is null or p.currency = :currency)
      and (:price_from::bigint is null or p.price_minor >= :price_from)
      and (:price_to::bigint is null or p.price_minor <= :price_to)
      and (:in_stock::boolean is null or coalesce(a.available, false) = :in_stock)
order by p.price_minor, p.sku
limit :limit;

-- name: products_by_price_down(active, currency, price_from, price_to, in_stock, number, sku, limit)
-- The same, the dearest first.
select p.sku, p.version, p.title, p.description, p.price_minor, p.currency, p.weight_g, p.length_mm, p.width_mm,
       p.height_mm, p.tax_rate_bp, p.active, p.photo, coalesce(a.available, false) as available
from products p left join availabilities a on a.sku = p.sku
where p.active = :active and (p.price_minor, p.sku) < (coalesce(:number::bigint, 9223372036854775807), :sku)
      and (:currency::text is null or p.currency = :currency)
      and (:price_from::bigint is null or p.price_minor >= :price_from)
      and (:price_to::bigint is null or p.price_minor <= :price_to)
      and (:in_stock::boolean is null or coalesce(a.available, false) = :in_stock)
order by p.price_minor desc, p.sku desc
limit :limit;

-- name: products_found(question, active, currency, price_from, price_to, in_stock, sort, number, text, sku, ranked_max, limit)
-- The products that a question's words are found in, and the two sort keys of each.  Of a very broad question only the
-- first `ranked_max` that the index gives are looked at: nobody reads on that far.
with asked as materialized (select asked_words(:question) as words),
found as (
    select p.sku,
           case :sort::text when 'relevance' then -ts_rank(p.words, asked.words)::float8
                            when 'price' then p.price_minor when '-price' then -p.price_minor else 0 end as number,
           case :sort::text when 'title' then p.title else '' end as text
    from asked, products p left join availabilities a on a.sku = p.sku
    where p.words @@ asked.words and p.active = :active
          and (:currency::text is null or p.currency = :currency)
          and (:price_from::bigint is null or p.price_minor >= :price_from)
          and (:price_to::bigint is null or p.price_minor <= :price_to)
          and (:in_stock::boolean is null or coalesce(a.available, false) = :in_stock)
    limit :ranked_max
),
page as (
    select * from found
    where (number, text, sku) > (coalesce(:number::float8, '-infinity'), :text::text, :sku::text)
    order by number, text, sku
    limit :limit
)
select p.sku, p.version, p.title, p.description, p.price_minor, p.currency, p.weight_g, p.length_mm, p.width_mm,
       p.height_mm, p.tax_rate_bp, p.active, p.photo, coalesce(a.available, false) as available, page.number, page.text
from page join products p on p.sku = page.sku left join availabilities a on a.sku = p.sku
order by page.number, page.text, page.sku;

-- name: near_words(words, near_max)
-- Words of the vocabulary that share most trigrams with each of these, none for a word that it knows or that begins one.
select asked.word, near.word as near
from unnest(:words::text[]) as asked (word)
cross join lateral (
    select t.word, count(*) as shared
    from trigrams(asked.word) as its (trigram) join search_trigrams t on t.trigram = its.trigram
    where abs(length(t.word) - length(asked.word)) <= 2
    group by t.word
    order by shared desc, t.word
    limit :near_max
) as near
where not exists (
    select from search_words k where k.word >= asked.word and k.word < asked.word || chr(1114111)
)
order by asked.word, near.shared desc, near.word;

-- name: products_exported(after, limit)
-- All products behind a sku, on the shelf and off it.
select sku, title, description, price_minor, currency, weight_g, length_mm, width_mm, height_mm, tax_rate_bp, active
from products where sku > :after
order by sku
limit :limit;

-- name: photo_content(photo_id)$
-- The bytes of a photo.
select content from photos where photo_id = :photo_id;

-- name: prices_before(sku, since, price_id, limit)
-- What a product has cost, the newest first.
select price_id, price_minor, currency, since
from prices
where sku = :sku and (since, price_id) < (coalesce(:since::timestamptz, 'infinity'), :price_id)
order by since desc, price_id desc
limit :limit;
