"""Orders over HTTP: who may ask for what, and how it is answered."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from orders_examples import CUP, PLATE
from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.orders import OrderMessage, ShortLine
from sagamart.contracts.stock import StockBooked, StockRefused
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld
from sagamart.platform.http import Caller
from sagamart.shop.orders.api import OrderSettings, routes
from sagamart.shop.orders.service import ORDERS_SERVICE
from sagamart.shop.orders.waiting import Waiters
from shop_fixtures import TOKENS, RunningService, Started

ANNA = Caller("cus_anna", frozenset({"CUSTOMER"}))
BORIS = Caller("cus_boris", frozenset({"CUSTOMER"}))
OPERATOR = Caller("usr_operator", frozenset({"OPERATOR"}))
STOREKEEPER = Caller("usr_storekeeper", frozenset({"STOCK_OPERATOR"}))

TWO_CUPS = {"sku": "CUP", "quantity": 2}
GIFT_WRAP = {"title": "Gift wrap", "price_minor": 10_000}


@pytest.fixture
async def orders(started: Started) -> RunningService:
    """Orders, knowing two products; a customer may have many unpaid orders."""
    service = await started(ORDERS_SERVICE, routes(OrderSettings("all", unpaid_orders_max=50), Waiters()))
    await service.hears(CUP, PLATE)
    return service


async def place(
    orders: RunningService, *lines: Any, caller: Caller = ANNA, key: str = "key-1", **more: Any
) -> httpx.Response:
    return await orders.post("/v1/orders", {"lines": list(lines or (TWO_CUPS,)), **more}, caller=caller, key=key)


async def placed(orders: RunningService, *lines: Any, caller: Caller = ANNA, key: str = "key-1") -> str:
    """The id of a new order."""
    return str((await place(orders, *lines, caller=caller, key=key)).json()["id"])


async def with_headers(orders: RunningService, **headers: str) -> httpx.Response:
    """Place an order of two cups with further headers."""
    said = {"Authorization": f"Bearer {TOKENS.sign(ANNA)}", "Idempotency-Key": "key-1", **headers}
    return await orders.http.post("/v1/orders", json={"lines": [TWO_CUPS]}, headers=said)


async def complete(orders: RunningService, order_id: str, total_minor: int = 90_000) -> None:
    held = MoneyHeld(order_id, 1, total_minor, "RUB")
    await orders.hears(StockBooked(order_id, 1), held, MoneyCaptured(order_id, 1, total_minor, "RUB"))


async def test_an_accepted_order_is_shown_as_it_is_with_its_place(orders: RunningService) -> None:
    answer = await place(orders, TWO_CUPS, GIFT_WRAP)

    assert answer.status_code == 202
    shown = answer.json()
    assert answer.headers["Location"] == f"/v1/orders/{shown['id']}"
    assert shown["id"].startswith("ord_")
    assert shown["status"] == "booking_pending"
    assert shown["stage"] == {"code": "accepted", "text": "accepted"}
    assert shown["customer_id"] == "cus_anna"
    assert shown["total_minor"] == 100_000
    assert shown["currency"] == "RUB"
    assert shown["reason"] is None
    assert shown["version"] == 1
    assert shown["placed_at"].endswith("Z")
    assert shown["lines"] == [
        {"sku": "CUP", "title": "Blue cup", "quantity": 2, "price_minor": 45_000, "amount_minor": 90_000},
        {"sku": None, "title": "Gift wrap", "quantity": 1, "price_minor": 10_000, "amount_minor": 10_000},
    ]


async def test_an_order_needs_an_idempotency_key(orders: RunningService) -> None:
    answer = await orders.post("/v1/orders", {"lines": [TWO_CUPS]}, caller=ANNA, key=None)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


async def test_nobody_orders_without_logging_in(orders: RunningService) -> None:
    for answer in (
        await orders.post("/v1/orders", {"lines": [TWO_CUPS]}),
        await orders.get("/v1/orders"),
        await orders.get("/v1/orders/ord_1"),
        await orders.post("/v1/orders/ord_1/cancellation", None),
    ):
        assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lines": []},
        {"lines": [TWO_CUPS] * 201},
        {"lines": [{"sku": "CUP", "quantity": 0}]},
        {"lines": [{"sku": "CUP", "quantity": 1_000_001}]},
        {"lines": [{"sku": "CUP", "quantity": 1.5}]},
        {"lines": [{"sku": "CUP", "price_minor": -1}]},
        {"lines": [{"sku": "CUP\n"}]},
        {"lines": [{"sku": "CUP", "title": "My cup"}]},
        {"lines": [{"title": "Gift wrap"}]},
        {"lines": [{"quantity": 1}]},
        {"lines": [GIFT_WRAP], "currency": "rub"},
        {"lines": [GIFT_WRAP], "currency": "RUB\n"},
        {"lines": [TWO_CUPS], "customer_id": "cus_boris"},
        {"lines": [TWO_CUPS], "total_minor": 1},
        {"lines": [{**TWO_CUPS, "amount_minor": 1}]},
    ],
)
async def test_what_is_no_order_cannot_be_placed(orders: RunningService, body: Any) -> None:
    answer = await orders.post("/v1/orders", body, caller=ANNA)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert await orders.rows("select count(*) from orders") == [(0,)]


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        ([{"sku": "SPOON"}], 422, "unknown_product"),
        ([{"sku": "FORK"}], 409, "product_inactive"),
        ([{"sku": "CUP", "price_minor": 1}], 409, "price_changed"),
        ([{"sku": "CUP"}, {"sku": "TEA"}], 422, "currency_mismatch"),
        ([{"title": "Gold", "price_minor": 1_000_000_000_000, "quantity": 1_000_000}], 422, "total_too_large"),
    ],
)
async def test_a_refusal_to_place_is_a_problem_named_after_its_rule(
    orders: RunningService, lines: Sequence[Any], status: int, code: str
) -> None:
    await orders.hears(
        ProductChanged("TEA", 1, "Tea", 500, "EUR", active=True),
        ProductChanged("FORK", 1, "Fork", 500, "RUB", active=False),
    )

    answer = await place(orders, *lines)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert "Location" not in answer.headers


async def test_a_refusal_names_the_facts_that_the_client_needs(orders: RunningService) -> None:
    answer = await place(orders, {"sku": "CUP", "price_minor": 44_000})

    assert answer.json()["prices"] == [{"sku": "CUP", "shown_minor": 44_000, "price_minor": 45_000, "currency": "RUB"}]


@pytest.mark.parametrize(
    ("custom_lines", "caller", "status"),
    [("off", OPERATOR, 403), ("staff", ANNA, 403), ("staff", OPERATOR, 202), ("all", ANNA, 202)],
)
async def test_the_settings_say_who_may_order_custom_lines(
    started: Started, custom_lines: Any, caller: Caller, status: int
) -> None:
    orders = await started(ORDERS_SERVICE, routes(OrderSettings(custom_lines=custom_lines), Waiters()))

    answer = await place(orders, GIFT_WRAP, caller=caller)

    assert answer.status_code == status


async def test_the_same_key_gets_the_same_answer_and_other_content_is_refused(orders: RunningService) -> None:
    first = await place(orders, TWO_CUPS)
    again = await place(orders, TWO_CUPS)
    other = await place(orders, GIFT_WRAP)

    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


async def test_a_second_unpaid_order_is_refused_with_a_link_to_the_first(started: Started) -> None:
    orders = await started(ORDERS_SERVICE, routes(OrderSettings("all"), Waiters()))
    first = await place(orders, GIFT_WRAP)

    second = await place(orders, GIFT_WRAP, key="key-2")

    assert (second.status_code, second.json()["code"]) == (409, "unpaid_order_exists")
    assert second.json()["orders"] == [first.headers["Location"]]


async def test_who_prefers_to_wait_gets_202_when_it_takes_longer(orders: RunningService) -> None:
    answer = await with_headers(orders, Prefer="wait=0")

    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


async def test_who_prefers_to_wait_for_a_settled_order_gets_it_at_once(orders: RunningService) -> None:
    await complete(orders, await placed(orders))

    answer = await with_headers(orders, Prefer="respond-async, wait=90")

    assert (answer.status_code, answer.json()["status"]) == (201, "completed")
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert answer.headers["ETag"] == '"4"'
    assert answer.headers["Location"] == f"/v1/orders/{answer.json()['id']}"


@pytest.mark.parametrize("prefer", ["return=minimal", "wait=soon", "wait=-1", "await=5", ""])
async def test_a_preference_that_is_none_of_ours_is_passed_over(orders: RunningService, prefer: str) -> None:
    assert (await with_headers(orders, Prefer=prefer)).status_code == 202


async def test_the_owner_and_staff_see_an_order_and_nobody_else(orders: RunningService) -> None:
    order_id = await placed(orders)

    for caller, status in ((ANNA, 200), (OPERATOR, 200), (BORIS, 404), (STOREKEEPER, 404)):
        assert (await orders.get(f"/v1/orders/{order_id}", caller=caller)).status_code == status


async def test_an_order_is_shown_with_its_version_as_etag(orders: RunningService) -> None:
    order_id = await placed(orders)
    await orders.hears(StockBooked(order_id, 1))

    answer = await orders.get(f"/v1/orders/{order_id}", caller=ANNA)

    assert answer.headers["ETag"] == '"2"'
    assert (answer.json()["status"], answer.json()["version"]) == ("pay_pending", 2)


async def test_an_order_that_does_not_exist_is_not_found(orders: RunningService) -> None:
    answer = await orders.get("/v1/orders/ord_none", caller=ANNA)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_cancelled_order_says_why_in_the_readers_language(orders: RunningService) -> None:
    order_id = await placed(orders)
    await orders.hears(StockRefused(order_id, 1, (ShortLine("CUP", 2, 1),)))

    answer = await orders.get(f"/v1/orders/{order_id}", caller=ANNA, **{"Accept-Language": "ru"})

    assert answer.json()["stage"] == {"code": "cancelled", "text": "отменён"}
    assert answer.json()["reason"] == {
        "code": "stock_refused",
        "text": "Не все товары есть в наличии",
        "short": [{"sku": "CUP", "wanted": 2, "available": 1}],
    }


async def test_a_customer_lists_their_own_orders_the_newest_first(orders: RunningService) -> None:
    first = await placed(orders, key="key-1")
    second = await placed(orders, key="key-2")
    await placed(orders, caller=BORIS)

    listed = (await orders.get("/v1/orders", caller=ANNA)).json()

    assert sorted(order["id"] for order in listed["items"]) == sorted([first, second])
    assert [order["id"] for order in listed["items"]] == sorted([first, second], reverse=True)
    assert listed["next_cursor"] is None


async def test_a_customer_who_asks_for_anothers_orders_gets_their_own(orders: RunningService) -> None:
    await placed(orders, caller=BORIS)

    assert (await orders.get("/v1/orders?customer=cus_boris", caller=ANNA)).json()["items"] == []


async def test_staff_list_everybodys_orders_or_one_customers(orders: RunningService) -> None:
    annas = await placed(orders)
    boris_ = await placed(orders, caller=BORIS)

    everybodys = (await orders.get("/v1/orders", caller=OPERATOR)).json()["items"]
    one = (await orders.get("/v1/orders?customer=cus_boris", caller=OPERATOR)).json()["items"]

    assert {order["id"] for order in everybodys} == {annas, boris_}
    assert [order["id"] for order in one] == [boris_]


async def test_a_list_goes_on_where_the_page_before_ended(orders: RunningService) -> None:
    placed_ = {await placed(orders, key=f"key-{number}") for number in range(5)}

    first = (await orders.get("/v1/orders?limit=3", caller=ANNA)).json()
    rest = (await orders.get(f"/v1/orders?limit=3&cursor={first['next_cursor']}", caller=ANNA)).json()

    assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [3, 2, None]
    assert {order["id"] for order in first["items"] + rest["items"]} == placed_


async def test_a_list_is_filtered_by_status_and_stage(orders: RunningService) -> None:
    booking = await placed(orders, key="key-1")
    paying = await placed(orders, GIFT_WRAP, key="key-2")

    async def found(filters: str) -> list[str]:
        return [order["id"] for order in (await orders.get(f"/v1/orders?{filters}", caller=ANNA)).json()["items"]]

    assert await found("status=booking_pending") == [booking]
    assert await found("stage=processing") == [paying]
    assert await found("stage=processing&status=booking_pending") == []
    assert len(await found("")) == 2


@pytest.mark.parametrize("asked", ["limit=0", "limit=201", "cursor=%21", "status=lost", "stage=lost"])
async def test_a_list_that_cannot_be_made_is_a_problem(orders: RunningService, asked: str) -> None:
    answer = await orders.get(f"/v1/orders?{asked}", caller=ANNA)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_the_owner_cancels_an_order(orders: RunningService) -> None:
    order_id = await placed(orders)

    answer = await orders.post(f"/v1/orders/{order_id}/cancellation", None, caller=ANNA, key="stop")

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["reason"] == {"code": "cancelled_by_customer", "text": "You cancelled it"}


async def test_staff_cancel_an_order(orders: RunningService) -> None:
    order_id = await placed(orders)

    answer = await orders.post(f"/v1/orders/{order_id}/cancellation", None, caller=OPERATOR, key="stop")

    assert answer.json()["reason"]["code"] == "cancelled_by_staff"


@pytest.mark.parametrize("caller", [BORIS, STOREKEEPER])
async def test_a_stranger_cannot_cancel_an_order_nor_learn_of_it(orders: RunningService, caller: Caller) -> None:
    order_id = await placed(orders)

    answer = await orders.post(f"/v1/orders/{order_id}/cancellation", None, caller=caller, key="stop")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert [body for body in orders.sent if isinstance(body, OrderMessage) and body.status == "cancelled"] == []


async def test_a_completed_order_cannot_be_cancelled(orders: RunningService) -> None:
    order_id = await placed(orders)
    await complete(orders, order_id)

    answer = await orders.post(f"/v1/orders/{order_id}/cancellation", None, caller=ANNA, key="stop")

    assert (answer.status_code, answer.json()["code"]) == (409, "too_late_to_cancel")
    assert answer.json()["order_status"] == "completed"
