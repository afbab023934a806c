"""Shipping's routes: what each does, refuses, cannot read, and does not let everybody do."""

from typing import Any

import httpx
import pytest

from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.order_requests import ReturnRequested, ShipmentRequested
from sagamart.contracts.orders import Address, Delivery, Line, ReturnedLine
from sagamart.platform.http import Caller
from sagamart.shop.shipping.api import ROUTES
from sagamart.shop.shipping.service import SHIPPING
from shop_fixtures import TOKENS, RunningService, Started

PACKER = Caller("usr_packer", frozenset({"SHIPPING_OPERATOR"}))
ADMIN = Caller("usr_admin", frozenset({"ADMIN"}))
OPERATOR = Caller("usr_operator", frozenset({"OPERATOR"}))
ANNA = Caller("cus_1", frozenset({"CUSTOMER"}))
BORIS = Caller("cus_2", frozenset({"CUSTOMER"}))
COURIER = {
    "method": "courier",
    "title_en": "Courier",
    "title_ru": "Курьер",
    "price_minor": 30_000,
    "per_kg_minor": 1_000,
    "currency": "RUB",
    "countries": ["RU"],
    "parcel_max": {"weight_g": 1_000, "side_mm": 600, "volume_cm3": 30_000},
}
PICKUP = {
    "method": "pickup",
    "title_en": "Pick up",
    "title_ru": "Самовывоз",
    "price_minor": 0,
    "currency": "RUB",
    "needs_shipment": False,
    "needs_address": False,
}
BY_POST = {"carrier": "Post", "tracking": "RA1RU"}
DELIVERY = Delivery("courier", 30_000, needs_shipment=True, address=Address("Анна", "RU", "Москва", "Тверская, 1"))
CUPS = Line("CUP", "Blue cup", 3, 45_000)


def requested(order_id: str, customer_id: str) -> ShipmentRequested:
    return ShipmentRequested(order_id, 6, "paid", customer_id, 1, (CUPS,), 165_000, "RUB", DELIVERY)


@pytest.fixture
async def shipping(started: Started) -> RunningService:
    """Two methods; a shipment of Anna's and one of Boris's, two parcels each."""
    service = await started(SHIPPING, ROUTES)
    for method in (COURIER, PICKUP):
        await service.post("/v1/delivery-methods", method, caller=PACKER, key=None)
    await service.hears(ProductChanged("CUP", 1, "Blue cup", 45_000, "RUB", active=True, weight_g=400))
    await service.hears(requested("ord_1", ANNA.id), requested("ord_2", BORIS.id))
    return service


async def put(service: RunningService, path: str, body: Any, caller: Caller | None, **headers: str) -> httpx.Response:
    token = {} if caller is None else {"Authorization": f"Bearer {TOKENS.sign(caller)}"}
    return await service.http.put(path, json=body, headers={**token, **headers})


async def test_anybody_sees_what_delivery_costs_the_cheapest_first(shipping: RunningService) -> None:
    response = await shipping.get(
        "/v1/delivery-methods?line=CUP:3&country=RU", caller=ANNA, **{"Accept-Language": "ru"}
    )

    pickup, courier = response.json()["items"]
    assert response.status_code == 200
    assert pickup == {
        "method": "pickup",
        "title": "Самовывоз",
        "price_minor": 0,
        "currency": "RUB",
        "needs_address": False,
        "parcels": 0,
        "available": True,
        "reason": None,
        "version": 1,
    }
    assert (courier["title"], courier["price_minor"], courier["parcels"]) == ("Курьер", 30_000 + 2 * 1_000, 2)


async def test_without_lines_the_price_to_begin_with_is_shown(shipping: RunningService) -> None:
    response = await shipping.get("/v1/delivery-methods")

    assert [(one["title"], one["price_minor"]) for one in response.json()["items"]] == [
        ("Pick up", 0),
        ("Courier", 30_000),
    ]


