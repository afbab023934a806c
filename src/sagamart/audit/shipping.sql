-- What must hold in shipping's database, and its rows for comparing with other services.

-- name: hand_overs_that_differ
-- 9: the carrier took each parcel of a shipment once, and none that is still here.
with left_us as (select shipment_id, count(*) as parcels from hand_overs group by shipment_id)
select
    shipment_id as subject,
    s.version,
    format('%s with %s parcels, but carriers took %s', coalesce(s.status, 'unknown'),
           coalesce(jsonb_array_length(s.parcels), 0), coalesce(left_us.parcels, 0)) as seen
from shipments s
full join left_us using (shipment_id)
where (:only::text[] is null or shipment_id = any(:only::text[]))
    and coalesce(left_us.parcels, 0) <> case
        when s.status in ('handed_over', 'delivered', 'returned') then jsonb_array_length(s.parcels) else 0
    end
order by shipment_id;

-- name: returns_that_differ
-- 9: as many pieces of a shipment are back as were received.
with received as (
    select order_id, sum((line ->> 'quantity')::bigint) as pieces
    from returns cross join jsonb_array_elements(returned) line where status = 'received' group by order_id
)
select
    shipment_id as subject,
    version,
    format('%s of %s pieces are back, received were %s', pieces_back, s.pieces, coalesce(received.pieces, 0)) as seen
from shipments s
left join received using (order_id)
where (:only::text[] is null or shipment_id = any(:only::text[]))
    and pieces_back <> coalesce(received.pieces, 0)
order by shipment_id;

-- name: shipping_by_order
-- The shipment of each order, and what is to come back or did.
select * from (
    select order_id, version, 'shipment' as kind, shipment_id as id, status, parcels, address::text as address
    from shipments where :only::text[] is null or order_id = any(:only::text[])
    union all
    select order_id, version, 'return', return_id, status, '[]', null
    from returns where :only::text[] is null or order_id = any(:only::text[])
) as one
order by order_id collate "C", id;

-- name: methods_by_name
-- The ways to deliver.
select method, version, price_minor, currency, needs_shipment, needs_address, active
from delivery_methods where :only::text[] is null or method = any(:only::text[])
order by method collate "C";

-- name: measures_by_sku
-- What shipping knows of each product.
select sku, version, catalogue_version, weight_g, length_mm, width_mm, height_mm
from product_measures where :only::text[] is null or sku = any(:only::text[])
order by sku collate "C";
