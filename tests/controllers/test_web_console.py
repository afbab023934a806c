"""The operator's console over an API that a test plays: who sees what, what each act asks of the API, what it says."""

from collections.abc import Iterator
from pathlib import Path
from re import findall
from typing import Any

import pytest

from console_examples import LETTER, NOTHING, ORDER, ORDER_ID, WHY, fill_console
from sagamart.web.console.entrance import SECTIONS
from web_shop import WebShop, open_pages


@pytest.fixture
def shop() -> Iterator[WebShop]:
    """The pages, for an operator who is logged in."""
    with open_pages() as opened:
        fill_console(opened)
        yield opened


@pytest.mark.parametrize(
    ("roles", "seen", "not_seen"),
    [
        ("OPERATOR", {"orders", "trouble", "board", "shipments", "people"}, {"stock", "demo", "bank"}),
        ("STOCK_OPERATOR", {"stock"}, {"orders", "trouble", "shipments", "people"}),
        ("SHIPPING_OPERATOR", {"shipments"}, {"orders", "stock", "trouble"}),
        ("ADMIN", {"orders", "stock", "shipments", "people"}, {"demo", "bank"}),
    ],
)
def test_the_console_shows_the_sections_of_ones_roles(
    shop: WebShop, roles: str, seen: set[str], not_seen: set[str]
) -> None:
    shop.browser.cookies.set("roles", roles)

    text = shop.look("/console/orders").text

    assert all(f'href="/console/{one}"' in text for one in seen)
    assert not any(f'href="/console/{one}"' in text for one in not_seen)


def test_the_guide_names_every_section_and_whose_it_is() -> None:
    guide = (Path(__file__).parents[2] / "docs/how-to/use-the-console.md").read_text()
    told = {path: set(who.split(", ")) for path, who in findall(r"\| `(/console/\w+)` \| ([A-Z_, ]+) \|", guide)}

    assert told == {one.path: set(one.roles) for one in SECTIONS}


def test_a_demonstration_and_a_simulated_bank_have_sections_where_they_are() -> None:
    with open_pages() as beside:
        fill_console(beside)
        beside.answers["GET /v1/operations/demo"] = {"traffic": False}
        beside.answers["GET /v1/operations/bank/misbehaviour"] = {"switches": {}, "fired": {}}
        beside.look("/console")
        there = beside.look("/console/orders").text
        del beside.answers["GET /v1/operations/demo"]
        beside.answers["GET /v1/operations/bank/misbehaviour"] = (503, "bank_silent")
        beside.look("/console")
        gone = beside.look("/console/orders").text

    assert all(f'href="/console/{one}"' in there for one in ("demo", "bank"))
    assert 'href="/console/demo"' not in gone
    assert 'href="/console/bank"' in gone


def test_the_console_begins_with_the_first_section_of_ones_own(shop: WebShop) -> None:
    assert shop.look("/console").headers["location"] == "/console/board"

    shop.browser.cookies.set("roles", "SHIPPING_OPERATOR")

    assert shop.look("/console").headers["location"] == "/console/shipments"


def test_a_customer_finds_no_console(shop: WebShop) -> None:
    shop.browser.cookies.set("roles", "CUSTOMER")

    assert shop.look("/console").status_code == 403


def test_a_stranger_is_asked_to_log_in() -> None:
    with open_pages() as shop:
        assert shop.look("/console").headers["location"].startswith("/login")


def test_roles_in_a_cookie_open_nothing_that_the_api_refuses(shop: WebShop) -> None:
    shop.browser.cookies.set("roles", "ADMIN")
    shop.answers["GET /v1/operations/dead-letters"] = (403, "forbidden")

    answer = shop.look("/console/trouble")

    assert answer.status_code == 403
    assert "the shelf has fallen over" not in answer.text


BY_PICKUP = {"method": "pickup", "price_minor": 0, "needs_shipment": False}
ABROAD = {"recipient": "Ann Lee", "country": "IE", "city": "Cork", "street": "Reed Lane 1"}


@pytest.mark.parametrize(
    ("delivery", "told"),
    [(BY_PICKUP, "pickup"), ({**BY_PICKUP, "method": "courier", "address": ABROAD}, "Ann Lee, Reed Lane 1, Cork, IE")],
)
def test_an_order_is_shown_however_little_its_delivery_says(shop: WebShop, delivery: dict[str, Any], told: str) -> None:
    shop.answers[f"GET /v1/orders/{ORDER_ID}"] = {**ORDER, "delivery": delivery}

    answer = shop.look(f"/console/orders/{ORDER_ID}")

    assert (answer.status_code, told in answer.text) == (200, True)


