"""What the front door lets in, what it refuses, and in which words."""

import json
from typing import Any

import msgspec
import pytest
from litestar import post

from http_shop import ADMIN, ANNA, BUY_APPLES, STAFF, TOKENS, Shop, UnpaidOrderExists, as_caller, open_shop
from sagamart.messaging.requests import Contended, Overloaded
from sagamart.platform.http import Mounted, RequestBody, build_app
from sagamart.platform.http.bodies import loose_fields, unbounded_fields
from sagamart.platform.http.languages import language_of


def order(shop: Shop, content: bytes | None = None, **headers: str) -> Any:
    """Anna sends an order."""
    sent = {"Idempotency-Key": "k-1", "Content-Type": "application/json", **as_caller(ANNA, **headers)}
    with open_shop(shop) as client:
        return client.post("/v1/orders", content=content or json.dumps(BUY_APPLES).encode(), headers=sent)


def test_an_order_becomes_a_message_and_its_reply_the_response() -> None:
    shop = Shop()
    answer = order(shop)
    message, wish = shop.asked[0]
    assert (answer.status_code, answer.headers["location"]) == (202, "/v1/orders/ord_1")
    assert answer.json() == {"order_id": "ord_1", "version": 1, "language": "en"}
    assert message.body.order_id == f"ord_{message.id}"
    assert (message.type, message.key, message.correlation) == ("PlaceOrder", message.body.order_id, message.id)
    assert (message.body.customer_id, message.node) == ("cus_anna", "node-1")
    assert wish.key == "cus_anna POST /v1/orders k-1"


def test_the_same_wish_has_the_same_fingerprint_however_it_is_written() -> None:
    shop = Shop()
    order(shop, b'{"lines":[{"sku":"apple","quantity":2}]}')
    order(shop, b'{ "lines": [ {"quantity": 2, "sku": "apple"} ] }')
    order(shop, b'{"lines":[{"sku":"apple","quantity":3}]}')
    first, again, other = (wish.fingerprint for _, wish in shop.asked)
    assert first == again
    assert first != other


def test_a_refusal_is_a_problem_named_after_its_rule() -> None:
    shop = Shop()
    shop.answer = UnpaidOrderExists("ord_7")
    answer = order(shop)
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert (answer.json()["code"], answer.json()["order_id"]) == ("unpaid_order_exists", "ord_7")


