-- name: shipment_by_id(shipment_id)^
-- One shipment.
select * from shipments where shipment_id = :shipment_id;

-- name: shipments_of_customer(customer_id, order_id, before, status, limit)
-- A customer's shipments, the newest order first (ids are time-ordered); `before` is the last one seen.
select * from shipments
where customer_id = :customer_id
    and shipment_id < coalesce(:before::text, 'shp_g')
    and (:status::text is null or status = :status)
    and (:order_id::text is null or order_id = :order_id)
order by shipment_id desc
limit :limit;

-- name: shipments_of_everybody(order_id, before, status, limit)
-- All shipments, the newest order first.
select * from shipments
where shipment_id < coalesce(:before::text, 'shp_g')
    and (:status::text is null or status = :status)
    and (:order_id::text is null or order_id = :order_id)
order by shipment_id desc
limit :limit;

-- name: returns_of(order_id)
-- What of an order has been announced to come back, and what is back.
select * from returns where order_id = :order_id order by return_id;

-- name: methods_offered(limit)
-- The delivery methods that are offered, the cheapest first.
select * from delivery_methods where active order by price_minor, method limit :limit;

-- name: method_named(method)^
-- One delivery method.
select * from delivery_methods where method = :method;

-- name: measures_of(skus)
-- What these products weigh and measure.
select * from product_measures where sku = any(:skus::text[]);

-- name: shipments_with_traces(customer_id, ended, limit)
-- A customer's shipments that hold an address, those that have ended first.
select shipment_id, status = any(:ended::text[]) as ended from shipments
where customer_id = :customer_id and jsonb_typeof(address) = 'object'
order by ended desc, shipment_id
limit :limit;