def test_orders_are_looked_for_by_all_that_one_knows(shop: WebShop) -> None:
    query = "q=mug&customer=cus_anna&status=booked&placed_from=2026-11-01&placed_to=2026-11-21"

    answer = shop.look(f"/console/orders?{query}")

    asked = dict(shop.api.last("GET /v1/orders").url.params)
    assert asked == {
        "q": "mug",
        "customer": "cus_anna",
        "status": "booked",
        "placed_from": "2026-11-01",
        "placed_to": "2026-11-21",
        "limit": "25",
    }
    assert "cursor=more" in answer.text
    assert "A &lt;b&gt;mug&lt;/b&gt;" in answer.text


def test_a_search_that_the_api_cannot_read_finds_nothing(shop: WebShop) -> None:
    shop.answers["GET /v1/orders"] = (400, "malformed")

    assert "No such orders" in shop.look("/console/orders?placed_from=never").text


def test_an_order_is_moved_by_the_word_of_staff_at_the_version_they_saw(shop: WebShop) -> None:
    shop.answers[f"GET /v1/orders/{ORDER_ID}"] = {**ORDER, "status": "shipping_pending"}
    shop.answers[f"PUT /v1/orders/{ORDER_ID}/status"] = ORDER
    assert '<option value="completed">completed</option>' in shop.look(f"/console/orders/{ORDER_ID}").text

    answer = shop.send(
        f"/console/orders/{ORDER_ID}/status", status="completed", why=WHY, version="7", back="/console/orders"
    )

    asked = f"PUT /v1/orders/{ORDER_ID}/status"
    assert shop.api.body(asked) == {"status": "completed", "why": WHY}
    assert shop.api.last(asked).headers["if-match"] == '"7"'
    assert answer.headers["location"] == "/console/orders"
    assert "the order has moved" in shop.look("/console/orders").text


ACTS = [
    (f"/console/orders/{ORDER_ID}/cancellation", f"/v1/operations/orders/{ORDER_ID}/cancellation", {}, {}),
    (f"/console/letters/{LETTER['id']}/release", f"/v1/operations/dead-letters/{LETTER['id']}/release", {}, {}),
    (f"/console/letters/{LETTER['id']}/discard", f"/v1/operations/dead-letters/{LETTER['id']}/discard", {}, {}),
    (f"/console/parked/stock/{ORDER_ID}/release", f"/v1/operations/parked-keys/stock/{ORDER_ID}/release", {}, {}),
    (
        "/console/payments/pay_1-1/resolution",
        "/v1/operations/payments/pay_1-1/resolution",
        {"outcome": "captured", "bank_id": "bnk_7"},
        {"outcome": "captured", "bank_id": "bnk_7"},
    ),
    ("/console/consumers/stock/pause", "/v1/operations/consumers/stock/pause", {}, {}),
    ("/console/consumers/stock/resume", "/v1/operations/consumers/stock/resume", {}, {}),
    ("/console/demo/kills", "/v1/operations/demo/kills/stock", {"service": "stock"}, {}),
]


@pytest.mark.parametrize(("page", "path", "fields", "body"), ACTS)
def test_every_act_hands_its_reason_and_its_key_to_the_api(
    shop: WebShop, page: str, path: str, fields: dict[str, str], body: dict[str, str]
) -> None:
    shop.answers[f"POST {path}"] = {}

    answer = shop.send(page, why=WHY, key="key-1", back="/console/trouble", **fields)

    assert shop.api.body(f"POST {path}") == {"why": WHY, **body}
    assert shop.api.last(f"POST {path}").headers["idempotency-key"] == "key-1"
    assert answer.headers["location"] == "/console/trouble"


@pytest.mark.parametrize(("page", "path", "fields", "_body"), ACTS)
def test_an_act_from_elsewhere_is_refused(
    shop: WebShop, page: str, path: str, fields: dict[str, str], _body: dict[str, str]
) -> None:
    answer = shop.browser.post(page, data={"why": WHY, **fields})

    assert answer.status_code == 403
    assert not [one for one in shop.api.asked if one.url.path == path]


