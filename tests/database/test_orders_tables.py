"""Orders' tables on a real PostgreSQL: what must not be is refused, lines are rows too."""

from typing import Any

import pytest
from msgspec.structs import replace

from orders_examples import GIFT_WRAP, ORDERED, order_in, shop, shop_with_order, wish
from orders_ways import paid_shipped_order
from sagamart.contracts.orders import Line, ReturnedLine
from sagamart.contracts.shipping import ReturnReceived, ShipmentDelivered, ShipmentHandedOver
from sagamart.messaging.database import RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import ReturnItems
from sagamart.shop.orders.records import Order, ProductCopy, UnpaidOrders
from sagamart.shop.orders.service import ORDERS_SERVICE
from sagamart.shop.orders.view import view
from shop_fixtures import Tables, TablesOf
from table_rows import COURIER_COPY, PLACED, REFUSED

COMPLETED = replace(order_in(shop_with_order("completed")), version=1)


def new(order: Order, **changes: Any) -> Order:
    return replace(order, version=1, **changes)


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(ORDERS_SERVICE)


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (UnpaidOrders(1, "cus_1", ("ord_1", "ord_2"), 1), "no_more_than_the_slots"),
        (new(PLACED, status="lost"), "orders_status_check"),
        (new(PLACED, total_minor=-1), "orders_total_minor_check"),
        (new(PLACED, total_minor=9_000_000_000_000_001), "orders_total_minor_check"),
        (new(PLACED, currency="rubles"), "orders_currency_check"),
        (new(PLACED, lines=()), "orders_lines_check"),
        (new(PLACED, lines=ORDERED[:1] * 201), "orders_lines_check"),
        (new(PLACED, attempt=0), "orders_attempt_check"),
        (new(PLACED, status="cancelled"), "cancelled_for_a_reason"),
        (new(PLACED, reason="money_refused"), "cancelled_for_a_reason"),
        (ProductCopy(1, "CUP", price_minor=-1), "product_copies_price_minor_check"),
        (replace(COURIER_COPY, price_minor=-1), "delivery_copies_price_minor_check"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_the_table_knows_every_status(tables: Tables) -> None:
    for number, status in enumerate(LIFECYCLE):
        reason = "payment_timeout" if status == "cancelled" else None
        await tables.save(new(PLACED, order_id=f"ord_{number}", status=status, reason=reason))

    assert len(await tables.run("select from orders")) == len(LIFECYCLE)


async def test_the_lines_of_orders_are_rows_for_whoever_asks_in_sql(tables: Tables) -> None:
    service = shop()
    service.hears(wish(GIFT_WRAP, order_id="ord_0"))
    await tables.save(order_in(service, "ord_0"), PLACED)

    rows = await tables.run(
        "select order_id, position, sku, title, quantity, price_minor, currency, order_status from order_items"
        " order by order_id, position"
    )

    assert [tuple(row) for row in rows] == [
        ("ord_0", 1, None, "Gift wrap", 1, 10_000, "RUB", "pay_pending"),
        ("ord_1", 1, "CUP", "Blue cup", 2, 45_000, "RUB", "booking_pending"),
        ("ord_1", 2, "PLATE", "White plate", 1, 70_000, "RUB", "booking_pending"),
    ]


async def test_how_far_the_items_of_an_order_are_is_the_same_in_sql_and_over_the_api(tables: Tables) -> None:
    service = paid_shipped_order()
    service.hears(ShipmentHandedOver("ord_1", "shp_1"))
    shipped = new(order_in(service), order_id="ord_4")
    service.hears(
        ShipmentDelivered("ord_1", "shp_1"),
        ReturnItems("ord_1", "cus_1", staff=False, return_id="ret_1", returned=(ReturnedLine(0, 1),)),
        ReturnItems("ord_1", "cus_1", staff=False, return_id="ret_2", returned=(ReturnedLine(1, 1),)),
        ReturnReceived("ord_1", "ret_1", (ReturnedLine(0, 1),)),
    )
    orders = [PLACED, REFUSED, replace(COMPLETED, order_id="ord_3"), shipped, new(order_in(service), order_id="ord_5")]
    await tables.save(*orders)

    rows = await tables.run("select booked, shipped, returned from order_items order by order_id, position")

    lines = [line for order in orders for line in view(order, "en").lines]
    assert [tuple(row) for row in rows] == [(line.booked, line.shipped, line.returned) for line in lines]
    assert {(2, 2, 1), (1, 1, 0), (2, 0, 0), (0, 0, 0)} <= {tuple(row) for row in rows}


async def test_an_order_of_the_largest_size_and_amount_fits(tables: Tables) -> None:
    lines = (Line("GOLD", "G" * 200, 1_000_000, 45_000_000),) * 200
    large = new(PLACED, lines=lines, total_minor=9_000_000_000_000_000)

    await tables.save(large)

    assert await tables.load(Order, "ord_1") == [large]
