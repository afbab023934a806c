"""An order as people see it: two vocabularies, two languages."""

from typing import get_args

import pytest

from orders_examples import POOR, SHORT, order_in, shop_with_order
from sagamart.contracts.orders import CancelReason, ShortLine, Status
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.view import REASONS, STAGES, STATES, WORDS, Reason, Word, statuses_named, statuses_of, view


@pytest.mark.parametrize(
    ("status", "stage", "state"),
    [
        ("booking_pending", Word("accepted", "принят в обработку"), Word("created", "создан")),
        ("pay_pending", Word("processing", "обрабатывается"), Word("created", "создан")),
        ("capturing", Word("processing", "обрабатывается"), Word("created", "создан")),
        ("completed", Word("created", "создан"), Word("fulfilled", "выполнен")),
        ("cancelled", Word("cancelled", "отменён"), Word("cancelled", "отменен")),
    ],
)
def test_people_see_simpler_words_beside_the_status(status: str, stage: Word, state: Word) -> None:
    seen = view(order_in(shop_with_order(status)), "ru")

    assert (seen.status, seen.stage, seen.state) == (status, stage, state)


def test_every_status_has_its_words_in_every_language() -> None:
    assert set(WORDS) == set(get_args(Status)) >= set(LIFECYCLE)
    assert {stage for stage, _ in WORDS.values()} == set(STAGES)
    assert {state for _, state in WORDS.values()} == set(STATES)
    for texts in (*STAGES.values(), *STATES.values(), *REASONS.values()):
        assert set(texts) == {"en", "ru"}


def test_every_reason_to_cancel_has_words() -> None:
    assert set(REASONS) == set(get_args(CancelReason))


def test_a_stage_finds_its_statuses() -> None:
    assert statuses_of("processing") == ("pay_pending", "capturing")
    assert statuses_of("created", "fulfilled") == ("completed",)
    assert statuses_of(state="in_progress") == ("paid", "shipping_pending")
    assert statuses_of() == tuple(WORDS)


@pytest.mark.parametrize(
    ("word", "statuses"),
    [
        ("booked", ("booked",)),
        ("Awaiting payment", ("checked", "booked", "partially_paid")),
        ("ждет оплаты", ("checked", "booked", "partially_paid")),
        ("ждёт оплаты", ("checked", "booked", "partially_paid")),
        ("in_progress", ("paid", "shipping_pending")),
        ("выполнен", ("completed",)),
        ("отменён", ("cancelled", "returned")),
        ("cup", ()),
    ],
)
def test_a_word_in_either_vocabulary_and_language_finds_its_statuses(word: str, statuses: tuple[str, ...]) -> None:
    assert statuses_named(word) == statuses


def test_an_order_short_of_goods_names_the_short_lines() -> None:
    service = shop_with_order("booking_pending")
    service.hears(SHORT)

    assert view(order_in(service), "en").reason == Reason(
        "stock_refused", "Not all goods are in stock", (ShortLine("CUP", 2, 1),)
    )


def test_an_order_short_of_money_says_what_was_available() -> None:
    service = shop_with_order("pay_pending")
    service.hears(POOR)

    assert view(order_in(service), "ru").reason == Reason(
        "money_refused", "Не удалось оплатить из кошелька", (), "insufficient_funds", 100
    )


def test_a_line_shows_its_amount() -> None:
    seen = view(order_in(shop_with_order()), "en")

    assert [line.amount_minor for line in seen.lines] == [90_000, 70_000]
    assert seen.total_minor == 160_000