def test_an_act_without_the_right_is_refused(shop: WebShop) -> None:
    shop.answers["POST /v1/operations/demo/kills/stock"] = (403, "forbidden")

    assert shop.send("/console/demo/kills", service="stock", why=WHY).status_code == 403


def test_an_act_that_comes_too_late_says_so_where_it_was_made(shop: WebShop) -> None:
    shop.answers[f"POST /v1/operations/dead-letters/{LETTER['id']}/release"] = (409, "letter_not_dead")

    answer = shop.send(f"/console/letters/{LETTER['id']}/release", why=WHY, back="/console/trouble")

    assert answer.headers["location"] == "/console/trouble"
    assert "Somebody has dealt with this message already" in shop.look("/console/trouble").text


def test_trouble_is_named_with_its_error_and_what_can_be_done(shop: WebShop) -> None:
    text = shop.look("/console/trouble").text

    assert "RuntimeError: the shelf has fallen over" in text
    assert "overdue by 2 min 05 s" in text
    assert "never: its timer is lost" in text
    for act in ("release", "discard"):
        assert f'action="/console/letters/{LETTER["id"]}/{act}"' in text
    assert f'action="/console/orders/{ORDER_ID}/cancellation"' in text
    assert text.count('name="why" required') >= 4


def test_an_orders_page_offers_what_its_state_allows(shop: WebShop) -> None:
    waiting = shop.look(f"/console/orders/{ORDER_ID}").text
    shop.answers[f"GET /v1/orders/{ORDER_ID}"] = {**ORDER, "status": "completed", "payments": []}
    shop.answers["GET /v1/operations/dead-letters"] = NOTHING
    ended = shop.look(f"/console/orders/{ORDER_ID}").text

    assert "stock could not handle BookingRequested" in waiting
    assert dict(shop.api.last("GET /v1/operations/actions").url.params)["subject"] == ORDER_ID
    assert "the courier told us" in waiting
    assert "paid → completed" in waiting
    assert "Settle the payment" in waiting
    assert "Cancel and refund" in waiting
    assert '<option value="completed">completed</option>' not in waiting
    assert "Cancel and refund" not in ended
    assert "nothing is left to do" in ended


def test_a_story_is_drawn_whole_without_scripts(shop: WebShop) -> None:
    text = shop.look(f"/console/orders/{ORDER_ID}/story?open=2").text

    assert text.count('class="row ') == 2
    assert f'href="/console/orders/{ORDER_ID}/story?open=1#message"' in text
    assert "text of StockBooked" in text
    assert "node-a" in text
    assert "&lt;script&gt;" in text
    assert 'hx-trigger="every 1s"' not in text or "seen=2.7" in text


def test_a_story_is_there_as_a_list_too(shop: WebShop) -> None:
    text = shop.look(f"/console/orders/{ORDER_ID}/story?as=list").text

    assert text.count("<details") == 2
    assert "orders → stock" in text
    assert '<svg class="diagram"' not in text


def test_a_story_that_grows_is_sent_again_only_when_there_is_more(shop: WebShop) -> None:
    path, part = f"/console/orders/{ORDER_ID}/story", {"HX-Request": "true"}

    same = shop.look(f"{path}?seen=2.7", **part)
    more = shop.look(f"{path}?seen=1.6", **part)

    assert (same.status_code, same.text) == (204, "")
    assert "<html" not in more.text
    assert more.text.count("fresh") == 1
    assert 'hx-swap-oob="true"' in more.text


def test_a_story_that_has_ended_is_not_asked_for_again(shop: WebShop) -> None:
    shop.answers[f"GET /v1/orders/{ORDER_ID}"] = {**ORDER, "status": "completed"}

    assert "every 1s" not in shop.look(f"/console/orders/{ORDER_ID}/story").text


def test_one_message_is_shown_with_its_cause_and_what_it_says(shop: WebShop) -> None:
    text = shop.look(f"/console/orders/{ORDER_ID}/messages/2").text

    assert "<html" not in text
    assert "text of BookingRequested" in text
    assert "&#34;attempt&#34;: 1" in text
    assert shop.look(f"/console/orders/{ORDER_ID}/messages/9").status_code == 404


def test_the_console_speaks_russian(shop: WebShop) -> None:
    text = shop.look("/console/trouble", **{"Accept-Language": "ru"}).text

    assert "Необработанные сообщения" in text
    assert "опаздывает на 2 мин 05 с" in text
