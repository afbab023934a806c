"""The whole story of a real order, as the shop tells it."""

import asyncio
from typing import Any

from open_shop import OPERATOR, Opened, OpenShop
from sagamart.platform.http import Caller
from sagamart.settings import ShopSettings

WITHIN_S = 60.0

BOUGHT = [
    ("orders", "BookingRequested", ["stock"], "booking_pending", None),
    ("stock", "StockBooked", ["orders"], None, 1),
    ("orders", "HoldRequested", ["wallet"], "pay_pending", 2),
    ("wallet", "MoneyHeld", ["orders"], None, 3),
    ("orders", "CaptureRequested", ["wallet"], "capturing", 4),
    ("wallet", "MoneyCaptured", ["orders"], None, 5),
    ("orders", "OrderPaid", ["stock"], "paid", 6),
    ("orders", "OrderCompleted", ["notifications"], "completed", 6),
]
POOR = [
    ("orders", "BookingRequested", ["stock"], "booking_pending", None),
    ("stock", "StockBooked", ["orders"], None, 1),
    ("orders", "HoldRequested", ["wallet"], "pay_pending", 2),
    ("wallet", "MoneyRefused", ["orders"], None, 3),
    ("orders", "OrderCancelled", ["stock", "promotions", "notifications"], "cancelled", 4),
]


async def ordered(shop: OpenShop, caller: Caller) -> str:
    """An order of two mugs that has come to its end."""
    wish = {"lines": [{"sku": "MUG", "quantity": 2}]}
    order = await shop.post("/v1/orders", wish, caller=caller, Prefer="wait=30")
    order_id: str = order.json()["id"]
    return order_id


async def story(shop: OpenShop, order_id: str, length: int) -> list[dict[str, Any]]:
    """The story of an order, once so much has been written down."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            answer = await shop.get(f"/v1/orders/{order_id}/timeline", caller=OPERATOR)
            found: list[dict[str, Any]] = answer.json().get("items", [])
            if len(found) >= length:
                return found
            await asyncio.sleep(0.05)


async def test_every_message_of_an_order_stands_in_its_story_with_who_to_whom_and_why(open_shop: Opened) -> None:
    shop = await open_shop()
    await shop.sells("MUG", 100, pieces=5)
    ann, bob = await shop.customer(1, 1_000), await shop.customer(2)

    bought = await story(shop, await ordered(shop, ann), len(BOUGHT))
    refused = await story(shop, await ordered(shop, bob), len(POOR))

    assert [_shortly(one) for one in bought] == BOUGHT
    assert [_shortly(one) for one in refused] == POOR
    assert {one["node"] for one in bought} == {"test"}
    assert {one["cause"] == one["correlation"] for one in bought if one["because_of"] is None} == {True}
    assert refused[3]["body"]["reason"] == "insufficient_funds"


async def test_where_the_timeline_is_off_nothing_is_written_down(open_shop: Opened) -> None:
    shop = await open_shop(ShopSettings(timeline="off"))
    await shop.sells("MUG", 100, pieces=5)
    ann = await shop.customer(1, 1_000)

    order_id = await ordered(shop, ann)

    assert (await shop.get(f"/v1/orders/{order_id}", caller=ann)).json()["status"] == "completed"
    assert (await shop.get(f"/v1/orders/{order_id}/timeline", caller=ann)).status_code == 404
    assert await shop.shop.services["timeline"].readers.fetchval("select count(*) from inbox") == 0


def _shortly(entry: dict[str, Any]) -> tuple[Any, ...]:
    return entry["source"], entry["type"], entry["to"], entry["status"], entry["because_of"]
