"""A service is killed in the middle of its work and comes back: nothing is lost, whatever it was doing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from open_shop import OPERATOR, Opened, OpenShop
from sagamart.audit import audit
from sagamart.platform.http import Caller
from sagamart.platform.http.demo import demo_routes
from sagamart.rooms import Rooms
from sagamart.stage import LiveStage

ADMIN = Caller("cus_" + "0" * 31 + "c", frozenset({"ADMIN"}))
DEMO = "/v1/operations/demo"
WITHIN_S = 60.0
ORDERS = 30
SETTLE_S = 1.0


@asynccontextmanager
async def on_stage(shop: OpenShop, dead_s: float = 0.5) -> AsyncIterator[OpenShop]:
    """The shop as a demonstration has it."""

    async def audited() -> list[Any]:
        return list(await audit(shop.shop.dsns))

    stage = LiveStage(shop.shop, audited, dead_s=dead_s, settle_s=SETTLE_S)
    opened = OpenShop(shop.shop, demo_routes(stage))
    try:
        yield opened
    finally:
        await stage.stop()
        await opened.http.aclose()


async def the_kill(shop: OpenShop) -> dict[str, Any]:
    """The latest kill, once its audit is over."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            (kill, *_) = (await shop.get(DEMO, caller=OPERATOR)).json()["kills"]
            if kill["findings"] is not None:
                found: dict[str, Any] = kill
                return found
            await asyncio.sleep(0.1)


async def the_verdict(shop: OpenShop) -> dict[str, Any]:
    """What the first audit found."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found: dict[str, Any] = (await shop.get("/v1/operations/audit", caller=OPERATOR)).json()
            if found["outcome"] is not None:
                return found
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("killed", "giver", "given"),
    [
        ("stock", "orders", "BookingRequested"),
        ("wallet", "orders", "HoldRequested"),
        ("orders", "stock", "StockBooked"),
    ],
)
async def test_what_a_service_had_in_hand_when_it_was_killed_it_is_given_again(
    open_shop: Opened, killed: str, giver: str, given: str
) -> None:
    shop = await open_shop()
    await shop.sells("MUG", 100, pieces=5)
    people = [await shop.customer(number, 100) for number in range(1, 6)]
    in_hand = shop.batch_of(
        giver, lambda batch: any(one.type == given for parcel in batch.changes.outbox for one in parcel.messages)
    )
    placing = [asyncio.create_task(ordered(shop, one)) for one in people]
    async with asyncio.timeout(WITHIN_S):
        await in_hand

    await shop.shop.kill(killed)
    await shop.shop.revive(killed)
    await asyncio.gather(*placing)

    assert [await status_of(shop, one) for one in people] == ["completed"] * 5
    assert await audit(shop.shop.dsns) == []


async def test_orders_complete_though_a_service_is_killed_and_the_journal_says_by_whom(open_shop: Opened) -> None:
    service = "stock"
    async with on_stage(await open_shop()) as shop:
        await shop.sells("MUG", 100, pieces=ORDERS)
        people = [await shop.customer(number, 100) for number in range(1, ORDERS + 1)]
        wish = {"lines": [{"sku": "MUG"}]}
        placing: list[asyncio.Task[Any]] = [
            asyncio.create_task(shop.post("/v1/orders", wish, caller=one, Prefer="wait=1")) for one in people[:20]
        ]
        await asyncio.wait(placing, return_when=asyncio.FIRST_COMPLETED)

        killed = await shop.post(f"{DEMO}/kills/{service}", {"why": "to see"}, caller=ADMIN)
        again = await shop.post(f"{DEMO}/kills/{service}", {"why": "again"}, caller=ADMIN)
        placing += [asyncio.create_task(ordered(shop, one)) for one in people[20:]]
        await asyncio.gather(*placing)
        kill = await the_kill(shop)

        assert killed.status_code == 202
        assert (again.status_code, again.json()["code"]) == (409, "already_dead")
        assert [await status_of(shop, one) for one in people] == ["completed"] * ORDERS
        assert (kill["service"], kill["findings"], kill["by"]) == (service, 0, ADMIN.id)
        level = (await shop.get("/v1/stock/MUG/availability")).json()
        assert level["available"] == 0
        acts = (await shop.get("/v1/operations/actions", caller=OPERATOR)).json()["items"]
        assert [(one["action"], one["service"], one["by"], one["why"]) for one in acts] == [
            ("resume", service, ADMIN.id, "came back after it was killed"),
            ("pause", service, ADMIN.id, "killed: to see"),
        ]


async def ordered(shop: OpenShop, customer: Caller) -> None:
    """An order of somebody who asks again, under the same key, for as long as the shop says that it is too busy."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            wish = {"lines": [{"sku": "MUG"}]}
            answer = await shop.post("/v1/orders", wish, caller=customer, Prefer="wait=1")
            if answer.status_code != 503:
                return
            await asyncio.sleep(0.1)


