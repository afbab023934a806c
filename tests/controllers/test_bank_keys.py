"""The merchant's keys: the same wish under one key is one deed, and a cancelled key is none, now and for ever."""

from typing import Any

import pytest

from bank_at_work import ASKS, PAYS, RUB, BankAtWork, payment


async def test_the_same_key_gives_the_same_answer_even_after_the_payment_has_gone_on(bank: BankAtWork) -> None:
    first = await bank.post("/v1/payments", payment())
    await bank.capture(first.json()["payment"])

    again = await bank.post("/v1/payments", payment())

    assert again.content == first.content
    assert await bank.rows("select count(*) from payments") == [(1,)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/payments", payment(amount_minor=1251)),
        ("/v1/payments", payment("charge")),
        ("/v1/payments/{payment_id}/capture", RUB(1250)),
    ],
)
async def test_a_key_with_other_content_is_refused(bank: BankAtWork, path: str, body: Any) -> None:
    held = await bank.pay()

    answer = await bank.post(path.format(**held), body)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert (await bank.operation())["payment"] == held


async def test_a_key_that_is_cancelled_before_it_comes_is_refused_when_it_comes(bank: BankAtWork) -> None:
    cancelled = await bank.cancel("key-1")
    late = await bank.post("/v1/payments", payment())

    assert (cancelled.status_code, cancelled.json()["kind"], cancelled.json()["status"]) == (
        200,
        "unknown",
        "cancelled",
    )
    assert (late.status_code, late.json()) == (200, cancelled.json())
    assert await bank.rows("select * from payments") == []
    assert (await bank.cancel("key-1")).json() == cancelled.json()


@pytest.mark.parametrize(("kind", "card"), [("hold", PAYS), ("hold", ASKS), ("charge", ASKS)])
async def test_cancelling_by_key_lets_go_of_what_is_held_or_waits(bank: BankAtWork, kind: str, card: str) -> None:
    await bank.pay(kind, card)

    cancelled = (await bank.cancel("key-1")).json()

    assert (cancelled["status"], cancelled["payment"]["status"]) == ("cancelled", "cancelled")
    assert (await bank.post("/v1/payments", payment(kind, card))).json() == cancelled
    assert await bank.rows("select sum(held_minor) from accounts") in ([(0,)], [(None,)])


async def test_cancelling_a_charge_by_key_gives_back_what_is_left_of_it(bank: BankAtWork) -> None:
    charged = await bank.pay("charge")
    await bank.refund(charged, 250)

    cancelled = (await bank.cancel("key-1")).json()
    again = (await bank.cancel("key-1")).json()

    assert (cancelled["status"], cancelled["payment"]["refunded_minor"]) == ("cancelled", 1250)
    assert again == cancelled
    assert await bank.entries() == [
        (1, "debit", "key-1", 1250),
        (2, "refund", "refund", -250),
        (3, "reversal", "key-1", -1000),
    ]


async def test_what_was_captured_by_another_operation_cannot_be_cancelled_by_key(bank: BankAtWork) -> None:
    await bank.capture(await bank.pay())

    for key in ("key-1", "capture"):
        answer = await bank.cancel(key)
        assert (answer.status_code, answer.json()["code"]) == (409, "already_done")
    assert await bank.entries() == [(1, "debit", "capture", 1250)]


async def test_a_refused_key_is_answered_as_it_is_when_it_is_cancelled(bank: BankAtWork) -> None:
    await bank.pay(card="4000000000000004")

    assert (await bank.cancel("key-1")).json()["status"] == "refused"


@pytest.mark.parametrize(
    ("key", "code"), [(None, "idempotency_key_required"), ("a/b", "malformed"), ("k" * 201, "malformed")]
)
async def test_money_moves_only_under_a_key(bank: BankAtWork, key: str | None, code: str) -> None:
    answer = await bank.post("/v1/payments", payment(), key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
