"""Who is told what, once per turn, and in which words."""

from itertools import permutations
from typing import get_args

import pytest
from msgspec.structs import replace

from one_service import AT, OneService
from sagamart.contracts.accounts import EmailConfirmationRequested, PasswordResetRequested
from sagamart.contracts.orders import CancelReason, Line, OrderCancelled, OrderCompleted, ShortLine
from sagamart.contracts.promotions import PromoRefusal
from sagamart.contracts.wallet import WalletOpened
from sagamart.messaging.message import Body
from sagamart.platform.http import Language
from sagamart.platform.money import money
from sagamart.shop.notifications.records import Facts, Kind, Notification, ShortProduct
from sagamart.shop.notifications.service import NOTIFICATIONS
from sagamart.shop.notifications.words import GOOD, words

LINES = (Line("CUP", "Blue cup", 3, 45_000),)
COMPLETED = OrderCompleted("ord_1", 6, "completed", "cus_1", 1, LINES, 135_000, "RUB")
OPENED = WalletOpened("cus_1", "RUB", 1)


def cancelled(reason: CancelReason, *short: ShortLine) -> OrderCancelled:
    return OrderCancelled("ord_1", 4, "cancelled", "cus_1", 1, LINES, 135_000, "RUB", reason, short)


def told(*bodies: Body) -> dict[str, Notification]:
    service = OneService(NOTIFICATIONS)
    service.hears(*bodies)
    return service.records(Notification)


def test_a_completed_order_is_told_as_good_news() -> None:
    assert told(COMPLETED) == {
        "ord_1/order_completed": Notification(
            1, "ord_1/order_completed", "cus_1", "order_completed", Facts("ord_1", 135_000, "RUB"), AT
        )
    }
    assert GOOD["order_completed"]


def test_a_cancelled_order_is_told_with_its_reason_and_the_names_of_short_products() -> None:
    found = told(cancelled("stock_refused", ShortLine("CUP", 3, 1)))["ord_1/order_cancelled"]

    assert found.facts == Facts("ord_1", 135_000, "RUB", "stock_refused", (ShortProduct("CUP", "Blue cup", 3, 1),))
    assert not GOOD[found.kind]


def test_a_cancellation_for_want_of_money_keeps_what_there_was() -> None:
    short_of_money = OrderCancelled(
        "ord_1", 4, "cancelled", "cus_1", 1, LINES, 135_000, "RUB", "money_refused", available_minor=35_050
    )

    assert told(short_of_money)["ord_1/order_cancelled"].facts.available_minor == 35_050


@pytest.mark.parametrize(
    ("language", "ending"),
    [("en", "The promo code cannot be used: it is used up."), ("ru", "Промокод не действует: он исчерпан.")],
)
def test_a_cancellation_for_a_promo_code_says_what_was_wrong_with_it(language: Language, ending: str) -> None:
    found = told(replace(cancelled("promo_refused"), promo="used_up"))["ord_1/order_cancelled"]

    assert words(found.kind, found.facts, language).text.endswith(ending)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_whatever_is_wrong_with_a_promo_code_has_words(language: Language) -> None:
    refusals: tuple[PromoRefusal, ...] = get_args(PromoRefusal)
    facts = [Facts("ord_1", 100, "RUB", "promo_refused", promo=one) for one in refusals]

    assert len({words("order_cancelled", one, language).text for one in facts}) == len(refusals)


def test_letters_that_were_asked_for_are_told_by_their_link_whose_text_is_nowhere() -> None:
    found = told(EmailConfirmationRequested("cus_1", "tok_1"), PasswordResetRequested("cus_1", "tok_2"))

    assert {key: one.facts for key, one in found.items()} == {
        "tok_1/email_confirmation": Facts(token_id="tok_1"),
        "tok_2/password_reset": Facts(token_id="tok_2"),
    }


def test_an_opened_wallet_is_told_to_its_customer() -> None:
    found = told(OPENED)["cus_1/wallet_opened"]

    assert (found.customer_id, found.kind, found.facts) == ("cus_1", "wallet_opened", Facts(currency="RUB"))


