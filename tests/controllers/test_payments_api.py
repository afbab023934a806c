"""The routes of payments: top-ups, what their owners see, what operators settle, and whose webhooks are heard."""

import asyncio
import base64
import hmac
import time
from typing import Any

import httpx
import msgspec
import pytest

from sagamart.platform.http import Caller
from sagamart.shop.payments.api import routes
from sagamart.shop.payments.decide import PaymentRules
from sagamart.shop.payments.messages import BankSilent
from sagamart.shop.payments.service import PAYMENTS_SERVICE, payments_service
from shop_fixtures import RunningService, Started

ANNA = Caller("cus_018f0000000070008000000000000001", frozenset({"CUSTOMER"}))
BORIS = Caller("cus_018f0000000070008000000000000002", frozenset({"CUSTOMER"}))
OPERATOR = Caller("usr_operator", frozenset({"OPERATOR"}))
OLD, NEW = "whsec_b2xkIHNlY3JldCBvZiB0aGUgYmFuaw==", "whsec_bmV3IHNlY3JldCBvZiB0aGUgYmFuaw=="
MONEY = {"amount_minor": 500, "currency": "RUB"}
HOOK = "/v1/bank-webhooks/bank"


@pytest.fixture
async def payments(started: Started) -> RunningService:
    """Payments whose bank signs with either of two secrets.  What the bank is asked waits in the outbox."""
    return await started(PAYMENTS_SERVICE, routes([NEW, OLD]))


async def topped_up(payments: RunningService) -> str:
    """The id of a top-up of Anna's."""
    answer = await payments.post("/v1/wallet/top-ups", MONEY, caller=ANNA, key="top-up")
    found: str = answer.json()["id"]
    return found


def signed(body: bytes, secret: str = NEW, event_id: str = "evt_1", at_s: float | None = None) -> dict[str, str]:
    """The headers of a webhook."""
    timestamp = str(int(time.time() if at_s is None else at_s))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def hook(payment_id: str, version: int = 1) -> bytes:
    """The body of a webhook, with more in it than is believed."""
    told = {"payment": {"key": payment_id, "version": version, "status": "captured"}, "status": "succeeded"}
    return msgspec.json.encode({"event_id": "evt_1", "type": "payment.captured", "operation": told})


async def heard(payments: RunningService, body: bytes, headers: dict[str, str], path: str = HOOK) -> httpx.Response:
    return await payments.http.post(path, content=body, headers={"content-type": "application/json", **headers})


async def asked_of_the_bank(payments: RunningService) -> list[str]:
    told = "select line::jsonb ->> 'type' from outbox, string_to_table(convert_from(messages, 'UTF8'), e'\\n') line"
    return sorted(kind for (kind,) in await payments.rows(told) if kind in payments.service.outside)


async def test_a_top_up_is_accepted_and_can_be_looked_at_by_its_owner(payments: RunningService) -> None:
    answer = await payments.post("/v1/wallet/top-ups", MONEY, caller=ANNA)

    assert answer.status_code == 202
    seen = await payments.get(answer.headers["location"], caller=ANNA)
    assert (seen.json()["status"], seen.json()["purpose"], seen.json()["amount_minor"]) == ("new", "top_up", 500)
    assert await asked_of_the_bank(payments) == ["BankOpenAsked"]


async def test_a_top_up_repeated_under_its_key_is_one(payments: RunningService) -> None:
    first = await payments.post("/v1/wallet/top-ups", MONEY, caller=ANNA)
    again = await payments.post("/v1/wallet/top-ups", MONEY, caller=ANNA)
    other = await payments.post("/v1/wallet/top-ups", {**MONEY, "amount_minor": 501}, caller=ANNA)

    assert first.content == again.content
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert await payments.rows("select count(*) from payments") == [(1,)]


async def test_a_payment_is_seen_by_its_owner_and_by_operators_only(payments: RunningService) -> None:
    path = f"/v1/payments/{await topped_up(payments)}"

    statuses = [(await payments.get(path, caller=who)).status_code for who in (ANNA, BORIS, OPERATOR, None)]
    assert statuses == [200, 404, 200, 401]


