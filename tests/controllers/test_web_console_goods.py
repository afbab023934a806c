"""The console's stock, catalogue, promotions, shipments and bank: what each form asks of the API."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from console_examples import page_of
from sagamart.shop.catalogue.sheets import IMPORT_BYTES_MAX
from web_examples import ORDER
from web_shop import WebShop, open_pages


@pytest.fixture
def shop() -> Iterator[WebShop]:
    """The pages, for an administrator who is logged in."""
    with open_pages() as opened:
        opened.log_in()
        opened.browser.cookies.set("roles", "ADMIN")
        yield opened


def test_pieces_are_corrected_downwards_with_a_reason(shop: WebShop) -> None:
    shop.answers["POST /v1/stock/MUG/adjustments"] = {}
    shop.answers["POST /v1/stock/MUG/receipts"] = {}

    shop.send("/console/stock/MUG/adjustments", quantity="3", way="fewer", why="broken", force="1")
    shop.send("/console/stock/MUG/receipts", quantity="5")

    assert shop.api.body("POST /v1/stock/MUG/adjustments") == {"quantity": -3, "reason": "broken", "force": True}
    assert shop.api.body("POST /v1/stock/MUG/receipts") == {"quantity": 5}


LEVEL = {"sku": "MUG", "on_hand": 7, "reserved": 2, "available": 5, "missing": 0}


def test_pieces_of_what_is_off_the_shelf_are_counted_too(shop: WebShop) -> None:
    shop.answers |= {"GET /v1/products": page_of({"sku": "MUG", "title": "Mug"}), "GET /v1/stock/MUG": LEVEL}

    text = shop.look("/console/stock?active=false&q=mug").text

    assert dict(shop.api.last("GET /v1/products").url.params) == {"q": "mug", "active": "false", "limit": "20"}
    assert 'name="back" value="/console/stock?q=mug&amp;active=false&amp;cursor="' in text
    assert 'href="/console/stock/MUG"' in text


def test_a_skus_page_says_what_came_and_went_and_who_holds_what(shop: WebShop) -> None:
    moved = {"id": "1", "kind": "received", "quantity": 9, "reference": "cus_olga", "at": "2026-11-21T10:00:00Z"}
    sold = {**moved, "id": "2", "kind": "committed", "quantity": -2, "reference": "ord_1/1"}
    held = {"id": "ord_2/2", "order_id": "ord_2", "attempt": 2, "status": "booked", "quantity": 2}
    shop.answers |= {
        "GET /v1/stock/MUG": LEVEL,
        "GET /v1/stock/MUG/movements": page_of(moved, sold),
        "GET /v1/stock/MUG/reservations": {"items": [held], "next_cursor": "more"},
    }

    text = shop.look("/console/stock/MUG").text

    assert ("taken in" in text, "+9" in text, "-2" in text) == (True, True, True)
    assert 'href="/console/orders/ord_1"' in text
    assert 'href="/console/orders/ord_2"' in text
    assert "attempt 2" in text
    assert 'href="/console/stock/MUG?reservations=more#reservations"' in text


def test_a_stock_that_keeps_its_journal_to_itself_still_tells_the_level(shop: WebShop) -> None:
    shop.answers["GET /v1/stock/MUG"] = LEVEL

    assert "does not tell this" in shop.look("/console/stock/MUG").text
    assert shop.look("/console/stock/NOTHING").status_code == 404


def test_a_product_is_changed_with_the_price_as_it_is_typed(shop: WebShop) -> None:
    shop.answers["PATCH /v1/products/MUG"] = {}
    fields = {"title": "Mug", "price": "1 234,50", "currency": "rub", "weight_g": "320", "tax_rate_bp": "2000"}

    shop.send("/console/products/MUG", version="4", active="1", **fields)

    assert shop.api.last("PATCH /v1/products/MUG").headers["if-match"] == '"4"'
    body = shop.api.body("PATCH /v1/products/MUG")
    assert (body["price_minor"], body["currency"], body["active"]) == (123_450, "RUB", True)


def test_a_file_of_products_is_taken_and_its_refused_rows_are_named(shop: WebShop) -> None:
    row = {"line": 3, "sku": "MUG", "code": "sku_repeated", "reason": "line 2 has this sku already"}
    report = {"rows": 2, "created": 1, "changed": 0, "unchanged": 0, "refused_count": 1, "refused": [row]}
    shop.answers["POST /v1/products/import"] = report

    answer = _upload(shop, "/console/products/import", "products.csv", b"sku,title\nMUG,Mug\n", "text/csv")

    assert shop.api.last("POST /v1/products/import").content == b"sku,title\nMUG,Mug\n"
    assert shop.api.last("POST /v1/products/import").headers["content-type"] == "text/csv"
    assert "line 2 has this sku already" in answer.text


def test_a_file_of_products_may_be_as_large_as_the_api_takes_and_a_photo_may_not(shop: WebShop) -> None:
    report = {"rows": 0, "created": 0, "changed": 0, "unchanged": 0, "refused_count": 0, "refused": []}
    shop.answers["POST /v1/products/import"] = report
    large = b"x" * IMPORT_BYTES_MAX

    taken = _upload(shop, "/console/products/import", "products.csv", large, "text/csv")
    refused = _upload(shop, "/console/products/MUG/photo", "mug.png", large, "image/png", version="4")

    assert (taken.status_code, refused.status_code) == (200, 413)
    assert len(shop.api.last("POST /v1/products/import").content) == IMPORT_BYTES_MAX


def test_a_photo_is_handed_on_as_it_is(shop: WebShop) -> None:
    shop.answers["PUT /v1/products/MUG/photo"] = {}

    answer = _upload(shop, "/console/products/MUG/photo", "mug.png", b"\x89PNG", "image/png", version="4")

    sent = shop.api.last("PUT /v1/products/MUG/photo")
    assert (sent.content, sent.headers["content-type"], sent.headers["if-match"]) == (b"\x89PNG", "image/png", '"4"')
    assert answer.headers["location"] == "/console/products/MUG"


def _upload(shop: WebShop, path: str, name: str, content: bytes, kind: str, **fields: str) -> httpx.Response:
    shop.look("/login")
    token = shop.browser.cookies["csrf"]
    return shop.browser.post(
        path,
        data={"csrf": token, "key": "key-1", **fields},
        files={"file": (name, content, kind)},
        follow_redirects=False,
    )


def test_a_code_takes_off_a_share_or_an_amount(shop: WebShop) -> None:
    shop.answers["POST /v1/promo-codes"] = {}

    shop.send("/console/promotions", code="spring", percent="15", currency="RUB")
    share = shop.api.body("POST /v1/promo-codes")
    shop.send("/console/promotions", code="SPRING-2", amount="100", currency="RUB", valid_until="2026-12-01")
    amount = shop.api.body("POST /v1/promo-codes")

    assert (share["code"], share["percent_bp"]) == ("SPRING", 1500)
    assert (amount["amount_minor"], amount["valid_until"]) == (10_000, "2026-12-01T23:59:59Z")


def test_a_shipment_is_handed_over_and_delivered(shop: WebShop) -> None:
    shop.answers |= {"POST /v1/shipments/shp_1/hand-over": {}, "POST /v1/shipments/shp_1/delivery": {}}

    shop.send("/console/shipments/shp_1/hand-over", carrier="Post", tracking="RA1")
    shop.send("/console/shipments/shp_1/delivery", key="key-2")

    assert shop.api.body("POST /v1/shipments/shp_1/hand-over") == {"carrier": "Post", "tracking": "RA1"}
    assert shop.api.last("POST /v1/shipments/shp_1/delivery").headers["idempotency-key"] == "key-2"


SHIPPED: dict[str, Any] = {
    "id": "shp_1",
    "order_id": "ord_1",
    "method": "courier",
    "status": "handed_over",
    "state": "On its way",
    "carrier": "Post",
    "tracking": "RA1",
    "address": None,
    "parcels": [{}],
    "changed_at": "2026-11-21T10:00:00Z",
    "returns": [],
}


def test_a_parcel_that_reached_nobody_is_announced_to_come_back(shop: WebShop) -> None:
    shop.answers |= {
        "GET /v1/shipments/shp_1": SHIPPED,
        "GET /v1/orders/ord_1": ORDER,
        "POST /v1/orders/ord_1/returns": ORDER,
    }

    page = shop.look("/console/shipments/shp_1").text
    shop.send("/console/shipments/shp_1/undelivered", order="ord_1", line="0", pieces="2", key="key-1")
    nothing = shop.send("/console/shipments/shp_1/undelivered", order="ord_1", line="0", pieces="0", key="key-2")

    assert 'action="/console/shipments/shp_1/undelivered"' in page
    assert shop.api.body("POST /v1/orders/ord_1/returns") == {"lines": [{"line": 0, "quantity": 2}]}
    assert nothing.headers["location"] == "/console/shipments/shp_1"


def test_who_may_not_announce_what_comes_back_is_told_who_does(shop: WebShop) -> None:
    shop.browser.cookies.set("roles", "SHIPPING_OPERATOR")
    shop.answers["GET /v1/shipments/shp_1"] = SHIPPED

    assert "An operator announces what comes back undelivered." in shop.look("/console/shipments/shp_1").text


@pytest.mark.parametrize("path", ["/console/demo", "/console/bank"])
def test_a_shop_that_is_no_demonstration_says_so(shop: WebShop, path: str) -> None:
    shop.answers["GET /v1/operations/orders/pace"] = {
        "now": "2026-11-21T20:18:00Z",
        "seconds": 60,
        "statuses": {},
        "placed": [],
    }

    answer = shop.look(path)

    assert answer.status_code == 404
    assert "Only in a demonstration" in answer.text


def test_the_bank_is_switched_for_a_reason(shop: WebShop) -> None:
    shop.answers["GET /v1/operations/bank/misbehaviour"] = {
        "switches": {"down": "never", "refuses": "once"},
        "fired": {"down": 2},
    }
    shop.answers["PUT /v1/operations/bank/misbehaviour"] = {}
    assert "2 times" in shop.look("/console/bank").text

    answer = shop.send(
        "/console/bank", down="always", refuses="never", not_there="once", why="to see", back="/console/bank"
    )

    asked = "PUT /v1/operations/bank/misbehaviour"
    assert shop.api.body(asked) == {"switches": {"down": "always", "refuses": "never"}, "why": "to see"}
    assert answer.headers["location"] == "/console/bank"


def test_the_banks_switches_are_nobodys_where_the_shop_is_no_demonstration(shop: WebShop) -> None:
    assert shop.send("/console/bank", down="always").status_code == 404
