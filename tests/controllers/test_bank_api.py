"""The bank's routes for merchants: what each answers when it does, refuses, cannot read, or does not let in."""

from datetime import timedelta
from typing import Any

import pytest

from bank_at_work import ADMIN_KEY, ASKS, NOW, PAYS, RUB, SHOP_KEY, BankAtWork, payment, until

OTHER_KEY = "key-of-another"


async def test_a_hold_is_held_and_can_be_read_by_id_and_by_key(bank: BankAtWork) -> None:
    answer = await bank.post("/v1/payments", payment(description="Tea", hold_s=60))

    held = answer.json()["payment"]
    assert answer.status_code == 200
    assert answer.json() == {
        "key": "key-1",
        "kind": "hold",
        "status": "succeeded",
        "refusal": None,
        "amount_minor": 1250,
        "currency": "RUB",
        "at": "2026-11-21T12:00:00Z",
        "payment": held,
    }
    assert held == {
        "payment_id": held["payment_id"],
        "key": "key-1",
        "kind": "hold",
        "status": "held",
        "amount_minor": 1250,
        "captured_minor": 0,
        "refunded_minor": 0,
        "currency": "RUB",
        "reference": "ord_1",
        "refusal": None,
        "confirmation_url": None,
        "confirmation_expires_at": None,
        "return_url": None,
        "hold_expires_at": "2026-11-21T12:01:00Z",
        "created_at": "2026-11-21T12:00:00Z",
        "version": 1,
    }
    assert (await bank.get(f"/v1/payments/{held['payment_id']}")).json() == held
    assert await bank.operation() == answer.json()


async def test_a_part_is_captured_once_and_the_rest_released(bank: BankAtWork) -> None:
    held = await bank.pay()

    captured = await bank.capture(held, 1000)
    again = await bank.capture(held, 250, key="capture-2")

    assert (captured["status"], captured["payment"]["status"], captured["payment"]["captured_minor"]) == (
        "succeeded",
        "captured",
        1000,
    )
    assert (again["status"], again["refusal"]) == ("refused", "wrong_status")
    assert await bank.entries() == [(1, "debit", "capture", 1000)]
    assert await bank.rows("select held_minor from accounts") == [(0,)]


async def test_a_charge_is_taken_at_once(bank: BankAtWork) -> None:
    charged = await bank.pay("charge")

    assert (charged["status"], charged["captured_minor"]) == ("captured", 1250)
    assert await bank.entries() == [(1, "debit", "key-1", 1250)]


async def test_a_void_releases_a_hold(bank: BankAtWork) -> None:
    held = await bank.pay()

    answer = await bank.post(f"/v1/payments/{held['payment_id']}/void", {}, key="void")

    assert (answer.json()["kind"], answer.json()["status"]) == ("void", "succeeded")
    assert answer.json()["payment"]["status"] == "voided"
    assert (await bank.capture(held))["refusal"] == "wrong_status"
    assert await bank.rows("select held_minor from accounts") == [(0,)]


async def test_a_void_of_what_waits_for_its_customer_cancels_it(bank: BankAtWork) -> None:
    waiting = await bank.pay(card=ASKS)

    await bank.post(f"/v1/payments/{waiting['payment_id']}/void", {}, key="void")

    assert (await bank.operation())["status"] == "cancelled"


async def test_refunds_go_up_to_what_was_captured_and_no_further(bank: BankAtWork) -> None:
    charged = await bank.pay("charge")

    part = await bank.refund(charged, 1000, key="refund-1")
    too_much = await bank.refund(charged, 251, key="refund-2")
    rest = await bank.refund(charged, 250, key="refund-3")

    assert part["payment"]["refunded_minor"] == 1000
    assert (too_much["status"], too_much["refusal"]) == ("refused", "exceeds_captured")
    assert (rest["payment"]["refunded_minor"], rest["payment"]["version"]) == (1250, 3)
    assert await bank.entries() == [
        (1, "debit", "key-1", 1250),
        (2, "refund", "refund-1", -1000),
        (3, "refund", "refund-3", -250),
    ]


@pytest.mark.parametrize(
    ("card", "refusal"),
    [
        ("4000000000000003", "insufficient_funds"),
        ("4000000000000004", "card_declined"),
        ("4111111111111111", "unknown_card"),
    ],
)
async def test_a_card_that_does_not_pay_is_a_decision_and_final(bank: BankAtWork, card: str, refusal: str) -> None:
    declined = await bank.pay(card=card)

    operation = await bank.operation()
    assert (declined["status"], declined["refusal"]) == ("declined", refusal)
    assert (operation["status"], operation["refusal"]) == ("refused", refusal)
    assert await bank.entries() == []


async def test_a_card_whose_captures_are_refused_stays_held(bank: BankAtWork) -> None:
    held = await bank.pay(card="4000000000000007")

    refused = await bank.capture(held)

    assert (refused["status"], refused["refusal"], refused["payment"]["status"]) == (
        "refused",
        "capture_declined",
        "held",
    )