@pytest.mark.parametrize(
    ("query", "reason"), [("line=CUP:41", "too_heavy"), ("line=CUP&country=GB", "address_not_served")]
)
async def test_a_method_that_cannot_deliver_says_why(shipping: RunningService, query: str, reason: str) -> None:
    _, courier = (await shipping.get(f"/v1/delivery-methods?{query}")).json()["items"]

    assert (courier["available"], courier["reason"]) == (False, reason)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("line=CUP:0", "line"),
        ("line=CUP:x", "line"),
        ("line=CUP:", "line"),
        ("line=CUP:1000001", "line"),
        ("line=a%20cup:1", "line"),
        ("country=Russia", "country"),
        ("&".join(["line=CUP"] * 201), "line"),
    ],
)
async def test_a_malformed_wish_is_told_which_field_is_wrong(shipping: RunningService, query: str, field: str) -> None:
    response = await shipping.get(f"/v1/delivery-methods?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert [one["field"] for one in response.json()["fields"]] == [field]


async def test_staff_change_a_method_under_the_version_they_have_seen(shipping: RunningService) -> None:
    seen = await shipping.get("/v1/delivery-methods/courier", caller=PACKER)
    terms = {key: value for key, value in COURIER.items() if key != "method"} | {"active": False}

    changed = await put(shipping, "/v1/delivery-methods/courier", terms, PACKER, **{"If-Match": seen.headers["etag"]})
    stale = await put(
        shipping,
        "/v1/delivery-methods/courier",
        {**terms, "price_minor": 1},
        PACKER,
        **{"If-Match": seen.headers["etag"]},
    )
    blind = await put(shipping, "/v1/delivery-methods/courier", terms, PACKER)

    assert (changed.status_code, changed.json()["version"], changed.json()["active"]) == (200, 2, False)
    assert (stale.status_code, stale.json()["code"]) == (412, "version_changed")
    assert blind.status_code == 428
    offered = (await shipping.get("/v1/delivery-methods")).json()["items"]
    assert [one["method"] for one in offered] == ["pickup"]


async def test_a_name_means_one_method(shipping: RunningService) -> None:
    response = await shipping.post("/v1/delivery-methods", COURIER, caller=PACKER, key="again")

    assert (response.status_code, response.json()["code"]) == (409, "method_taken")


async def test_a_method_that_does_not_exist_is_not_found(shipping: RunningService) -> None:
    terms = {key: value for key, value in PICKUP.items() if key != "method"}

    read = await shipping.get("/v1/delivery-methods/pigeon", caller=PACKER)
    changed = await put(shipping, "/v1/delivery-methods/pigeon", terms, PACKER, **{"If-Match": '"1"'})

    assert (read.status_code, read.json()["code"]) == (404, "not_found")
    assert (changed.status_code, changed.json()["code"]) == (404, "unknown_method")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"price_minor": -1}, "price_minor"),
        ({"currency": "rub"}, "currency"),
        ({"countries": ["Russia"]}, "countries[0]"),
        ({"parcel_max": {"weight_g": 0}}, "parcel_max.weight_g"),
        ({"method": "A courier"}, "method"),
        ({"title_en": ""}, "title_en"),
        ({"version": 7}, "version"),
    ],
)
async def test_a_malformed_method_is_told_which_field_is_wrong(
    shipping: RunningService, change: Any, field: str
) -> None:
    response = await shipping.post("/v1/delivery-methods", {**COURIER, **change}, caller=PACKER, key="new")

    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert [one["field"] for one in response.json()["fields"]] == [field]


async def test_customers_see_their_own_shipments_with_the_tracking_number(shipping: RunningService) -> None:
    await shipping.post("/v1/shipments/shp_1/hand-over", BY_POST, caller=PACKER)

    listed = await shipping.get("/v1/shipments", caller=ANNA)
    shown = await shipping.get("/v1/shipments/shp_1", caller=ANNA, **{"Accept-Language": "ru"})

    order_id = listed.json()["items"][0]["order_id"]
    of_order = await shipping.get(f"/v1/shipments?order={order_id}", caller=ANNA)
    of_another = await shipping.get("/v1/shipments?order=ord_none", caller=ANNA)

    assert [one["id"] for one in listed.json()["items"]] == ["shp_1"]
    assert [one["id"] for one in of_order.json()["items"]] == ["shp_1"]
    assert of_another.json()["items"] == []
    assert (shown.status_code, shown.headers["etag"]) == (200, '"2"')
    answer = shown.json()
    assert (answer["status"], answer["state"]) == ("handed_over", "В пути")
    assert (answer["carrier"], answer["tracking"], answer["returns"]) == ("Post", "RA1RU", [])
    assert [one["weight_g"] for one in answer["parcels"]] == [800, 400]


async def test_a_strangers_shipment_looks_like_none(shipping: RunningService) -> None:
    for shipment_id in ("shp_2", "shp_none"):
        response = await shipping.get(f"/v1/shipments/{shipment_id}", caller=ANNA)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_staff_see_all_shipments_page_by_page_and_by_status(shipping: RunningService) -> None:
    await shipping.post("/v1/shipments/shp_1/hand-over", BY_POST, caller=PACKER)

    first = (await shipping.get("/v1/shipments?limit=1", caller=PACKER)).json()
    second = (await shipping.get(f"/v1/shipments?limit=1&cursor={first['next_cursor']}", caller=OPERATOR)).json()
    pending = (await shipping.get("/v1/shipments?status=pending", caller=ADMIN)).json()

    assert [one["id"] for page in (first, second) for one in page["items"]] == ["shp_2", "shp_1"]
    assert second["next_cursor"] is None
    assert [one["id"] for one in pending["items"]] == ["shp_2"]


