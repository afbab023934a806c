"""The customer's page: a question in two languages, two buttons, and the way back to the shop."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bank_at_work import ASKS, PAYS, BankAtWork, until

BACK = "http://127.0.0.1:8080/orders/1?tab=pay"


async def ask(bank: BankAtWork, card: str | None = ASKS, **more: Any) -> Any:
    """A payment that waits for its customer."""
    waiting = await bank.pay(card=card, return_url=BACK, description="Tea & <b>cake</b>", **more)
    assert waiting["status"] == "needs_confirmation"
    return waiting


async def press(bank: BankAtWork, waiting: Any, answer: str, **fields: str) -> httpx.Response:
    """The customer presses a button."""
    return await bank.http.post(waiting["confirmation_url"], data={"answer": answer, **fields})


async def test_the_page_asks_in_english_and_shows_no_more_of_the_card_than_its_end(bank: BankAtWork) -> None:
    waiting = await ask(bank, amount_minor=125_000)

    page = await bank.http.get(waiting["confirmation_url"])

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    for shown in ('lang="en"', "Confirm the payment", "Sagamart", "₽1,250.00", "•••• 0002", "Confirm", "Decline"):
        assert shown in page.text
    assert "Tea &amp; &lt;b&gt;cake&lt;/b&gt;" in page.text
    assert ASKS not in page.text
    assert "<script" not in page.text


@pytest.mark.parametrize(
    ("currency", "english", "russian"),
    [("JPY", "¥1,250", "1 250 ¥"), ("KWD", "KWD 1.250", "1,250 KWD"), ("EUR", "€12.50", "12,50 €")],
)
async def test_the_page_shows_an_amount_with_as_many_decimals_as_its_currency_has(
    bank: BankAtWork, currency: str, english: str, russian: str
) -> None:
    waiting = await ask(bank, amount_minor=1_250, currency=currency)

    for language, shown in (("en", english), ("ru", russian)):
        page = await bank.http.get(waiting["confirmation_url"], headers={"Accept-Language": language})
        assert f"<dd>{shown}</dd>" in page.text.replace("\N{NO-BREAK SPACE}", " ")


async def test_the_page_asks_in_russian_who_reads_russian(bank: BankAtWork) -> None:
    waiting = await ask(bank, amount_minor=125_000)

    page = await bank.http.get(waiting["confirmation_url"], headers={"Accept-Language": "ru,en;q=0.5"})

    for shown in (
        'lang="ru"',
        "Подтвердите платёж",
        "1\N{NO-BREAK SPACE}250,00\N{NO-BREAK SPACE}₽",
        "Подтвердить",
        "Отказаться",
    ):
        assert shown in page.text
    assert page.headers["content-language"] == "ru"


async def test_the_page_may_load_nothing_and_lead_only_back(bank: BankAtWork) -> None:
    page = await bank.http.get((await ask(bank))["confirmation_url"])

    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self' http://127.0.0.1:8080;" in policy
    assert "unsafe" not in policy
    assert (page.headers["x-frame-options"], page.headers["referrer-policy"]) == ("DENY", "no-referrer")


async def test_confirming_holds_the_money_and_leads_back_to_the_shop(bank: BankAtWork) -> None:
    waiting = await ask(bank)

    answer = await press(bank, waiting, "confirm")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{BACK}&payment_id={waiting['payment_id']}"
    operation = await bank.operation()
    assert (operation["status"], operation["payment"]["status"], operation["payment"]["version"]) == (
        "succeeded",
        "held",
        2,
    )


async def test_declining_ends_the_payment_and_leads_back_too(bank: BankAtWork) -> None:
    waiting = await ask(bank)

    answer = await press(bank, waiting, "decline")

    assert answer.status_code == 303
    operation = await bank.operation()
    assert (operation["status"], operation["refusal"], operation["payment"]["status"]) == (
        "refused",
        "customer_refused",
        "declined",
    )


async def test_the_first_word_counts_and_the_page_tells_it(bank: BankAtWork) -> None:
    waiting = await ask(bank)

    await press(bank, waiting, "confirm")
    second = await press(bank, waiting, "decline")
    page = await bank.http.get(waiting["confirmation_url"])

    assert second.status_code == 303
    assert (await bank.operation())["payment"]["status"] == "held"
    assert "The payment is confirmed." in page.text
    assert "<form" not in page.text
    (link,) = re.findall(r'href="(http[^"]+)"', page.text)
    assert link == f"{BACK}&amp;payment_id={waiting['payment_id']}"


async def test_without_a_card_the_customer_types_one(bank: BankAtWork) -> None:
    waiting = await ask(bank, card=None, kind="charge")
    page = await bank.http.get(waiting["confirmation_url"])

    wrong = await press(bank, waiting, "confirm", card="4111 1111 1111 1111")
    right = await press(bank, waiting, "confirm", card="4000 0000 0000 0001")

    assert 'name="card"' in page.text
    assert (wrong.status_code, "no such card" in wrong.text) == (422, True)
    assert right.status_code == 303
    assert (await bank.operation())["payment"]["status"] == "captured"
    assert await bank.rows("select card from payments") == [(PAYS,)]


async def test_a_card_without_money_declines_when_it_is_confirmed(bank: BankAtWork) -> None:
    waiting = await ask(bank, card=None)

    await press(bank, waiting, "confirm", card="4000000000000003")

    assert (await bank.operation())["refusal"] == "insufficient_funds"
    page = await bank.http.get(waiting["confirmation_url"])
    assert "There is not enough money on the card." in page.text


async def test_who_comes_too_late_finds_the_payment_over(bank: BankAtWork) -> None:
    waiting = await ask(bank)
    bank.passed = timedelta(seconds=900)

    await press(bank, waiting, "confirm")

    operation = await bank.operation()
    assert (operation["status"], operation["refusal"]) == ("refused", "confirmation_expired")


async def test_a_payment_that_nobody_confirms_ends_by_itself(bank: BankAtWork) -> None:
    await ask(bank)
    bank.passed = timedelta(seconds=900)

    async def has_ended() -> bool:
        return bool((await bank.operation())["refusal"] == "confirmation_expired")

    await until(has_ended)


@pytest.mark.parametrize(
    ("card", "status", "refusal"),
    [("4000000000000005", "declined", "customer_refused"), ("4000000000000006", "held", None)],
)
async def test_customers_with_a_phone_answer_after_a_second(
    bank: BankAtWork, card: str, status: str, refusal: str | None
) -> None:
    await ask(bank, card=card)
    bank.passed = timedelta(seconds=1)

    async def has_answered() -> Any:
        operation = await bank.operation()
        return operation if operation["status"] != "pending" else None

    answered = await until(has_answered)
    assert (answered["payment"]["status"], answered["refusal"]) == (status, refusal)


async def test_without_a_way_back_the_page_tells_the_outcome(bank: BankAtWork) -> None:
    waiting = await bank.pay(card=ASKS)

    answer = await press(bank, waiting, "decline")

    assert "You have declined this payment." in answer.text


@pytest.mark.parametrize("body", [b"", b"answer=maybe", b"answer=confirm&" + b"a=1&" * 9, b"\xff\xfe"])
async def test_what_is_no_form_of_ours_is_refused(bank: BankAtWork, body: bytes) -> None:
    waiting = await ask(bank)

    answer = await bank.http.post(waiting["confirmation_url"], content=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert (await bank.operation())["status"] == "pending"


async def test_a_link_that_was_never_given_opens_nothing(bank: BankAtWork) -> None:
    for answer in (
        await bank.http.get("/confirm/guess"),
        await bank.http.post("/confirm/guess", data={"answer": "confirm"}),
    ):
        assert answer.status_code == 404