async def test_a_card_whose_refunds_are_refused_keeps_what_was_captured(bank: BankAtWork) -> None:
    charged = await bank.pay("charge", card="4000000000000017")

    refused = await bank.refund(charged)

    assert (refused["refusal"], refused["payment"]["refunded_minor"]) == ("refund_declined", 0)


async def test_a_hold_whose_time_is_over_is_not_captured(bank: BankAtWork) -> None:
    held = await bank.pay(hold_s=60)
    bank.passed = timedelta(seconds=60)

    refused = await bank.capture(held)

    assert (refused["status"], refused["refusal"], refused["payment"]["status"]) == (
        "refused",
        "hold_expired",
        "expired",
    )
    assert await bank.rows("select held_minor from accounts") == [(0,)]


async def test_a_hold_lapses_by_itself(bank: BankAtWork) -> None:
    held = await bank.pay(card="4000000000000008")

    async def has_lapsed() -> bool:
        return bool((await bank.get(f"/v1/payments/{held['payment_id']}")).json()["status"] == "expired")

    await until(has_lapsed)


@pytest.mark.parametrize(
    ("card", "amount_minor", "enough", "refusal"),
    [
        (PAYS, 1250, True, None),
        ("4000 0000 0000 0003", 100, True, None),
        ("4000000000000003", 101, False, "insufficient_funds"),
        ("4000000000000004", 1, False, "card_declined"),
        ("4111111111111111", 1, False, "unknown_card"),
    ],
)
async def test_a_funds_check_says_what_a_payment_would(
    bank: BankAtWork, card: str, amount_minor: int, enough: Any, refusal: str | None
) -> None:
    answer = await bank.post("/v1/funds-checks", RUB(amount_minor, card=card), key=None)

    assert (answer.status_code, answer.json()) == (200, {"enough": enough, "refusal": refusal})
    assert await bank.rows("select * from payments") == []


async def test_what_is_held_is_not_there_for_another(bank: BankAtWork) -> None:
    poor = "4000000000000003"
    await bank.pay(card=poor, amount_minor=60)

    second = await bank.pay(card=poor, amount_minor=41, key="key-2")
    third = await bank.pay(card=poor, amount_minor=40, key="key-3")

    assert (second["refusal"], third["status"]) == ("insufficient_funds", "held")


async def test_a_statement_is_the_postings_between_two_moments_page_by_page(bank: BankAtWork) -> None:
    for number in range(4):
        bank.passed = timedelta(minutes=number)
        await bank.pay("charge", key=f"key-{number}", amount_minor=100 + number)

    window = "from=2026-11-21T12:01:00Z&to=2026-11-21T12:03:00Z&limit=1"
    first = (await bank.get(f"/v1/statement?{window}")).json()
    second = (await bank.get(f"/v1/statement?{window}&cursor={first['next_cursor']}")).json()

    assert [(one["entry"], one["key"], one["at"]) for one in first["items"]] == [(2, "key-1", "2026-11-21T12:01:00Z")]
    assert [(one["entry"], one["key"], one["amount_minor"]) for one in second["items"]] == [(3, "key-2", 102)]
    assert second["next_cursor"] is None
    assert await bank.entries() == await bank.rows(
        "select entry, kind, key, amount_minor from postings where account = 'merchant:shop:RUB' order by entry"
    )


async def test_merchants_do_not_see_one_another(bank: BankAtWork) -> None:
    held = await bank.pay()
    other = {"name": "Other", "api_key": OTHER_KEY, "hosts": []}
    await bank.call("PUT", "/admin/merchants/other", other, api_key=ADMIN_KEY)

    for answer in (
        await bank.get(f"/v1/payments/{held['payment_id']}", api_key=OTHER_KEY),
        await bank.get("/v1/operations/key-1", api_key=OTHER_KEY),
        await bank.post(f"/v1/payments/{held['payment_id']}/capture", RUB(1), key="c", api_key=OTHER_KEY),
        await bank.post(f"/v1/payments/{held['payment_id']}/refunds", RUB(1), key="r", api_key=OTHER_KEY),
        await bank.post(f"/v1/payments/{held['payment_id']}/void", {}, key="v", api_key=OTHER_KEY),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await bank.post("/v1/payments", payment(), api_key=OTHER_KEY)).status_code == 200
    assert await bank.rows("select key, merchant_id from operations order by merchant_id") == [
        ("key-1", "other"),
        ("key-1", "shop"),
    ]