def test_nobody_is_told_of_a_turn_twice() -> None:
    for heard in permutations([OPENED, OPENED, COMPLETED, COMPLETED]):
        assert told(*heard) == told(OPENED, COMPLETED)


@pytest.mark.parametrize(
    ("language", "title", "text"),
    [
        ("en", "Your order is complete", "Order ord_1 for ₽1,350.00 is paid and complete. Thank you!"),
        ("ru", "Ваш заказ выполнен", "Заказ ord_1 на сумму 1 350,00 ₽ оплачен и выполнен. Спасибо!"),
    ],
)
def test_good_news_in_both_languages(language: Language, title: str, text: str) -> None:
    said = words("order_completed", Facts("ord_1", 135_000, "RUB"), language)

    assert (said.title, said.text.replace("\u00a0", " ")) == (title, text)


@pytest.mark.parametrize(
    ("language", "reason"),
    [
        (
            "en",
            "There is not enough in stock: “Blue cup” — you wanted 3, we have 1; “Plate” — you wanted 2, we have 0.",
        ),
        (
            "ru",
            "недостаточно: «Blue cup» — вы заказали 3 шт., у нас есть 1; «Plate» — вы заказали 2 шт., у нас есть 0.",
        ),
    ],
)
def test_each_short_product_is_named(language: Language, reason: str) -> None:
    short = (ShortProduct("CUP", "Blue cup", 3, 1), ShortProduct("PLATE", "Plate", 2, 0))

    said = words("order_cancelled", Facts("ord_1", 135_000, "RUB", "stock_refused", short), language)

    assert said.text.endswith(reason)


@pytest.mark.parametrize(
    ("language", "available_minor", "ending"),
    [
        ("en", 35_050, "There was not enough money in your wallet: ₽350.50 was available, ₽999.50 was missing."),
        ("en", None, "Your wallet could not pay for it."),
        ("ru", 35_050, "В кошельке не хватило денег: доступно 350,50 ₽, не хватает 999,50 ₽."),
        ("ru", None, "Не удалось оплатить его из кошелька."),
    ],
)
def test_it_is_said_how_much_money_was_missing(language: Language, available_minor: int | None, ending: str) -> None:
    facts = Facts("ord_1", 135_000, "RUB", "money_refused", available_minor=available_minor)

    assert words("order_cancelled", facts, language).text.replace("\u00a0", " ").endswith(ending)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_reason_and_kind_has_words_in_both_languages(language: Language) -> None:
    texts = {
        words("order_cancelled", Facts("ord_1", 100, "RUB", reason), language).text for reason in get_args(CancelReason)
    }
    kinds: tuple[Kind, ...] = get_args(Kind)

    assert len(texts) == len(get_args(CancelReason))
    assert len({words(kind, Facts("ord_1", 100, "RUB"), language).title for kind in kinds}) == len(kinds)
    assert set(GOOD) == set(kinds)


def test_braces_in_a_product_name_are_only_braces() -> None:
    short = (ShortProduct("X", "Cup {reason} {0}", 3, 1),)

    said = words("order_cancelled", Facts("ord_1", 100, "RUB", "stock_refused", short), "en")

    assert "“Cup {reason} {0}”" in said.text


@pytest.mark.parametrize(
    ("amount_minor", "currency", "english", "russian"),
    [
        (5, "RUB", "₽0.05", "0,05 ₽"),
        (123_456_789, "EUR", "€1,234,567.89", "1 234 567,89 €"),
        (1_250, "JPY", "¥1,250", "1 250 ¥"),
        (1_250, "KWD", "KWD 1.250", "1,250 KWD"),
        (-1_250, "USD", "-$12.50", "-12,50 $"),
    ],
)
def test_amounts_follow_currency_and_language(amount_minor: int, currency: str, english: str, russian: str) -> None:
    assert money(amount_minor, currency, "en").replace("\u00a0", " ") == english
    assert money(amount_minor, currency, "ru").replace("\u00a0", " ") == russian
