"""Payments against the real bank: whatever it does to the line, money is held, taken and given back once, and told."""

import pytest

from bank_at_work import until
from payments_street import DECLINED, NUMBERS, PAYS, POOR, Street, order, pay_id
from sagamart.contracts.order_requests import (
    BankCaptureRequested,
    BankHoldRequested,
    BankRefundRequested,
    BankVoidRequested,
)
from sagamart.contracts.payments import (
    CaptureRefused,
    PaymentCaptured,
    PaymentDeclined,
    PaymentHeld,
    PaymentRedirected,
    PaymentRefunded,
    PaymentVoided,
    RefundRefused,
)
from sagamart.platform.http import Caller
from sagamart.shop.payments.http_bank import HttpBank
from sagamart.shop.payments.messages import LookAgain


async def test_whatever_happens_to_an_opening_one_payment_is_opened(street: Street) -> None:
    await street.misbehaves("hold", pay_id)

    for number in NUMBERS:
        await street.payments.hears(BankHoldRequested(**order(number), amount_minor=500, expires_s=900))
    for number in NUMBERS:
        await street.told(PaymentRedirected, number)

    await street.all_fired()
    assert await street.bank.rows("select count(*), count(distinct key) from payments") == [(8, 8)]


async def test_whatever_happens_to_a_capture_the_money_is_taken_once(street: Street) -> None:
    await street.held(*NUMBERS)
    await street.misbehaves("capture", lambda number: f"{pay_id(number)}.capture")

    await street.payments.hears(*(BankCaptureRequested(**order(one), amount_minor=500) for one in NUMBERS))
    for number in NUMBERS:
        await street.told(PaymentCaptured, number)

    await street.all_fired()
    assert await street.moved() == [(pay_id(number), "debit", 500) for number in NUMBERS]


async def test_whatever_happens_to_a_refund_the_money_goes_back_once(street: Street) -> None:
    await street.captured(*NUMBERS)
    await street.misbehaves("refund", lambda number: f"{pay_id(number)}.refund.ref_1")

    await street.payments.hears(
        *(BankRefundRequested(**order(one), amount_minor=200, refund_id="ref_1") for one in NUMBERS)
    )
    for number in NUMBERS:
        await street.told(PaymentRefunded, number)

    await street.all_fired()
    assert [row for row in await street.moved() if row[1] == "refund"] == [
        (pay_id(number), "refund", -200) for number in NUMBERS
    ]


async def test_whatever_happens_to_a_cancellation_nothing_stays_held(street: Street) -> None:
    await street.held(*NUMBERS)
    await street.misbehaves("cancellation", pay_id)

    await street.payments.hears(*(BankVoidRequested(**order(one), amount_minor=500) for one in NUMBERS))
    for number in NUMBERS:
        await street.told(PaymentVoided, number)

    await street.all_fired()
    assert await street.bank.rows("select distinct status from payments") == [("cancelled",)]


async def test_a_bank_that_cannot_find_a_payment_has_not_answered(street: Street) -> None:
    await street.bank.misbehave({"misbehaviour": "not_found", "on": "query", "next": 2})

    await street.held(1)

    assert await street.bank.fired() == {"not_found": 2}
    assert [type(one) for one in street.payments.sent] == [PaymentRedirected, PaymentHeld]


async def test_what_the_bank_refuses_is_told_and_leaves_nothing_held(street: Street) -> None:
    await street.pays(1, DECLINED)
    await street.pays(2, POOR)
    assert (await street.told(PaymentDeclined, 1)).reason == "declined"
    assert (await street.told(PaymentDeclined, 2)).reason == "insufficient_funds"

    await street.bank.misbehave(
        {"misbehaviour": "refuses", "on": "capture"}, {"misbehaviour": "refuses", "on": "refund"}
    )
    await street.held(3)
    await street.payments.hears(BankCaptureRequested(**order(3), amount_minor=500))
    await street.told(CaptureRefused, 3)
    assert await street.bank.rows("select distinct status from payments order by 1") == [("cancelled",), ("declined",)]