@pytest.mark.parametrize(("why", "code"), [(Overloaded(), "overloaded"), (Contended(), "contended")], ids=str)
def test_a_service_that_cannot_take_a_request_now_says_when_to_come_back(why: Overloaded, code: str) -> None:
    shop = Shop()
    shop.answer = why
    answer = order(shop)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, code, "1")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b'{"lines":[{"sku":"apple","quantity":2}],"role":"ADMIN"}', "role"),
        (b'{"lines":[{"sku":"apple","quantity":2,"price_minor":1}]}', "lines[0].price_minor"),
        (b'{"lines":[{"sku":"apple","quantity":"2"}]}', "lines[0].quantity"),
        (b'{"lines":[{"sku":"apple","quantity":9999999999999999999999}]}', "lines[0].quantity"),
        (b'{"lines":[{"sku":"apple"}]}', "lines[0].quantity"),
        (b'{"lines":[]}', "lines"),
        (b'{"lines":[{"sku":"ap\\u0000ple","quantity":2}]}', "body"),
        (b'{"lines":[', "body"),
        (b"[" * 100_000, "body"),
        (b'{"lines":\xff}', "body"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_field_named(content: bytes, field: str) -> None:
    shop = Shop()
    answer = order(shop, content)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert answer.json()["fields"][0]["field"] == field
    assert shop.asked == []


def test_a_body_of_more_than_a_mebibyte_is_refused() -> None:
    answer = order(Shop(), b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_only_json_is_taken() -> None:
    answer = order(Shop(), b"lines=apple", Content_Type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("key", ["", "with space", "k" * 201])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    answer = order(Shop(), Idempotency_Key=key)
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (400, "Idempotency-Key")


def test_an_order_needs_an_idempotency_key() -> None:
    with open_shop() as client:
        answer = client.post("/v1/orders", json=BUY_APPLES, headers=as_caller(ANNA))
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


def test_who_is_not_logged_in_learns_nothing_about_the_body() -> None:
    with open_shop() as client:
        answer = client.post("/v1/orders", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("sent", ["Bearer forged", "Bearer", "Basic YTpi"])
def test_what_is_no_token_of_ours_is_refused(sent: str) -> None:
    with open_shop() as client:
        answer = client.get("/v1/orders/ord_1", headers={"Authorization": sent})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_only_staff_sees_the_stock() -> None:
    with open_shop() as client:
        seen = [client.get("/v1/stock", headers=as_caller(caller)).status_code for caller in (ANNA, STAFF, ADMIN)]
        assert client.get("/v1/stock").status_code == 401
    assert seen == [403, 200, 200]


def test_an_error_of_ours_shows_nothing_of_the_inside() -> None:
    with open_shop() as client:
        answer = client.get("/v1/orders/ord_broken", headers=as_caller(ANNA))
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "urn:sagamart:internal_error",
        "title": "Something went wrong on our side",
        "status": 500,
        "code": "internal_error",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/orders/ord_2", 404, "not_found"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("DELETE", "/v1/orders", 405, "method_not_allowed"),
        ("GET", "/v1/products?limit=201", 400, "malformed"),
        ("GET", "/v1/products?limit=0", 400, "malformed"),
        ("GET", "/v1/products?cursor=!", 400, "malformed"),
        ("GET", "/v1/products?cursor=ImFwcGxlIg", 400, "malformed"),
        ("GET", "/v1/orders/a%00b", 400, "malformed"),
        ("GET", "/v1/products?cursor=%00", 400, "malformed"),
        ("GET", "/v1/orders/" + "a" * 1001, 414, "too_long"),
    ],
)
def test_every_refusal_is_a_problem_with_a_stable_code(method: str, path: str, status: int, code: str) -> None:
    with open_shop() as client:
        answer = client.request(method, path, headers=as_caller(ANNA))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_pages_follow_one_another_to_the_end() -> None:
    with open_shop() as client:
        seen, cursor = [], ""
        while True:
            page = client.get(f"/v1/products?limit=2{cursor}").json()
            seen.append([item["order_id"] for item in page["items"]])
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
    assert seen == [["1", "2"], ["3", "4"], ["5"]]


def test_a_version_is_an_etag_and_what_the_client_has_is_not_sent_again() -> None:
    with open_shop() as client:
        first = client.get("/v1/orders/ord_1", headers=as_caller(ANNA))
        again = client.get("/v1/orders/ord_1", headers=as_caller(ANNA, If_None_Match='W/"7"'))
    assert (first.status_code, first.headers["etag"]) == (200, '"7"')
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(("sent", "status"), [(None, 428), ('"7"', 200), ("7", 400), ("*", 400)])
def test_a_change_names_the_version_that_it_is_about(sent: str | None, status: int) -> None:
    headers = as_caller(ANNA) if sent is None else as_caller(ANNA, If_Match=sent)
    with open_shop() as client:
        answer = client.put("/v1/orders/ord_1", json=BUY_APPLES, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("ru", "ru"), ("de, ru;q=0.5", "ru"), ("ru;q=0.2, en-GB", "en"), ("ru;q=0, *", "en"), ("x;q=y", "en")],
)
def test_people_are_answered_in_their_language(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


def test_every_answer_carries_the_security_headers() -> None:
    with open_shop() as client:
        for path in ("/v1/products", "/v1/nothing", "/healthz"):
            headers = client.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "same-origin"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert headers["cache-control"] == "no-store"


class Loose(msgspec.Struct):
    note: Any


class Tree(RequestBody, frozen=True):
    branches: "list[Tree]"


def test_a_route_that_would_take_anything_does_not_start() -> None:
    @post("/v1/loose")
    async def take(data: Loose) -> None: ...

    with pytest.raises(TypeError, match=r"orders: /v1/loose: .*Loose ignores unknown fields.*note may be anything"):
        build_app([Mounted("orders", [take], Shop().ask, None)], tokens=TOKENS)
    assert list(loose_fields(Tree)) == ["$.branches[] nests Tree in itself without end"]
    assert list(unbounded_fields(Tree)) == ["$.branches has no greatest length"]
