"""The console while services are away: every page shows what the others know, and says whose part is missing."""

from collections.abc import Iterator
from typing import Any

import pytest

from console_examples import ORDER
from sagamart.web import WebSection
from web_shop import WebShop, open_pages

NOTHING: dict[str, Any] = {"items": [], "next_cursor": None, "missing": []}
STOCK_AWAY: dict[str, Any] = {**NOTHING, "missing": ["stock"]}
VITAL = {
    "service": "orders",
    "queue_messages": 0,
    "queue_requests": 0,
    "under_way": 0,
    "refused": 0,
    "paused": False,
    "failed": None,
    "outbox": 0,
    "outbox_oldest_s": None,
    "timers_late": 0,
    "dead_letters": 0,
}
PACE = {"now": "2026-11-21T20:17:40Z", "seconds": 60, "statuses": {"booked": 7}, "placed": [], "truncated": False}
AUDIT = {"running": False, "invariants": 16, "outcome": "holds", "ended_at": "2026-11-21T20:17:40Z", "took_s": 1.0}
AUDIT |= {"found": 0, "findings": []}
ASKED_BY_A_BOARD = ("orders/pace", "steps", "audit")
AWAY = "do not answer, and what they know is missing here: "


@pytest.fixture
def shop() -> Iterator[WebShop]:
    """The pages for an operator; the stock is away."""
    with open_pages(WebSection()) as opened:
        opened.answers |= {
            "GET /v1/orders/ord_1": ORDER,
            "GET /v1/operations/dead-letters": STOCK_AWAY,
            "GET /v1/operations/orders/stuck": NOTHING,
            "GET /v1/operations/consumers": STOCK_AWAY,
            "GET /v1/operations/actions": STOCK_AWAY,
            "GET /v1/operations/vitals": {"items": [VITAL], "next_cursor": None, "missing": ["stock"]},
            "GET /v1/operations/orders/pace": PACE,
            "GET /v1/operations/steps": NOTHING,
            "GET /v1/operations/audit": AUDIT,
            "GET /v1/payments/pay_1-1": (503, "unavailable"),
        }
        opened.log_in()
        opened.browser.cookies.set("roles", "OPERATOR")
        yield opened


@pytest.mark.parametrize("path", ["/console/board", "/console/trouble", "/console/acts", "/console/orders/ord_1"])
def test_a_page_names_the_service_whose_part_is_missing(shop: WebShop, path: str) -> None:
    answer = shop.look(path)

    assert answer.status_code == 200
    assert f"{AWAY}stock" in answer.text


@pytest.mark.parametrize("path", ["/console/board", "/console/trouble", "/console/acts", "/console/orders/ord_1"])
def test_where_everybody_answers_nobody_is_named(shop: WebShop, path: str) -> None:
    for asked in ("dead-letters", "consumers", "actions"):
        shop.answers[f"GET /v1/operations/{asked}"] = NOTHING
    shop.answers["GET /v1/operations/vitals"] = {"items": [VITAL], "next_cursor": None, "missing": []}

    assert AWAY not in shop.look(path).text


def test_the_board_has_a_row_for_a_service_that_does_not_answer(shop: WebShop) -> None:
    text = shop.look("/console/board").text

    assert "does not answer</span>" in text
    assert "All 16 invariants hold" in text


@pytest.mark.parametrize("away", ASKED_BY_A_BOARD)
def test_the_board_stands_without_any_one_part_of_it(shop: WebShop, away: str) -> None:
    shop.answers[f"GET /v1/operations/{away}"] = (503, "unavailable")

    answer = shop.look("/console/board")

    assert answer.status_code == 200
    assert ("All 16 invariants hold" in answer.text) == (away != "audit")
    assert ("No audit can be asked" in answer.text) == (away == "audit")
    assert ("Orders placed, by the second" in answer.text) == (away != "orders/pace")


def test_while_the_orders_are_away_trouble_names_them_and_says_nothing_of_stuck_ones(shop: WebShop) -> None:
    shop.answers["GET /v1/operations/orders/stuck"] = (503, "unavailable")

    text = shop.look("/console/trouble").text

    assert f"{AWAY}orders" in text
    assert "No order stands still" not in text


def test_a_page_for_which_nobody_answers_at_all_says_so(shop: WebShop) -> None:
    shop.answers["GET /v1/operations/vitals"] = (503, "unavailable")

    assert shop.look("/console/board").status_code == 503