async def test_a_payment_that_does_not_exist_is_not_found_and_takes_no_key(bank: BankAtWork) -> None:
    answer = await bank.post("/v1/payments/pay_none/capture", RUB(1))

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await bank.get("/v1/operations/key-1")).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (payment(amount_minor=0), "amount_minor"),
        (payment(amount_minor=12.5), "amount_minor"),
        (payment(amount_minor="1250"), "amount_minor"),
        (payment(amount_minor=10**12 + 1), "amount_minor"),
        (payment(currency="rub"), "currency"),
        (payment("gift"), "kind"),
        (payment(status="captured"), "status"),
        (payment(hold_s=604_801), "hold_s"),
        (payment(reference=""), "reference"),
        (payment(return_url="javascript:alert(1)"), "return_url"),
    ],
)
async def test_a_malformed_payment_is_told_which_field_is_wrong(bank: BankAtWork, body: Any, field: str) -> None:
    answer = await bank.post("/v1/payments", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert [one["field"] for one in answer.json()["fields"]] == [field]
    assert await bank.rows("select * from operations") == []


async def test_a_return_address_elsewhere_is_refused(bank: BankAtWork) -> None:
    answer = await bank.post("/v1/payments", payment(return_url="https://evil.example/"))

    assert (answer.status_code, answer.json()["code"]) == (400, "return_url_not_allowed")


@pytest.mark.parametrize("query", ["", "from=yesterday&to=now", "from=2026-11-21T12:00:00Z", "limit=0"])
async def test_a_malformed_statement_is_refused(bank: BankAtWork, query: str) -> None:
    answer = await bank.get(f"/v1/statement?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("api_key", [None, "key-of-nobody", ADMIN_KEY])
async def test_nobody_gets_in_without_a_merchants_key(bank: BankAtWork, api_key: str | None) -> None:
    for answer in (
        await bank.post("/v1/funds-checks", RUB(1, card=PAYS), api_key=api_key),
        await bank.post("/v1/payments", payment(), api_key=api_key),
        await bank.get("/v1/payments/pay_1", api_key=api_key),
        await bank.post("/v1/payments/pay_1/capture", RUB(1), api_key=api_key),
        await bank.post("/v1/payments/pay_1/void", {}, api_key=api_key),
        await bank.post("/v1/payments/pay_1/refunds", RUB(1), api_key=api_key),
        await bank.get("/v1/operations/key-1", api_key=api_key),
        await bank.call("PUT", "/v1/operations/key-1/cancellation", api_key=api_key),
        await bank.get("/v1/statement?from=2026-11-21T12:00:00Z&to=2026-11-21T12:00:00Z", api_key=api_key),
        await bank.get("/v1/webhook", api_key=api_key),
        await bank.call("PUT", "/v1/webhook", {"url": None, "secrets": []}, api_key=api_key),
        await bank.get("/v1/webhook-deliveries", api_key=api_key),
        await bank.post("/v1/webhook-deliveries/evt_1/replay", None, api_key=api_key),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("api_key", [None, SHOP_KEY])
async def test_nobody_administers_the_bank_without_its_own_key(bank: BankAtWork, api_key: str | None) -> None:
    merchant = {"name": "Mine", "api_key": "my-own-key", "hosts": []}
    for answer in (
        await bank.get("/admin/misbehaviour", api_key=api_key),
        await bank.call("PUT", "/admin/misbehaviour", {"rules": []}, api_key=api_key),
        await bank.call("PUT", "/admin/merchants/mine", merchant, api_key=api_key),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_one_key_opens_one_merchant_only(bank: BankAtWork) -> None:
    twin = {"name": "Twin", "api_key": SHOP_KEY, "hosts": []}

    answer = await bank.call("PUT", "/admin/merchants/twin", twin, api_key=ADMIN_KEY)

    assert (answer.status_code, answer.json()["code"]) == (409, "api_key_taken")


async def test_a_rule_that_does_not_exist_is_refused(bank: BankAtWork) -> None:
    body = {"rules": [{"misbehaviour": "explodes"}]}

    answer = await bank.call("PUT", "/admin/misbehaviour", body, api_key=ADMIN_KEY)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_the_bank_documents_itself(bank: BankAtWork) -> None:
    document = (await bank.get("/openapi.json", api_key=None)).json()

    assert document["openapi"] == "3.1.0"
    assert {"/v1/payments", "/v1/operations/{key}/cancellation", "/admin/misbehaviour"} < set(document["paths"])
    pay = document["paths"]["/v1/payments"]["post"]
    assert {"200", "400", "401", "422"} <= set(pay["responses"])
    assert [one["name"] for one in pay["parameters"]] == ["Idempotency-Key"]
    assert "409" in document["paths"]["/v1/operations/{key}/cancellation"]["put"]["responses"]
    assert "swagger" in (await bank.get("/docs", api_key=None)).text
    assert (await bank.get("/readyz", api_key=None)).status_code == 200


async def test_the_clock_of_a_statement_is_the_banks(bank: BankAtWork) -> None:
    await bank.pay("charge")

    assert await bank.entries(NOW, NOW) == []
    assert await bank.entries(NOW, NOW + timedelta(seconds=1)) == [(1, "debit", "key-1", 1250)]
