"""What the console's board asks: how fast orders come, how long steps take, how services do, and the audit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from open_shop import OPERATOR, STOCK_OPERATOR, Opened, OpenShop

WITHIN_S = 60.0
AUDIT = "/v1/operations/audit"


async def read(shop: OpenShop, path: str) -> Any:
    """What an operator is told."""
    answer = await shop.get(path, caller=OPERATOR)
    assert answer.status_code == 200
    return answer.json()


async def until(look: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool]) -> Any:
    """What is seen once it is as wanted."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = await look()
            if wanted(found):
                return found
            await asyncio.sleep(0.1)


async def bought(shop: OpenShop) -> None:
    """Ann buys a mug."""
    await shop.sells("MUG", 100, pieces=5)
    ann = await shop.customer(1, 1_000)
    order = await shop.post("/v1/orders", {"lines": [{"sku": "MUG"}]}, caller=ann, Prefer="wait=30")
    assert order.json()["status"] == "completed"


async def test_orders_are_counted_by_the_second_and_by_where_they_stand(open_shop: Opened) -> None:
    shop = await open_shop()
    await bought(shop)

    pace = await read(shop, "/v1/operations/orders/pace?seconds=300")

    assert pace["statuses"] == {"completed": 1}
    assert [one["statuses"] for one in pace["placed"]] == [{"completed": 1}]
    assert not pace["truncated"]


async def test_a_shop_without_orders_has_no_pace(open_shop: Opened) -> None:
    pace = await read(await open_shop(), "/v1/operations/orders/pace")

    assert (pace["seconds"], pace["statuses"], pace["placed"]) == (60, {}, [])


async def test_each_step_is_measured_from_its_cause(open_shop: Opened) -> None:
    shop = await open_shop()
    await bought(shop)

    steps = await until(lambda: steps_of(shop), lambda steps: "OrderCompleted" in steps)

    assert steps["StockBooked"]["source"] == "stock"
    assert steps["StockBooked"]["text"] == "The goods are reserved"
    assert 0 <= steps["StockBooked"]["median_ms"] <= steps["StockBooked"]["p95_ms"]


async def steps_of(shop: OpenShop) -> dict[str, Any]:
    """The steps by their types."""
    return {one["type"]: one for one in (await read(shop, "/v1/operations/steps"))["items"]}


async def test_what_waits_for_a_paused_service_is_seen_in_the_outbox_of_the_sender(open_shop: Opened) -> None:
    shop = await open_shop()
    await shop.sells("MUG", 100, pieces=5)
    await shop.post("/v1/operations/consumers/stock/pause", {"why": "stocktaking"}, caller=OPERATOR)
    ann = await shop.customer(1, 1_000)
    await shop.post("/v1/orders", {"lines": [{"sku": "MUG"}]}, caller=ann)

    vitals = await until(
        lambda: vitals_of(shop), lambda vitals: bool(vitals["orders"]["outbox"]) and vitals["stock"]["paused"]
    )

    assert vitals["orders"]["outbox_oldest_s"] >= 0
    assert (vitals["stock"]["failed"], vitals["stock"]["dead_letters"]) == (None, 0)


async def test_what_waited_when_somebody_looked_is_kept_for_a_while(open_shop: Opened) -> None:
    shop = await open_shop()
    path = "/v1/operations/vitals"
    first = await read(shop, f"{path}?past_s=60")

    later = await until(lambda: read(shop, f"{path}?past_s=60"), lambda found: len(found["items"][0]["past"]) > 1)

    assert [len(one["past"]) for one in first["items"]] == [1] * len(first["items"])
    assert later["items"][0]["past"][0] == first["items"][0]["past"][0]
    assert {(one["queued"], one["outbox"]) for one in first["items"][0]["past"]} == {(0, 0)}
    assert (await read(shop, path))["items"][0]["past"] == []


async def vitals_of(shop: OpenShop) -> dict[str, Any]:
    """The vitals by service."""
    return {one["service"]: one for one in (await read(shop, "/v1/operations/vitals"))["items"]}


async def test_an_audit_is_run_one_at_a_time_and_says_that_everything_holds(open_shop: Opened) -> None:
    shop = await open_shop()
    await bought(shop)
    before = await read(shop, AUDIT)

    begun = await shop.post(AUDIT, None, caller=OPERATOR)
    second = await shop.post(AUDIT, None, caller=OPERATOR, key="key-2")
    after = await audited(shop)

    assert (before["running"], before["outcome"]) == (False, None)
    assert (begun.status_code, begun.json()["running"]) == (202, True)
    assert (second.status_code, second.json()["code"]) == (409, "audit_running")
    assert (after["outcome"], after["found"], after["invariants"]) == ("holds", 0, 16)


async def test_an_audit_names_the_order_that_does_not_add_up(open_shop: Opened) -> None:
    shop = await open_shop()
    await bought(shop)
    await until(lambda: pieces_of(shop), lambda pieces: pieces == (4, 0))  # the stock has heard that it is paid
    await shop.shop.services["stock"].readers.execute("update skus set on_hand = on_hand + 1")

    await shop.post(AUDIT, None, caller=OPERATOR)
    after = await audited(shop)

    assert after["outcome"] == "found"
    assert [(one["invariant"], one["subject"]) for one in after["findings"]] == [(5, "MUG")]


async def pieces_of(shop: OpenShop) -> tuple[int, int]:
    """How many mugs are on hand and reserved."""
    level = (await shop.get("/v1/stock/MUG", caller=STOCK_OPERATOR)).json()
    return level["on_hand"], level["reserved"]


async def audited(shop: OpenShop) -> Any:
    """The audit, once it is over."""
    return await until(lambda: read(shop, AUDIT), lambda audit: not audit["running"])
