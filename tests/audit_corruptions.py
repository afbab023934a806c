"""What can be wrong in a shop's databases, invariant by invariant, and what the audit has to find and name."""

from typing import NamedTuple

NEW_ID = "gen_random_uuid()"
OLD_ID = "'019a0000-0000-7000-8000-000000000001'"
YOUNG_ID = "'ffff0000-0000-7000-8000-000000000001'"
A_HOLD = "'pay_unknown-1', 'ord_unknown', 1, '{ANN}', 5, 'RUB', 'released', null, 0"
PAID_BY_CARD = (
    "1, '{payment}', 'order', '{completed}', 1, 1, '{ANN}', 50, 'RUB', 'captured', now(), 'bank_1', 'captured', 2,"
    " null, null, false, '', 50, 0, null, false, '[]', now(), 0"
)
OUTBOX = (
    "insert into outbox (id, messages, lease_owner, lease_until)"
    " select {}, json_build_object('type', 'OrderPaid', 'key', '{{completed}}')::text::bytea,"
    " 'gone', now() + interval '{}'"
)
LETTER = "insert into dispatches select 1, '{}', '{}', '{}', 'email', 'sent', now(), 0, null, now()"
MOVING = "update orders set status = 'pay_pending', changed_at = now() - interval '{}' where order_id = '{{completed}}'"


class Corruption(NamedTuple):
    """What is done to a service's database, and what the audit has to find there and name."""

    invariant: int
    subject: str
    service: str
    sql: str