@pytest.mark.parametrize(
    ("rules", "body", "status", "code"),
    [
        (PaymentRules(bank=False), MONEY, 409, "bank_not_configured"),
        (PaymentRules(), {**MONEY, "currency": "EUR"}, 409, "currency_mismatch"),
        (PaymentRules(top_up_minor_max=499), MONEY, 409, "top_up_too_large"),
        (PaymentRules(), {**MONEY, "amount_minor": 0}, 400, "malformed"),
        (PaymentRules(), {**MONEY, "amount_minor": 1.5}, 400, "malformed"),
        (PaymentRules(), {**MONEY, "card": "4000000000000001"}, 400, "malformed"),
    ],
)
async def test_a_top_up_against_the_rules_is_refused(
    started: Started, rules: PaymentRules, body: Any, status: int, code: str
) -> None:
    payments = await started(payments_service(rules), routes([NEW]))

    answer = await payments.post("/v1/wallet/top-ups", body, caller=ANNA)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_customer_has_so_many_top_ups_open_and_no_more(started: Started) -> None:
    payments = await started(payments_service(PaymentRules(open_top_ups_max=2)), routes([NEW]))
    path = "/v1/wallet/top-ups"

    answers = await asyncio.gather(*(payments.post(path, MONEY, caller=ANNA, key=f"key-{one}") for one in range(12)))

    opened = [one for one in answers if one.status_code == 202]
    refused = [one.json() for one in answers if one.status_code != 202]
    links = sorted(one.headers["location"] for one in opened)
    assert len(opened) == 2
    assert {(one["code"], one["status"]) for one in refused} == {("too_many_open_top_ups", 409)}
    late = (await payments.post(path, MONEY, caller=ANNA, key="late")).json()
    assert (late["open_top_ups_max"], sorted(late["top_ups"])) == (2, links)
    assert (await payments.post(path, MONEY, caller=BORIS, key="other")).status_code == 202

    settled = f"/v1/operations/payments/{opened[0].json()['id']}/resolution"
    await payments.post(settled, {"outcome": "nothing_taken", "why": "the bank called"}, caller=OPERATOR, key="settle")
    assert (await payments.post(path, MONEY, caller=ANNA, key="next")).status_code == 202


async def test_who_waits_in_vain_gets_the_top_up_as_it_is(payments: RunningService) -> None:
    answer = await payments.send("POST", "/v1/wallet/top-ups", MONEY, caller=ANNA, key="top-up", Prefer="wait=0")

    assert (answer.status_code, answer.json()["status"]) == (202, "new")
    assert "preference-applied" not in answer.headers


async def test_customers_list_their_own_payments_the_newest_first(payments: RunningService) -> None:
    for number in range(3):
        await payments.post("/v1/wallet/top-ups", {**MONEY, "amount_minor": 100 + number}, caller=ANNA, key=str(number))

    first = (await payments.get("/v1/payments?limit=2", caller=ANNA)).json()
    rest = (await payments.get(f"/v1/payments?cursor={first['next_cursor']}", caller=ANNA)).json()

    assert [one["amount_minor"] for one in (*first["items"], *rest["items"])] == [102, 101, 100]
    assert (await payments.get("/v1/payments", caller=BORIS)).json()["items"] == []


async def test_operators_see_which_payments_are_unknown_since_when_and_what_the_bank_is_asked(
    payments: RunningService,
) -> None:
    payment_id, known = await topped_up(payments), await payments.post("/v1/wallet/top-ups", MONEY, caller=BORIS)
    await payments.rows("update payments set at = at - interval '1 hour' where payment_id = $1", payment_id)
    await payments.hears(BankSilent(payment_id))

    (one,) = (await payments.get("/v1/operations/payments/unknown", caller=OPERATOR)).json()["items"]

    assert known.json()["id"] != one["id"] == payment_id
    assert (one["asked"], one["amount_minor"], one["customer_id"]) == (["open"], 500, ANNA.id)
    assert 3_600 <= one["age_s"] < 7_200
    assert one["next_asking_at"] is not None
    settled = await payments.post(
        one["resolution"], {"outcome": "nothing_taken", "why": "a letter"}, caller=OPERATOR, key="settle"
    )
    assert settled.json() == (await payments.get(one["payment"], caller=ANNA)).json()
    assert (await payments.get("/v1/operations/payments/unknown", caller=OPERATOR)).json()["items"] == []


async def test_unknown_payments_come_in_pages_the_oldest_first(payments: RunningService) -> None:
    ids = [
        (await payments.post("/v1/wallet/top-ups", MONEY, caller=ANNA, key=str(one))).json()["id"] for one in range(3)
    ]
    await payments.hears(*(BankSilent(one) for one in ids))

    first = (await payments.get("/v1/operations/payments/unknown?limit=2", caller=OPERATOR)).json()
    cursor = first["next_cursor"]
    rest = (await payments.get(f"/v1/operations/payments/unknown?cursor={cursor}", caller=OPERATOR)).json()

    assert [one["id"] for one in (*first["items"], *rest["items"])] == ids


