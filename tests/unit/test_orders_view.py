"""An order as people see it: two vocabularies, two languages."""

from itertools import chain, permutations
from typing import get_args

import pytest

from orders_examples import BOOKED, CANCEL, POOR, SHORT, TOTAL_MINOR, order_in, shop_with_order
from orders_ways import declined, order, pays, shop_with
from sagamart.contracts.orders import CancelReason, ChangeRefusal, OrderCancelled, ShortLine, Status
from sagamart.contracts.promotions import PromoRefusal, PromoRefused
from sagamart.contracts.wallet import MoneyRefused
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import Language
from sagamart.shop.orders.reasons import ENDS, KEPT, PROMO, REASONS, UNMET
from sagamart.shop.orders.records import PaymentEnd, Shortfall
from sagamart.shop.orders.view import STAGES, STATES, WORDS, Reason, Word, statuses_named, statuses_of, view


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
    for texts in chain(*(spoken.values() for spoken in (STAGES, STATES, REASONS, PROMO, ENDS, UNMET, KEPT))):
        assert set(texts) == {"en", "ru"}


def test_every_reason_to_cancel_has_words() -> None:
    assert set(REASONS) == set(get_args(CancelReason))
    assert set(PROMO) == set(get_args(PromoRefusal))
    assert set(ENDS) == set(get_args(PaymentEnd))
    assert set(KEPT) == set(get_args(ChangeRefusal))


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


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "The promo code cannot be used: it has expired"), ("ru", "Промокод не действует: его срок истёк")],
)
def test_an_order_whose_code_does_not_count_says_why(language: Language, text: str) -> None:
    service = shop_with(order(promo_code="SPRING"))

    decision = service.hears(PromoRefused("ord_1", 1, "SPRING", "expired"))

    assert view(order_in(service), language).reason == Reason("promo_refused", text, promo="expired")
    (told,) = decision.send
    assert isinstance(told, OrderCancelled)
    assert told.promo == "expired"


def test_a_payment_that_came_to_nothing_says_why() -> None:
    service = shop_with(order(), BOOKED, pays("bank"), declined(1), pays("wallet"))
    service.hears(MoneyRefused("ord_1", 2, TOTAL_MINOR, "RUB", "insufficient_funds", 5), pays("bank"))

    payments = view(order_in(service), "en").payments

    assert [one.reason for one in payments] == [
        Word("declined", "The bank declined it"),
        Word("insufficient_funds", "There was not enough money"),
        None,
    ]


def test_the_payment_of_an_order_that_is_paid_at_once_says_why_it_was_refused() -> None:
    service = shop_with_order("pay_pending")
    service.hears(POOR)

    (payment,) = view(order_in(service), "ru").payments

    assert payment.reason == Word("insufficient_funds", "Не хватило денег")


def test_what_the_shop_let_go_by_itself_has_no_reason() -> None:
    service = shop_with(order(), BOOKED, pays("wallet"), CANCEL)
    service.hears(MoneyRefused("ord_1", 1, TOTAL_MINOR, "RUB", "released"))

    assert view(order_in(service), "en").payments[0].reason is None


def test_why_payments_failed_does_not_depend_on_the_order_in_which_it_is_told() -> None:
    start = (BOOKED, pays("bank", 60_000), pays("bank", 100_000))
    found = set()
    for heard in permutations((declined(1, 60_000), declined(2, 100_000), CANCEL)):
        service = shop_with(order(), *start)
        service.hears(*heard)
        found.add(order_in(service).shortfall)

    assert found == {Shortfall(ends=((1, "declined"), (2, "declined")))}


def test_a_line_shows_its_amount() -> None:
    seen = view(order_in(shop_with_order()), "en")

    assert [line.amount_minor for line in seen.lines] == [90_000, 70_000]
    assert seen.total_minor == 160_000
