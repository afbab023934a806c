"""What operators do to orders: find those that are stuck, call one off with a reason, and be held to account for it."""

from datetime import timedelta
from typing import Any

import pytest

from open_shop import OPERATOR, Opened, OpenShop
from sagamart.platform.http import Caller

STUCK = "/v1/operations/orders/stuck"
ACTIONS = "/v1/operations/actions"
LATER = timedelta(minutes=10)


@pytest.fixture
async def shop(open_shop: Opened) -> OpenShop:
    """A shop whose stock takes no messages, so that whoever orders waits."""
    shop = await open_shop()
    await shop.sells("MUG", 100, pieces=5)
    answer = await shop.post("/v1/operations/consumers/stock/pause", {"why": "moving"}, caller=OPERATOR)
    assert answer.status_code == 200
    return shop


async def waiting(shop: OpenShop, number: int) -> str:
    """An order that waits for the stock."""
    ann = await shop.customer(number, 1_000)
    order = await shop.post("/v1/orders", {"lines": [{"sku": "MUG"}]}, caller=ann)
    assert order.json()["status"] == "booking_pending"
    order_id: str = order.json()["id"]
    return order_id


async def aged(shop: OpenShop, order_id: str, *, timer_too: bool = False) -> None:
    """Let it have waited for ten minutes; its timer is lost, if that is wished."""
    readers = shop.shop.services["orders"].readers
    await readers.execute(
        "update orders set changed_at = changed_at - $2::interval where order_id = $1", order_id, LATER
    )
    if timer_too:
        await readers.execute("delete from timers where key = $1", order_id)


async def stuck(shop: OpenShop, query: str = "") -> list[dict[str, Any]]:
    """What the list of stuck orders shows, page by page."""
    found: list[dict[str, Any]] = []
    path: str | None = f"{STUCK}?limit=1{query}"
    while path:
        answer = await shop.get(path, caller=OPERATOR)
        assert answer.status_code == 200
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        path = f"{STUCK}?limit=1{query}&cursor={cursor}" if cursor else None
    return found


async def call_off(shop: OpenShop, order_id: str, *, why: str = "the customer called", key: str = "off") -> Any:
    return await shop.post(f"/v1/operations/orders/{order_id}/cancellation", {"why": why}, caller=OPERATOR, key=key)


async def test_an_order_that_should_have_moved_on_is_found_and_others_are_not(shop: OpenShop) -> None:
    planted, lost, fresh = [await waiting(shop, number) for number in (1, 2, 3)]
    await aged(shop, planted)
    await aged(shop, lost, timer_too=True)

    found = await stuck(shop)

    assert [one["id"] for one in found] == [planted, lost]
    assert fresh not in [one["id"] for one in found]
    assert [(one["status"], one["awaits"], one["parked"]) for one in found] == [
        ("booking_pending", ["StockBooked"], False)
    ] * 2
    assert [one["timer_at"] is None for one in found] == [False, True]
    assert all(one["overdue_s"] >= 500 for one in found)


async def test_how_late_is_stuck_is_the_operators_choice(shop: OpenShop) -> None:
    order_id = await waiting(shop, 1)
    await aged(shop, order_id)

    assert [one["id"] for one in await stuck(shop, "&slack_s=300")] == [order_id]
    assert await stuck(shop, "&slack_s=3600") == []


async def test_an_order_that_a_dead_letter_parks_says_so(shop: OpenShop) -> None:
    order_id = await waiting(shop, 1)
    await aged(shop, order_id)
    await shop.shop.services["orders"].readers.execute(
        "insert into dead_letters (id, key, type, status, error, message)"
        " values (gen_random_uuid(), $1, 'StockBooked', 'dead', 'why', '')",
        order_id,
    )

    assert [one["parked"] for one in await stuck(shop)] == [True]


async def test_an_order_that_is_called_off_is_cancelled_and_the_reason_is_kept(shop: OpenShop) -> None:
    order_id = await waiting(shop, 1)

    first, again = await call_off(shop, order_id), await call_off(shop, order_id)
    later = await call_off(shop, order_id, why="once more", key="another")
    done = (await shop.get(ACTIONS, caller=OPERATOR)).json()["items"]

    assert (first.status_code, first.json()["status"], first.json()["reason"]["code"]) == (
        200,
        "cancelled",
        "cancelled_by_staff",
    )
    assert again.content == first.content
    assert (later.status_code, later.json()["status"]) == (200, "cancelled")
    assert [(one["action"], one["service"], one["subject"], one["by"], one["why"]) for one in done] == [
        ("cancel_order", "orders", order_id, OPERATOR.id, "the customer called"),
        ("pause", "stock", None, OPERATOR.id, "moving"),
    ]
    assert await stuck(shop, "&slack_s=0") == []


async def test_what_operators_did_is_read_page_by_page_the_newest_first(shop: OpenShop) -> None:
    for number in (1, 2):
        await call_off(shop, await waiting(shop, number), why=f"reason {number}", key=f"off-{number}")

    found: list[str] = []
    path: str | None = f"{ACTIONS}?limit=2"
    while path:
        page = (await shop.get(path, caller=OPERATOR)).json()
        found += [one["why"] for one in page["items"]]
        path = page["next_cursor"] and f"{ACTIONS}?limit=2&cursor={page['next_cursor']}"

    assert found == ["reason 2", "reason 1", "moving"]


@pytest.mark.parametrize(
    ("order_id", "body", "status", "code"),
    [
        ("ord_0", {"why": "no such order"}, 404, "not_found"),
        ("ord_0", {"why": ""}, 400, "malformed"),
        ("ord_0", {}, 400, "malformed"),
        ("ord_0", {"why": "me", "by": "somebody else"}, 400, "malformed"),
    ],
)
async def test_calling_off_that_cannot_be_done_is_refused_by_name(
    open_shop: Opened, order_id: str, body: dict[str, str], status: int, code: str
) -> None:
    shop = await open_shop()

    answer = await shop.post(f"/v1/operations/orders/{order_id}/cancellation", body, caller=OPERATOR)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await shop.get(ACTIONS, caller=OPERATOR)).json()["items"] == []


async def test_a_customer_cannot_call_off_as_an_operator_does(shop: OpenShop) -> None:
    order_id = await waiting(shop, 1)
    ann = Caller(f"cus_{1:032x}", frozenset({"CUSTOMER"}))

    answer = await shop.post(f"/v1/operations/orders/{order_id}/cancellation", {"why": "mine"}, caller=ann, key="off")

    assert answer.status_code == 403