@pytest.mark.parametrize("secret", [NEW, OLD], ids=["new secret", "old secret"])
async def test_a_webhook_has_the_bank_asked_and_changes_nothing_itself(payments: RunningService, secret: str) -> None:
    body = hook(await topped_up(payments))

    answer = await heard(payments, body, signed(body, secret))

    assert (answer.status_code, answer.content) == (204, b"")
    assert await asked_of_the_bank(payments) == ["BankOpenAsked", "BankStateAsked"]
    assert await payments.rows("select status from payments") == [("new",)]


async def test_a_webhook_that_comes_again_is_harmless(payments: RunningService) -> None:
    body = hook(await topped_up(payments))

    answers = [(await heard(payments, body, signed(body))).status_code for _ in range(3)]

    assert answers == [204] * 3
    assert (await asked_of_the_bank(payments)).count("BankStateAsked") == 1


async def test_a_webhook_of_no_payment_of_ours_is_heard_and_forgotten(payments: RunningService) -> None:
    for body in (hook("pay_unknown"), b"{}", b"[1]", b"not json", b""):
        assert (await heard(payments, body, signed(body, event_id=f"evt_{len(body)}"))).status_code == 204
    assert await asked_of_the_bank(payments) == []


async def test_what_is_not_signed_by_the_bank_now_is_refused(payments: RunningService) -> None:
    body = hook(await topped_up(payments))
    now_s = time.time()
    good = signed(body)
    forged: list[tuple[bytes, dict[str, str]]] = [
        (body, {}),
        (body, signed(body, "whsec_" + base64.b64encode(b"guessed").decode())),
        (body.replace(b"captured", b"declined"), good),
        (body + b" ", good),
        (msgspec.json.encode(msgspec.json.decode(body), order="sorted"), good),
        (body, {**good, "webhook-id": "evt_2"}),
        (body, {**good, "webhook-timestamp": str(int(now_s) + 1)}),
        (body, signed(body, at_s=now_s - 301 - 1)),
        (body, signed(body, at_s=now_s + 301 + 1)),
        (body, {**good, "webhook-timestamp": "soon"}),
        (body, {**good, "webhook-timestamp": "9" * 400}),
        (body, {**good, "webhook-signature": good["webhook-signature"].removeprefix("v1,")}),
        (body, {**good, "webhook-signature": ""}),
        (body, signed(body, event_id="")),
        (body, signed(body, event_id="e" * 201)),
    ]

    answers = [await heard(payments, *one) for one in forged]
    answers.append(await heard(payments, body, good, "/v1/bank-webhooks/another"))

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(401, "bad_signature")] * len(answers)
    assert await asked_of_the_bank(payments) == ["BankOpenAsked"]


async def test_a_shop_without_a_secret_hears_no_webhooks(started: Started) -> None:
    payments = await started(PAYMENTS_SERVICE, routes([]))

    assert (await heard(payments, b"{}", signed(b"{}", "whsec_"))).status_code == 401


async def test_an_operator_settles_a_payment_under_their_name(payments: RunningService) -> None:
    payment_id = await topped_up(payments)
    path = f"/v1/operations/payments/{payment_id}/resolution"
    body = {"outcome": "captured", "why": "a letter from the bank", "bank_id": "bnk_7"}

    unnamed = await payments.post(path, {**body, "bank_id": None}, caller=OPERATOR, key="unnamed")
    answer = await payments.post(path, body, caller=OPERATOR)
    again = await payments.post(path, body, caller=OPERATOR, key="another")
    nobodys = await payments.post(path.replace("top_", "top_x"), body, caller=OPERATOR, key="third")

    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "bank_id_needed")
    assert (answer.status_code, answer.json()["status"]) == (200, "captured")
    assert (again.status_code, again.json()["code"]) == (409, "payment_settled")
    assert (nobodys.status_code, nobodys.json()["code"]) == (404, "no_such_payment")
    assert await payments.rows("select payment_id, outcome, by, why from resolutions") == [
        (payment_id, "captured", OPERATOR.id, "a letter from the bank")
    ]


@pytest.mark.parametrize("secrets", [["whsec_!"], ["whsec_"], ["whsec_c2hvcnQ="], [NEW, OLD, NEW]])
def test_secrets_that_cannot_be_used_are_refused_at_the_start(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        routes(secrets)
