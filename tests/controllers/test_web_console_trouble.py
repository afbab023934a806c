"""The console's trouble over an API that a test plays: stuck orders with their letters, payments, the board."""

from collections.abc import Iterator
from re import search
from typing import Any

import pytest

from console_examples import LETTER, NOTHING, ORDER_ID, PACE, STUCK, UNKNOWN, WHY, fill_console, page_of
from web_shop import WebShop, open_pages

RECONCILIATION = {
    "running": False,
    "read_until": "2026-11-21T03:00:00Z",
    "at": "2026-11-21T03:00:05Z",
    "entries": 7,
    "differences": 2,
    "mended": 1,
}


@pytest.fixture
def shop() -> Iterator[WebShop]:
    """The pages, for an operator who is logged in."""
    with open_pages() as opened:
        fill_console(opened)
        yield opened


def part(text: str, begin: str, end: str) -> str:
    """What a page says between two words."""
    found = search(f"(?s){begin}.*?{end}", text)
    assert found is not None
    return found[0]


def test_a_stuck_order_says_what_it_died_of_and_can_be_tried_again_there(shop: WebShop) -> None:
    stuck = part(shop.look("/console/trouble").text, STUCK["number"], "</article>")

    assert "RuntimeError: the shelf has fallen over" in stuck
    assert "Retry in stock" in stuck
    assert f'action="/console/letters/{LETTER["id"]}/release"' in stuck
    asked = [one.url.params for one in shop.api.asked if one.url.path == "/v1/operations/dead-letters"]
    assert asked[-1].multi_items() == [("key", ORDER_ID), ("status", "dead"), ("limit", "200")]


def test_a_shop_without_stuck_orders_looks_for_none_of_their_letters(shop: WebShop) -> None:
    shop.answers["GET /v1/operations/orders/stuck"] = NOTHING

    assert "No order stands still" in shop.look("/console/trouble").text
    assert [one.url.params.get("key") for one in shop.api.asked if one.url.path.endswith("/dead-letters")] == [None]


def test_an_orders_own_letters_are_asked_for_by_its_id(shop: WebShop) -> None:
    text = shop.look(f"/console/orders/{ORDER_ID}").text

    assert shop.api.last("GET /v1/operations/dead-letters").url.params["key"] == ORDER_ID
    assert "RuntimeError: the shelf has fallen over" in text


def test_a_top_up_of_which_the_bank_says_nothing_is_settled_by_hand(shop: WebShop) -> None:
    shop.answers |= {
        "GET /v1/operations/payments/unknown": page_of(UNKNOWN),
        "GET /v1/operations/reconciliation": RECONCILIATION,
        "POST /v1/operations/payments/top_1/resolution": {},
    }

    payments = part(shop.look("/console/trouble").text, 'id="payments"', "</section>")
    answer = shop.send(
        "/console/payments/top_1/resolution", outcome="nothing_taken", why=WHY, key="key-1", back="/console/trouble"
    )

    assert "1 payment without an answer" in payments
    assert "top-up of a wallet" in payments
    assert "no answer for 2 min 05 s" in payments
    assert "2 entries that no payment explains" in payments
    assert "Settle the payment of ₽250.75" in payments
    assert 'action="/console/payments/top_1/resolution"' in payments
    sent = shop.api.body("POST /v1/operations/payments/top_1/resolution")
    assert sent == {"outcome": "nothing_taken", "why": WHY}
    assert answer.headers["location"] == "/console/trouble"


def test_a_payment_of_a_stuck_order_is_settled_beside_it(shop: WebShop) -> None:
    unknown = {**UNKNOWN, "id": "pay_1-1", "purpose": "order", "order_id": ORDER_ID}
    shop.answers["GET /v1/operations/payments/unknown"] = page_of(unknown)

    stuck = part(shop.look("/console/trouble").text, STUCK["number"], "</article>")

    assert 'action="/console/payments/pay_1-1/resolution"' in stuck


def test_the_banks_statement_is_compared_when_somebody_wants_it(shop: WebShop) -> None:
    shop.answers["POST /v1/operations/reconciliation"] = {}

    answer = shop.send("/console/reconciliation", key="key-1", back="/console/trouble")

    assert shop.api.last("POST /v1/operations/reconciliation").headers["idempotency-key"] == "key-1"
    assert "asked for its statement" in shop.look(answer.headers["location"]).text


def test_what_did_not_fit_in_the_statement_is_named(shop: WebShop) -> None:
    one = {"found": "amount_differs", "subject": "pay_1-1", "bank_key": None, "known_minor": 100, "currency": "RUB"}
    told = {**one, "statement_minor": 300, "at": "2026-11-21T03:00:00Z"}
    shop.answers["GET /v1/operations/reconciliation/differences"] = page_of(told)

    payments = part(shop.look("/console/trouble").text, 'id="payments"', "</section>")

    assert [word in payments for word in ("another amount", "pay_1-1", "₽1.00", "₽3.00")] == [True] * 4


def test_trouble_is_shown_though_payments_cannot_be_reached(shop: WebShop) -> None:
    shop.answers["GET /v1/operations/payments/unknown"] = (503, "unavailable")

    answer = shop.look("/console/trouble")

    assert answer.status_code == 200
    assert "Payments cannot be reached" in answer.text
    assert "RuntimeError: the shelf has fallen over" in answer.text


def vital(service: str, *past: tuple[str, int, int]) -> dict[str, Any]:
    """How a service is doing, and what waited there at these times."""
    counts = dict.fromkeys(("queue_messages", "queue_requests", "under_way", "refused", "dead_letters"), 0)
    looks = [{"at": f"2026-11-21T20:{at}Z", "queued": queued, "outbox": outbox} for at, queued, outbox in past]
    return {**counts, "service": service, "outbox": 3, "paused": False, "failed": None, "past": looks}


def test_the_board_draws_what_has_waited_and_says_how_old_the_audit_is(shop: WebShop) -> None:
    audit = {"running": False, "outcome": "holds", "ended_at": "2026-11-21T20:17:30Z", "took_s": 1.5}
    shop.answers |= {
        "GET /v1/operations/orders/pace": PACE,
        "GET /v1/operations/vitals": page_of(vital("orders", ("17:31", 2, 4), ("17:59", 1, 3)), vital("stock")),
        "GET /v1/operations/audit": {**audit, "invariants": 16, "found": 0, "findings": []},
    }

    text = shop.look("/console/board").text

    assert shop.api.last("GET /v1/operations/vitals").url.params["past_s"] == "60"
    assert "1 in queues and 3 in outboxes now" in text
    assert text.count('class="spark"') == 1
    assert "30 s ago" in text
