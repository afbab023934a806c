"""Stock's routes: what each does, refuses, cannot read, and does not let everybody do."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sagamart.contracts.order_requests import BookingRequested
from sagamart.contracts.orders import Line
from sagamart.messaging.message import first_id_at
from sagamart.platform.http import Caller
from sagamart.shop.stock.api import ROUTES
from sagamart.shop.stock.service import STOCK
from shop_fixtures import RunningService, Started

KEEPER = Caller("usr_keeper", frozenset({"STOCK_OPERATOR"}))
ADMIN = Caller("usr_admin", frozenset({"ADMIN"}))
ANNA = Caller("cus_018f0000000070008000000000000001", frozenset({"CUSTOMER"}))
OPERATOR = Caller("usr_operator", frozenset({"OPERATOR"}))


@pytest.fixture
async def stock(started: Started) -> RunningService:
    """Five cups, of which an order has two."""
    service = await started(STOCK, ROUTES)
    await service.post("/v1/stock/CUP/receipts", {"quantity": 5}, caller=KEEPER, key="first")
    lines = (Line("CUP", "Blue cup", 2, 45_000),)
    await service.hears(BookingRequested("ord_1", 2, "booking_pending", ANNA.id, 1, lines, 90_000, "RUB"))
    return service


def level(on_hand: int, version: int) -> dict[str, Any]:
    pieces = {"on_hand": on_hand, "reserved": 2, "available": on_hand - 2, "missing": 0}
    return {"sku": "CUP", **pieces, "version": version}


@pytest.mark.parametrize("caller", [KEEPER, ADMIN], ids=["stock operator", "admin"])
async def test_staff_receive_pieces(stock: RunningService, caller: Caller) -> None:
    response = await stock.post("/v1/stock/CUP/receipts", {"quantity": 3}, caller=caller)

    assert (response.status_code, response.json()) == (200, level(8, 3))


async def test_a_receipt_repeated_under_its_key_is_taken_in_once(stock: RunningService) -> None:
    first = await stock.post("/v1/stock/CUP/receipts", {"quantity": 3}, caller=KEEPER)
    again = await stock.post("/v1/stock/CUP/receipts", {"quantity": 3}, caller=KEEPER)

    assert again.content == first.content
    assert (await stock.get("/v1/stock/CUP", caller=KEEPER)).json() == level(8, 3)


async def test_staff_correct_the_count(stock: RunningService) -> None:
    body = {"quantity": -3, "reason": "broken"}

    response = await stock.post("/v1/stock/CUP/adjustments", body, caller=KEEPER)

    assert (response.status_code, response.json()) == (200, level(2, 3))
    assert await stock.rows("select quantity, reference from movements where kind = 'adjusted'") == [
        (-3, "usr_keeper: broken")
    ]


async def test_an_adjustment_below_what_is_reserved_is_refused_with_the_numbers(stock: RunningService) -> None:
    response = await stock.post("/v1/stock/CUP/adjustments", {"quantity": -4, "reason": "stolen"}, caller=KEEPER)

    answer = response.json()
    assert (response.status_code, answer["code"]) == (409, "below_reserved")
    assert (answer["on_hand"], answer["reserved"], answer["adjustment"]) == (5, 2, -4)
    assert (await stock.get("/v1/stock/CUP", caller=KEEPER)).json() == level(5, 2)


async def test_a_forced_adjustment_takes_what_orders_were_promised(stock: RunningService) -> None:
    body = {"quantity": -4, "reason": "stolen", "force": True}

    response = await stock.post("/v1/stock/CUP/adjustments", body, caller=KEEPER)

    left = {"sku": "CUP", "on_hand": 2, "reserved": 2, "available": 0, "version": 3, "missing": 1}
    assert (response.status_code, response.json()) == (200, left)


async def test_an_adjustment_that_takes_more_than_there_is_is_refused_even_by_force(stock: RunningService) -> None:
    body = {"quantity": -6, "reason": "typing error", "force": True}

    response = await stock.post("/v1/stock/CUP/adjustments", body, caller=KEEPER)

    answer = response.json()
    assert (response.status_code, answer["code"]) == (409, "more_than_on_hand")
    assert (answer["on_hand"], answer["missing"], answer["adjustment"]) == (5, 0, -6)
    assert (await stock.get("/v1/stock/CUP", caller=KEEPER)).json() == level(5, 2)


async def test_staff_read_what_came_and_went_newest_first_a_page_at_a_time(stock: RunningService) -> None:
    adjustment = {"quantity": -1, "reason": "broken"}
    await stock.post("/v1/stock/CUP/adjustments", adjustment, caller=KEEPER)
    await stock.post("/v1/stock/PLATE/receipts", {"quantity": 7}, caller=KEEPER, key="plates")

    first = (await stock.get("/v1/stock/CUP/movements?limit=1", caller=KEEPER)).json()
    path = f"/v1/stock/CUP/movements?limit=1&cursor={first['next_cursor']}"
    second = (await stock.get(path, caller=KEEPER)).json()
    adjusted = (await stock.get("/v1/stock/CUP/movements?kind=adjusted", caller=KEEPER)).json()

    seen = [(one["kind"], one["quantity"], one["reference"]) for page in (first, second) for one in page["items"]]
    assert seen == [("adjusted", -1, "usr_keeper: broken"), ("received", 5, "usr_keeper")]
    assert second["next_cursor"] is None
    assert adjusted["items"] == first["items"]


async def test_staff_read_who_holds_pieces_the_newest_order_first(stock: RunningService) -> None:
    older, newer = (f"ord_{first_id_at(datetime.now(UTC)).replace('-', '')[:-1]}{number}" for number in (1, 2))
    for order_id, quantity in ((older, 1), (newer, 9)):
        lines = (Line("CUP", "Blue cup", quantity, 45_000), Line("CUP", "Blue cup", 1, 45_000))
        await stock.hears(BookingRequested(order_id, 2, "booking_pending", ANNA.id, 1, lines, 90_000, "RUB"))

    first = (await stock.get("/v1/stock/CUP/reservations?limit=2", caller=KEEPER)).json()
    path = f"/v1/stock/CUP/reservations?limit=2&cursor={first['next_cursor']}"
    second = (await stock.get(path, caller=KEEPER)).json()
    booked = (await stock.get("/v1/stock/CUP/reservations?status=booked", caller=KEEPER)).json()
    other = (await stock.get("/v1/stock/PLATE/reservations", caller=KEEPER)).json()

    refused = {"id": f"{newer}/1", "order_id": newer, "attempt": 1, "status": "refused", "quantity": 0}
    theirs = {**refused, "id": "ord_1/1", "order_id": "ord_1", "status": "booked", "quantity": 2}
    assert first["items"] == [theirs, refused]
    assert second["items"] == [{**theirs, "id": f"{older}/1", "order_id": older}]
    assert booked["items"] == [theirs, *second["items"]]
    assert other == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("question", ["days=0", "days=367", "limit=201", "cursor=x", "kind=lost", "status=lost"])
@pytest.mark.parametrize("journal", ["movements", "reservations"])
async def test_a_question_about_a_sku_that_cannot_be_read_is_refused(
    stock: RunningService, journal: str, question: str
) -> None:
    asked = question.replace("kind", "status") if journal == "reservations" else question.replace("status", "kind")

    response = await stock.get(f"/v1/stock/CUP/{journal}?{asked}", caller=KEEPER)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")


async def test_anybody_sees_what_is_available_and_no_more(stock: RunningService) -> None:
    for caller in (None, ANNA, KEEPER):
        response = await stock.get("/v1/stock/CUP/availability", caller=caller)
        assert (response.status_code, response.json()) == (200, {"sku": "CUP", "available": 3})


async def test_nothing_is_available_of_what_never_came(stock: RunningService) -> None:
    response = await stock.get("/v1/stock/PLATE/availability")

    assert response.json() == {"sku": "PLATE", "available": 0}


async def test_the_level_of_what_never_came_is_not_found(stock: RunningService) -> None:
    response = await stock.get("/v1/stock/PLATE", caller=KEEPER)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("resource", "body", "field"),
    [
        ("receipts", {"quantity": 0}, "quantity"),
        ("receipts", {"quantity": -1}, "quantity"),
        ("receipts", {"quantity": 1.5}, "quantity"),
        ("receipts", {"quantity": 10**9 + 1}, "quantity"),
        ("receipts", {}, "quantity"),
        ("receipts", {"quantity": 1, "on_hand": 99}, "on_hand"),
        ("adjustments", {"quantity": 1}, "reason"),
        ("adjustments", {"quantity": 1, "reason": ""}, "reason"),
        ("adjustments", {"quantity": -(10**9) - 1, "reason": "x"}, "quantity"),
    ],
)
async def test_a_malformed_movement_is_told_which_field_is_wrong(
    stock: RunningService, resource: str, body: Any, field: str
) -> None:
    response = await stock.post(f"/v1/stock/CUP/{resource}", body, caller=KEEPER)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert [one["field"] for one in response.json()["fields"]] == [field]


@pytest.mark.parametrize("sku", ["a%20cup", "CUP%0a", "-CUP", "C" * 65])
async def test_a_sku_that_cannot_be_one_is_refused(stock: RunningService, sku: str) -> None:
    response = await stock.post(f"/v1/stock/{sku}/receipts", {"quantity": 1}, caller=KEEPER)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("resource", ["receipts", "adjustments"])
async def test_pieces_move_only_under_an_idempotency_key(stock: RunningService, resource: str) -> None:
    body = {"quantity": 1} if resource == "receipts" else {"quantity": 1, "reason": "found"}

    response = await stock.post(f"/v1/stock/CUP/{resource}", body, caller=KEEPER, key=None)

    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize(
    ("caller", "status", "code"),
    [(None, 401, "unauthenticated"), (ANNA, 403, "forbidden"), (OPERATOR, 403, "forbidden")],
    ids=["nobody", "customer", "operator"],
)
async def test_only_the_stocks_staff_move_pieces_and_see_the_level(
    stock: RunningService, caller: Caller | None, status: int, code: str
) -> None:
    for response in (
        await stock.post("/v1/stock/CUP/receipts", {"quantity": 1}, caller=caller),
        await stock.post("/v1/stock/CUP/adjustments", {"quantity": 1, "reason": "found"}, caller=caller),
        await stock.get("/v1/stock/CUP", caller=caller),
        await stock.get("/v1/stock/CUP/movements", caller=caller),
        await stock.get("/v1/stock/CUP/reservations", caller=caller),
    ):
        assert (response.status_code, response.json()["code"]) == (status, code)
    assert await stock.rows("select on_hand from skus") == [(5,)]