async def test_a_refund_that_the_bank_refuses_is_told(street: Street) -> None:
    await street.captured(1)
    await street.bank.misbehave({"misbehaviour": "refuses", "on": "refund"})

    await street.payments.hears(BankRefundRequested(**order(1), amount_minor=500, refund_id="ref_1"))

    assert await street.told(RefundRefused, 1) == RefundRefused("ord_1", 1, 500, "RUB", "ref_1")


async def test_late_doubled_disordered_and_badly_signed_webhooks_do_no_harm(street: Street) -> None:
    kinds = ("webhook_late", "webhook_twice", "webhook_out_of_order", "webhook_wrong_signature")
    await street.bank.misbehave(
        *(
            {"misbehaviour": kind, "key": pay_id(number), "next": 1, "delay_ms": 500}
            for number, kind in enumerate(kinds)
        )
    )

    await street.captured(*range(len(kinds)))

    assert set(await street.bank.fired()) == set(kinds)
    assert await street.moved() == [(pay_id(number), "debit", 500) for number in range(len(kinds))]
    assert [type(one) for one in street.payments.sent].count(PaymentCaptured) == len(kinds)


async def test_a_webhook_that_is_lost_is_made_up_for_by_asking(street: Street) -> None:
    await street.bank.misbehave({"misbehaviour": "webhook_lost"})
    await street.pays(1)

    await street.payments.hears(LookAgain(pay_id(1), 0))

    await street.told(PaymentHeld, 1)


async def test_a_void_that_overtakes_its_payment_at_the_bank_wins(street: Street) -> None:
    await street.bank.misbehave({"misbehaviour": "lands_late", "on": "hold", "next": 1, "delay_ms": 1500})

    await street.payments.hears(BankHoldRequested(**order(1), amount_minor=500, expires_s=900))
    await street.payments.hears(BankVoidRequested(**order(1), amount_minor=500))
    await street.told(PaymentVoided, 1)

    line = street.bank.bank.desk.line

    async def landed() -> bool:
        return not line.on_their_way

    await until(landed)
    assert await street.bank.rows("select status from payments where status in ('held', 'needs_confirmation')") == []
    assert not [one for one in street.payments.sent if isinstance(one, PaymentHeld)]


async def test_a_payment_under_way_is_seen_by_its_owner(street: Street) -> None:
    await street.held(1)

    seen = await street.payments.get(f"/v1/payments/{pay_id(1)}", caller=Caller("cus_1", frozenset({"CUSTOMER"})))

    assert (seen.json()["status"], seen.json()["order_id"], seen.json()["amount_minor"]) == ("held", "ord_1", 500)


@pytest.mark.parametrize("page", ["https://elsewhere.example/confirm/1", "javascript:alert(1)"])
async def test_customers_are_sent_to_the_banks_pages_only(page: str) -> None:
    client = HttpBank("http://bank.example", "key")
    with pytest.raises(Exception, match="not the bank's"):
        client._page(page)
    await client.close()


async def test_who_waits_for_a_top_up_is_answered_with_the_banks_page(street: Street) -> None:
    ann = Caller("cus_018f0000000070008000000000000001", frozenset({"CUSTOMER"}))
    money = {"amount_minor": 500, "currency": "RUB"}

    answer = await street.payments.send("POST", "/v1/wallet/top-ups", money, caller=ann, key="one", Prefer="wait=30")

    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=30")
    paid = await street.bank.http.post(answer.json()["redirect_url"], data={"card": PAYS, "answer": "confirm"})
    assert paid.status_code == 200

    async def captured() -> bool:
        seen = await street.payments.get(answer.headers["location"], caller=ann)
        return bool(seen.json()["status"] == "captured")

    await until(captured)
    again = await street.payments.send("POST", "/v1/wallet/top-ups", money, caller=ann, key="one", Prefer="wait=30")
    assert (again.status_code, again.json()["status"]) == (200, "captured")
