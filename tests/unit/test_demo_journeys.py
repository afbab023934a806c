"""The demo's orders go different ways, and each way is told in words."""

import pytest

from sagamart.demo.assortment import DEAR, EVERYDAY, RARE
from sagamart.demo.journeys import Journey, Wish, line, summary, way, why, wishes

BOOKING = {"id": "ord_1", "status": "booking_pending", "total_minor": 137000, "currency": "RUB", "reason": None}
COMPLETED = {**BOOKING, "status": "completed"}
CANCELLED = {**BOOKING, "status": "cancelled"}


def a_journey() -> Journey:
    return Journey(1, "anna", Wish("payable", {"MUG-BLUE": 1, "PEN-INK": 2}))


def test_of_five_orders_three_can_be_paid_one_is_too_dear_and_one_short_of_stock() -> None:
    kinds = [wish.kind for wish in wishes(5)]

    assert kinds == ["payable", "payable", "too dear", "payable", "short of stock"]


def test_the_same_orders_are_placed_every_time() -> None:
    assert list(wishes(40)) == list(wishes(40))


def test_every_order_wants_what_makes_it_go_its_way() -> None:
    everyday = {product.sku for product in EVERYDAY}

    for wish in wishes(40):
        rest = set(wish.lines) - everyday
        assert rest == {"payable": set(), "too dear": {DEAR.sku}, "short of stock": {RARE.sku}}[wish.kind]
        assert wish.kind != "short of stock" or wish.lines[RARE.sku] > RARE.pieces


def test_an_order_is_asked_for_by_its_lines() -> None:
    assert Wish("payable", {"MUG-BLUE": 2}).body == {"lines": [{"sku": "MUG-BLUE", "quantity": 2}]}


def test_a_status_keeps_the_time_when_it_was_seen_first() -> None:
    journey = a_journey()

    journey.sees(BOOKING, 4.2)
    journey.sees(BOOKING, 15.0)
    assert journey.ended_as == ""
    journey.sees(COMPLETED, 31.4)

    assert way(journey) == "booking_pending 4, completed 31 ms"
    assert journey.ended_as == "completed"


def test_an_order_that_is_not_placed_yet_has_no_way() -> None:
    assert way(a_journey()) == ""


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, "paid and done"),
        ({"code": "cancelled_by_staff", "text": "The shop cancelled it"}, "The shop cancelled it"),
        (
            {"text": "Not all goods are in stock", "short": [{"sku": "TEAPOT-RARE", "wanted": 5, "available": 2}]},
            "Not all goods are in stock: 5 of TEAPOT-RARE wanted, 2 there",
        ),
        (
            {"text": "The wallet could not pay for it", "money": "insufficient_funds", "available_minor": 0},
            "The wallet could not pay for it: ₽0.00 there",
        ),
    ],
)
def test_the_reason_of_an_end_is_told_in_words(reason: object, words: str) -> None:
    assert why({**CANCELLED, "reason": reason}) == words


def test_a_line_tells_the_whole_way_of_an_order() -> None:
    journey = a_journey()
    journey.sees(COMPLETED, 31.4)

    assert line(journey) == "   1. ord_1 | anna | 1 MUG-BLUE, 2 PEN-INK | ₽1,370.00 | completed 31 ms | paid and done"


def test_a_line_tells_of_an_order_that_was_refused_before_it_existed() -> None:
    journey = a_journey()
    journey.outcome = "refused: The product is sold out (409)"

    assert line(journey) == (
        "   1. anna | 1 MUG-BLUE, 2 PEN-INK | no order | refused: The product is sold out (409)"
    )  # fmt: skip


def test_the_summary_counts_how_orders_ended_and_how_fast() -> None:
    paid, cancelled, open_, refused = a_journey(), a_journey(), a_journey(), a_journey()
    paid.sees(COMPLETED, 20)
    cancelled.sees(CANCELLED, 40)
    open_.sees(BOOKING, 5)
    refused.is_refused = True

    assert summary([paid, cancelled, open_, refused], 2.04) == (
        "4 orders in 2.0 s: 1 cancelled, 1 completed, 1 not ended, 1 refused; to the end in 30 ms, 40 ms at most"
    )


def test_the_summary_of_no_orders_makes_no_claim_about_speed() -> None:
    assert summary([], 0.0) == "0 orders in 0.0 s: none"