async def status_of(shop: OpenShop, customer: Caller) -> str:
    """How the customer's one order ends; asks the shop for it where the answer was lost."""
    await ordered(shop, customer)
    async with asyncio.timeout(WITHIN_S):
        while True:
            (order,) = (await shop.get("/v1/orders", caller=customer)).json()["items"]
            if order["status"] in {"completed", "cancelled"}:
                return str(order["status"])
            await asyncio.sleep(0.1)


async def test_a_dead_service_refuses_requests_and_what_others_send_it_waits(open_shop: Opened) -> None:
    shop = await open_shop()
    await shop.sells("MUG", 100, pieces=1)
    ann = await shop.customer(1, 100)

    await shop.shop.kill("stock")
    receipt = await shop.post("/v1/stock/MUG/receipts", {"quantity": 1}, caller=ADMIN)
    order = await shop.post("/v1/orders", {"lines": [{"sku": "MUG"}]}, caller=ann, Prefer="wait=1")
    vitals = (await shop.get("/v1/operations/vitals", caller=OPERATOR)).json()["items"]
    await shop.shop.revive("stock")
    ended = await shop.post("/v1/orders", {"lines": [{"sku": "MUG"}]}, caller=ann, Prefer="wait=30")

    assert receipt.status_code == 503
    assert order.json()["status"] == "booking_pending"
    assert {one["service"]: one["failed"] for one in vitals}["stock"] == "killed"
    assert ended.json()["status"] == "completed"


async def test_while_orders_place_themselves_the_shop_is_audited_by_itself(open_shop: Opened) -> None:
    shop = (await open_shop()).shop
    rooms = Rooms(shop, shop.dsns, demo=True)
    opened = OpenShop(shop, rooms.routes)
    async with rooms.open("http://127.0.0.1:1"):  # nobody is there: no order comes to pass
        before = (await opened.get("/v1/operations/audit", caller=OPERATOR)).json()
        await opened.call("PUT", f"{DEMO}/traffic", {"on": True}, caller=OPERATOR)
        audit = await the_verdict(opened)
        off = await opened.call("PUT", f"{DEMO}/traffic", {"on": False}, caller=OPERATOR)
    await opened.http.aclose()

    assert (before["running"], before["outcome"]) == (False, None)
    assert (audit["outcome"], audit["found"]) == ("holds", 0)
    assert off.json()["traffic"] is False


async def test_only_an_administrator_kills_and_only_operators_turn_traffic(open_shop: Opened) -> None:
    async with on_stage(await open_shop()) as shop:
        for role in ("CUSTOMER", "OPERATOR", "STOCK_OPERATOR", "SHIPPING_OPERATOR"):
            caller = Caller("cus_" + "0" * 31 + "d", frozenset({role}))
            answer = await shop.post(f"{DEMO}/kills/stock", {"why": "to see"}, caller=caller)
            assert answer.status_code == 403, role

        traffic = await shop.call("PUT", f"{DEMO}/traffic", {"on": True}, caller=await shop.customer(1))

        assert traffic.status_code == 403
        state = (await shop.get(DEMO, caller=OPERATOR)).json()
        assert (state["kills"], state["traffic"]) == ([], False)


async def test_a_shop_that_is_no_demonstration_has_nothing_of_it(open_shop: Opened) -> None:
    shop = await open_shop()

    assert (await shop.get(DEMO, caller=ADMIN)).status_code == 404
    assert (await shop.post(f"{DEMO}/kills/stock", {"why": "to see"}, caller=ADMIN)).status_code == 404
    assert "demo" not in (await shop.get("/openapi.json")).text