async def test_a_hand_over_repeated_under_its_key_happens_once_and_under_another_is_refused(
    shipping: RunningService,
) -> None:
    first = await shipping.post("/v1/shipments/shp_1/hand-over", BY_POST, caller=PACKER, key="a")
    again = await shipping.post("/v1/shipments/shp_1/hand-over", BY_POST, caller=PACKER, key="a")
    other = await shipping.post("/v1/shipments/shp_1/hand-over", BY_POST, caller=PACKER, key="b")

    assert first.status_code == 200
    assert again.content == first.content
    assert (other.status_code, other.json()["code"]) == (409, "not_pending")
    assert other.json()["shipment_status"] == "handed_over"
    assert await shipping.rows("select count(*) from hand_overs") == [(2,)]


async def test_what_was_announced_is_taken_in_and_shown_to_its_customer(shipping: RunningService) -> None:
    back = (ReturnedLine(0, 1),)
    await shipping.post("/v1/shipments/shp_1/hand-over", BY_POST, caller=PACKER)
    await shipping.post("/v1/shipments/shp_1/delivery", None, caller=ADMIN)
    await shipping.hears(ReturnRequested("ord_1", 8, "completed", ANNA.id, 1, (CUPS,), 1, "RUB", "ret_1", back))

    answer = await shipping.post("/v1/shipments/shp_1/returns/ret_1/receipt", None, caller=PACKER)

    assert (answer.status_code, answer.json()["pieces_back"]) == (200, 1)
    shown = (await shipping.get("/v1/shipments/shp_1", caller=ANNA)).json()
    assert shown["returns"] == [{"id": "ret_1", "status": "received", "returned": [{"line": 0, "quantity": 1}]}]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("shp_none/hand-over", BY_POST, 404, "unknown_shipment"),
        ("shp_none/delivery", None, 404, "unknown_shipment"),
        ("shp_1/delivery", None, 409, "not_handed_over"),
        ("shp_none/returns/ret_1/receipt", None, 404, "unknown_shipment"),
        ("shp_1/returns/ret_1/receipt", None, 404, "unknown_return"),
        ("shp_1/hand-over", {"carrier": "Post"}, 400, "malformed"),
        ("shp_1/hand-over", {**BY_POST, "tracking": "a b"}, 400, "malformed"),
        ("shp_1/hand-over", {**BY_POST, "carrier": ""}, 400, "malformed"),
        ("shp_1/hand-over", {**BY_POST, "status": "delivered"}, 400, "malformed"),
    ],
)
async def test_what_staff_cannot_do_is_refused_by_name(
    shipping: RunningService, path: str, body: Any, status: int, code: str
) -> None:
    response = await shipping.post(f"/v1/shipments/{path}", body, caller=PACKER)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert await shipping.rows("select distinct status from shipments") == [("pending",)]


@pytest.mark.parametrize("path", ["hand-over", "delivery", "returns/ret_1/receipt"])
async def test_parcels_move_only_under_an_idempotency_key(shipping: RunningService, path: str) -> None:
    body = BY_POST if path == "hand-over" else None

    response = await shipping.post(f"/v1/shipments/shp_1/{path}", body, caller=PACKER, key=None)

    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize(
    ("caller", "status", "code"),
    [(None, 401, "unauthenticated"), (ANNA, 403, "forbidden"), (OPERATOR, 403, "forbidden")],
    ids=["nobody", "customer", "operator"],
)
async def test_only_the_shipping_staff_move_parcels_and_change_methods(
    shipping: RunningService, caller: Caller | None, status: int, code: str
) -> None:
    for response in (
        await shipping.post("/v1/shipments/shp_1/hand-over", BY_POST, caller=caller),
        await shipping.post("/v1/shipments/shp_1/delivery", None, caller=caller),
        await shipping.post("/v1/shipments/shp_1/returns/ret_1/receipt", None, caller=caller),
        await shipping.post("/v1/delivery-methods", COURIER, caller=caller),
        await put(shipping, "/v1/delivery-methods/pickup", PICKUP, caller, **{"If-Match": '"1"'}),
        await shipping.get("/v1/delivery-methods/pickup", caller=caller),
    ):
        assert (response.status_code, response.json()["code"]) == (status, code)


async def test_nobody_sees_shipments_without_logging_in(shipping: RunningService) -> None:
    for path in ("/v1/shipments", "/v1/shipments/shp_1"):
        assert (await shipping.get(path)).status_code == 401