CORRUPTIONS = [
    Corruption(1, "RUB", "wallet", "update postings set amount_minor = 1051 where posting_id = '{payment}/to'"),
    Corruption(1, "{payment}", "wallet", "update postings set amount_minor = 1051 where posting_id = '{payment}/to'"),
    Corruption(
        1,
        "{payment}",
        "wallet",
        "update postings set currency = 'EUR' where movement_id = '{payment}' and amount_minor > 0",
    ),
    Corruption(
        2, "{ANN}", "wallet", "update wallets set balance_minor = balance_minor + 1 where customer_id = '{ANN}'"
    ),
    Corruption(2, "{ANN}", "wallet", "update wallets set held_minor = 1 where customer_id = '{ANN}'"),
    Corruption(2, "{ANN}", "wallet", "delete from wallets where customer_id = '{ANN}'"),
    Corruption(
        2,
        "{BOB}",
        "wallet",
        "update wallets set currency = 'EUR';"
        " insert into holds select 1, hold_id || '0', order_id, 2, customer_id, 5, 'RUB', 'held',"
        " null, 0 from holds where order_id = '{poor}'",
    ),
    Corruption(3, "{completed}", "payments", f"insert into payments select {PAID_BY_CARD}"),
    Corruption(
        3,
        "{ANN}",
        "wallet",
        "update postings set kind = 'top_up' where kind = 'deposit'",
    ),
    Corruption(4, "{payment}", "wallet", "delete from postings where movement_id = '{payment}'"),
    Corruption(4, "{payment}", "wallet", "delete from holds where hold_id = '{payment}'"),
    Corruption(
        4, "{payment}", "wallet", "update postings set account = 'house:clearing' where account = 'house:revenue'"
    ),
    Corruption(4, "{completed}", "wallet", "update holds set status = 'held', version = 1 where hold_id = '{payment}'"),
    Corruption(5, "mug", "stock", "update skus set on_hand = on_hand + 1 where sku = 'mug'"),
    Corruption(5, "mug", "stock", "update skus set reserved = 1 where sku = 'mug'"),
    Corruption(5, "mug", "stock", "delete from skus where sku = 'mug'"),
    Corruption(6, "{completed}/1/mug", "stock", "delete from movements where kind = 'committed'"),
    Corruption(6, "{completed}/1/mug", "stock", "update movements set quantity = -1 where kind = 'committed'"),
    Corruption(6, "{completed}/1/mug", "stock", "delete from reservations where order_id = '{completed}'"),
    Corruption(6, "{completed}", "stock", "update reservations set status = 'booked' where order_id = '{completed}'"),
    Corruption(7, "{completed}", "orders", MOVING.format("1 day")),
    Corruption(7, "{completed}", "orders", MOVING.format("1 s")),
    Corruption(
        7,
        "{completed}/deadline",
        "orders",
        "insert into timers select '{completed}', 'deadline', gen_random_uuid(), now() - interval '1 hour', ''",
    ),
    Corruption(8, "{completed}", "wallet", "delete from holds where hold_id = '{payment}'"),
    Corruption(8, "{completed}", "stock", "delete from reservations where order_id = '{completed}'"),
    Corruption(
        8,
        "{completed}",
        "orders",
        "update orders set status = 'cancelled', reason = 'cancelled_by_staff' where order_id = '{completed}'",
    ),
    Corruption(
        8, "{short}", "orders", "update orders set status = 'completed', reason = null where order_id = '{short}'"
    ),
    Corruption(10, "{completed}", "notifications", "delete from notifications where kind = 'order_completed'"),
    Corruption(
        10, "{short}", "notifications", "delete from notifications where notification_id = '{short}/order_cancelled'"
    ),
    Corruption(
        10,
        "{completed}",
        "orders",
        "update orders set known = '[[1, \"booked\"], [1, \"held\"]]' where order_id = '{completed}'",
    ),
    Corruption(10, "{short}", "orders", "update orders set known = '[]' where order_id = '{short}'"),
    Corruption(10, "{BOB}", "wallet", "delete from wallets where customer_id = '{BOB}'"),
    Corruption(10, "{BOB}", "notifications", "delete from notifications where notification_id = '{BOB}/wallet_opened'"),
    Corruption(10, YOUNG_ID.strip("'"), "orders", OUTBOX.format(YOUNG_ID, "-2 min")),
    Corruption(10, OLD_ID.strip("'"), "orders", OUTBOX.format(OLD_ID, "20 s")),
    Corruption(11, "ord_unknown", "wallet", f"insert into holds select 1, {A_HOLD}"),
    Corruption(
        11,
        "ord_unknown",
        "stock",
        "insert into reservations select 1, 'ord_unknown/1', 'ord_unknown', 1, 'released', '[]', '[]'",
    ),
    Corruption(
        11,
        "ord_unknown",
        "notifications",
        "insert into notifications select 1, 'ord_unknown/order_completed', '{ANN}', 'order_completed', '{{}}', now()",
    ),
    Corruption(
        11,
        "{short}",
        "notifications",
        "insert into notifications select 1, '{short}/order_completed', '{ANN}', 'order_completed', '{{}}', now()",
    ),
    Corruption(
        11,
        "{completed}",
        "notifications",
        "update notifications set customer_id = '{BOB}' where kind = 'order_completed'",
    ),
    Corruption(11, "{completed}", "wallet", "update holds set amount_minor = 5 where hold_id = '{payment}'"),
    Corruption(
        11,
        "{completed}",
        "stock",
        'update reservations set lines = \'[{{"sku": "mug", "quantity": 3}}]\' where order_id = \'{completed}\'',
    ),
    Corruption(11, "{poor}", "stock", "delete from reservations where order_id = '{poor}'"),
    Corruption(11, "{BOB}", "wallet", "delete from wallets where customer_id = '{BOB}'"),
    Corruption(11, "pen", "catalogue", "delete from prices; delete from products where sku = 'pen'"),
    Corruption(11, "pen", "stock", "delete from skus where sku = 'pen'"),
    Corruption(13, "{completed}", "orders", "update orders set version = version + 1 where order_id = '{completed}'"),
    Corruption(13, "{ANN}", "wallet", "update wallets set version = version + 2 where customer_id = '{ANN}'"),
    Corruption(13, "{payment}", "wallet", "update holds set version = 3 where hold_id = '{payment}'"),
    Corruption(13, "mug", "stock", "update skus set version = version + 1 where sku = 'mug'"),
    Corruption(13, "{completed}/1", "stock", "update reservations set version = 3 where order_id = '{completed}'"),
    Corruption(14, "{completed}", "orders", "delete from orders where order_id = '{completed}'"),
    Corruption(15, "mug", "orders", "update product_copies set price_minor = 499 where sku = 'mug'"),
    Corruption(15, "mug", "orders", "update product_copies set catalogue_version = 0 where sku = 'mug'"),
    Corruption(15, "mug", "catalogue", "update products set version = 2 where sku = 'mug'"),
    Corruption(15, "mug", "orders", "delete from product_copies where sku = 'mug'"),
    Corruption(15, "mug", "catalogue", "update availabilities set available = false where sku = 'mug'"),
    Corruption(15, "mug", "catalogue", "delete from availabilities where sku = 'mug'"),
    Corruption(15, "mug", "orders", "update product_copies set sold_out = true where sku = 'mug'"),
    Corruption(15, "mug", "orders", "update product_copies set stock_version = 0 where sku = 'mug'"),
    Corruption(15, "{completed}", "orders", MOVING.format("1 s")),
    Corruption(
        15,
        "ord_unknown",
        "orders",
        "update unpaid_orders set order_ids = '[\"ord_unknown\"]' where customer_id = '{ANN}'",
    ),
    Corruption(
        15, "{poor}", "orders", "update unpaid_orders set order_ids = '[\"{poor}\"]' where customer_id = '{ANN}'"
    ),
    Corruption(
        16,
        "OrderPaid dead",
        "stock",
        "insert into dead_letters select gen_random_uuid(), '{completed}', 'OrderPaid', 'dead', 'KeyError: mug', ''",
    ),
    Corruption(3, "{sent}", "payments", "update payments set captured_minor = 900 where payment_id = '{card}'"),
    Corruption(3, "{ANN}", "payments", "update payments set captured_minor = 1 where purpose = 'top_up'"),
    Corruption(
        3,
        "{card}",
        "payments",
        "update payments set statement_minor = 1 where payment_id = '{card}';"
        " update reconciliations set read_until = now()",
    ),
    Corruption(3, "{card}", "payments", "update payments set refunded_minor = 0 where payment_id = '{card}'"),
    Corruption(
        3,
        "pay_stranger",
        "payments",
        "insert into differences select '99', 'pay_stranger', 'debit', 5, 'RUB', 'unknown', now()",
    ),
    Corruption(
        4,
        "{sent}",
        "payments",
        "update payments set status = 'held', captured_minor = 0, refunded_minor = 0,"
        " moved_at = null, refunds = '[]' where payment_id = '{card}'",
    ),
    Corruption(5, "mug", "stock", "update skus set missing = 1 where sku = 'mug'"),
    Corruption(8, "{sent}", "orders", "update orders set total_minor = total_minor + 1 where order_id = '{sent}'"),
    Corruption(8, "{sent}", "wallet", "delete from postings where kind = 'bank_refund' and reference = '{sent}'"),
    Corruption(8, "{sent}", "stock", "delete from movements where kind = 'returned' and reference = '{sent}'"),
    Corruption(
        8,
        "{sent}",
        "orders",
        "update orders set returns = replace(returns::text, '\"shares\": [[1, ', '\"shares\": [[1, 1')::jsonb"
        " where order_id = '{sent}'",
    ),
    Corruption(
        8,
        "{stopped}",
        "orders",
        "update orders set known = (select jsonb_agg(one) from jsonb_array_elements(known) one"
        " where one ->> 1 <> 'refunded') where order_id = '{stopped}'",
    ),
    Corruption(
        8,
        "{stopped}",
        "shipping",
        "update shipments set status = 'pending', reason = null where order_id = '{stopped}'",
    ),
    Corruption(8, "{stopped}", "promotions", "update redemptions set status = 'redeemed' where order_id = '{stopped}'"),
    Corruption(8, "{sent}", "promotions", "update redemptions set discount_minor = 1 where order_id = '{sent}'"),
    Corruption(8, "{sent}", "promotions", "delete from redemptions where order_id = '{sent}'"),
    Corruption(
        9,
        "{stopped}",
        "shipping",
        "update shipments set status = 'handed_over', carrier = 'post' where order_id = '{stopped}'",
    ),
    Corruption(9, "{shipment}", "shipping", "delete from hand_overs where shipment_id = '{shipment}'"),
    Corruption(
        9,
        "{shipment}",
        "shipping",
        "insert into hand_overs select parcel_id || '0', shipment_id, carrier, tracking, by, at from hand_overs",
    ),
    Corruption(9, "{sent}", "shipping", "update shipments set parcels = parcels || parcels where order_id = '{sent}'"),
    Corruption(9, "{shipment}", "shipping", "update shipments set pieces_back = 2 where order_id = '{sent}'"),
    Corruption(10, "{sent}", "shipping", "update returns set return_id = 'ret_other' where order_id = '{sent}'"),
    Corruption(
        10,
        "{sent}",
        "orders",
        "update orders set known = (select jsonb_agg(one) from jsonb_array_elements(known) one"
        " where one ->> 1 <> 'delivered') where order_id = '{sent}'",
    ),
    Corruption(
        10,
        "{let_go}",
        "orders",
        "update orders set known = (select jsonb_agg(one) from jsonb_array_elements(known) one"
        " where one ->> 1 <> 'voided') where order_id = '{let_go}'",
    ),
    Corruption(11, "{sent}", "payments", "delete from payments where payment_id = '{card}'"),
    Corruption(
        11, "{sent}", "payments", "update payments set amount_minor = amount_minor + 1 where payment_id = '{card}'"
    ),
    Corruption(11, "{sent}", "shipping", "delete from shipments where order_id = '{sent}'"),
    Corruption(11, "ord_unknown", "shipping", "update returns set order_id = 'ord_unknown' where order_id = '{sent}'"),
    Corruption(
        11,
        "ord_unknown",
        "promotions",
        "insert into redemptions select 1, 'ord_unknown/1', 'ord_unknown', 1, '{ANN}', '', 'given_back', 0, null",
    ),
    Corruption(11, "courier", "shipping", "delete from delivery_methods"),
    Corruption(12, "{completed}", "orders", "update orders set status = 'returned' where order_id = '{completed}'"),
    Corruption(12, "{sent}", "orders", "update orders set status = 'paid' where order_id = '{sent}'"),
    Corruption(
        15,
        "{sent}",
        "shipping",
        "update shipments set status = 'handed_over', pieces_back = 0,"
        " address = address || '{{\"street\": \"Elsewhere\"}}' where order_id = '{sent}'",
    ),
    Corruption(15, "TENTH", "promotions", "update promo_codes set used = used + 1"),
    Corruption(15, "TENTH/{ANN}", "promotions", "update customer_uses set used = used + 1"),
    Corruption(15, "courier", "orders", "update delivery_copies set price_minor = 1"),
    Corruption(15, "courier", "orders", "update delivery_copies set method_version = 7"),
    Corruption(15, "courier", "orders", "delete from delivery_copies"),
    Corruption(15, "mug", "shipping", "update product_measures set weight_g = 1 where sku = 'mug'"),
    Corruption(15, "mug", "shipping", "delete from product_measures where sku = 'mug'"),
    Corruption(10, "{sent}", "notifications", "delete from notifications where kind = 'order_shipped'"),
    Corruption(10, "{sent}", "notifications", "delete from notifications where kind = 'order_returned'"),
    Corruption(10, "{stopped}", "notifications", "delete from notifications where kind = 'order_refunded'"),
    Corruption(
        11,
        "{sent}",
        "notifications",
        "insert into notifications select version, notification_id || '0', customer_id, kind, facts, at"
        " from notifications where kind = 'order_refunded'",
    ),
    Corruption(
        11,
        "{completed}",
        "notifications",
        "insert into notifications select 1, '{completed}/order_shipped', '{ANN}', 'order_shipped', '{{}}', now()",
    ),
    Corruption(
        11,
        "{completed}/order_paid/email",
        "notifications",
        LETTER.format("{completed}/order_paid/email", "{completed}/order_paid", "{ANN}"),
    ),
    Corruption(
        11,
        "{completed}/order_completed/email",
        "notifications",
        LETTER.format("{completed}/order_completed/email", "{completed}/order_completed", "{BOB}"),
    ),
    Corruption(
        11,
        "{completed}/order_shipped/email",
        "notifications",
        LETTER.format("{completed}/order_shipped/email", "{completed}/order_completed", "{ANN}"),
    ),
    Corruption(
        16,
        "{completed}",
        "notifications",
        LETTER.format("{completed}/order_completed/email", "{completed}/order_completed", "{ANN}")
        + "; "
        + LETTER.format("{completed}/order_completed/again/email", "{completed}/order_completed", "{ANN}"),
    ),
    Corruption(
        16,
        "{poor}",
        "notifications",
        "insert into notifications select version, notification_id || '/again', customer_id, kind, facts, at"
        " from notifications where kind = 'order_cancelled' and facts ->> 'order_id' = '{poor}'",
    ),
    Corruption(
        16,
        "{completed}",
        "notifications",
        "insert into notifications select version, notification_id || '/again', customer_id, kind, facts, at"
        " from notifications where kind = 'order_completed'",
    ),
]
