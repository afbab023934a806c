"""An order's events over HTTP (server-sent events): what is shown, to whom, until when, and to how many."""

import asyncio
import json
from contextlib import aclosing

from orders_at_work import ANNA, BORIS, CUPS_MINOR, OPERATOR, STOREKEEPER, OrdersAtWork, OrdersOpen
from orders_examples import order_in, shop_with_order
from sagamart.contracts.stock import StockBooked
from sagamart.shop.orders.looking import events
from sagamart.shop.orders.records import Order
from sagamart.shop.orders.watching import Watchers

DEADLINE_S = 60


def seen_in(stream: str) -> list[tuple[str, str]]:
    """Each event's name, and the order's status in it."""
    found = []
    for block in stream.replace("\r\n", "\n").strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if fields:
            data = fields["data"]
            found.append((fields["event"], json.loads(data)["status"] if data.startswith("{") else data))
    return found


async def test_an_order_is_shown_now_after_each_change_and_until_its_end(orders_open: OrdersOpen) -> None:
    shop = await orders_open(watchers=Watchers(poll_s=0))
    order_id = await shop.placed()
    async with asyncio.timeout(DEADLINE_S):
        watching = asyncio.create_task(shop.get(f"/v1/orders/{order_id}/events"))
        await asyncio.sleep(0)
        await shop.service.hears(StockBooked(order_id, 1))
        await shop.paid(order_id, CUPS_MINOR)
        answer = await watching

    statuses = [status for _, status in seen_in(answer.text)]
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert set(statuses) <= {"booking_pending", "pay_pending", "capturing", "completed"}
    assert seen_in(answer.text)[-2:] == [("order", "completed"), ("end", "completed")]
    assert statuses == sorted(statuses, key=["booking_pending", "pay_pending", "capturing", "completed"].index)


async def test_who_has_seen_the_end_is_told_that_no_more_will_come(shop: OrdersAtWork) -> None:
    order_id = await shop.completed()
    version = str((await shop.shown(order_id))["version"])

    first = await shop.get(f"/v1/orders/{order_id}/events")
    again = await shop.get(f"/v1/orders/{order_id}/events", headers={"Last-Event-ID": version})
    earlier = await shop.get(f"/v1/orders/{order_id}/events", headers={"Last-Event-ID": "1"})

    assert seen_in(first.text) == [("order", "completed"), ("end", "completed")]
    assert f"id: {version}" in first.text
    assert (again.status_code, again.content) == (204, b"")
    assert seen_in(earlier.text) == seen_in(first.text)


async def test_the_owner_and_staff_watch_an_order_and_nobody_else(shop: OrdersAtWork) -> None:
    order_id = await shop.completed()

    for caller, status in ((ANNA, 200), (OPERATOR, 200), (BORIS, 404), (STOREKEEPER, 404), (None, 401)):
        assert (await shop.get(f"/v1/orders/{order_id}/events", caller=caller)).status_code == status
    assert (await shop.get("/v1/orders/ord_none/events")).status_code == 404


async def test_only_so_many_watch_at_once(orders_open: OrdersOpen) -> None:
    shop = await orders_open(watchers=Watchers(watchers_max=0))
    order_id = await shop.placed()

    answer = await shop.get(f"/v1/orders/{order_id}/events")

    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


async def test_while_nothing_happens_a_heartbeat_keeps_the_stream_open() -> None:
    async def nothing(_order_ids: list[str], _versions: list[int]) -> list[Order]:
        return []

    order = order_in(shop_with_order("pay_pending"))
    async with aclosing(events(order, "ru", Watchers(), nothing, heartbeat_s=0)) as stream:
        shown, beat = await anext(stream), await anext(stream)

    assert (shown.event, json.loads(str(shown.data))["stage"]["text"]) == ("order", "обрабатывается")
    assert beat.encode().startswith(b": ")
    assert b"data" not in beat.encode()
