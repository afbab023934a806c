"""What a merchant is told: signed, again until it is received, listed, replayed; and how that goes wrong on demand."""

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from bank_at_work import NOW, SECRET, BankAtWork, Ears, until

NEW_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def is_signed(heard: tuple[dict[str, str], bytes], secret: str = SECRET) -> bool:
    """What a merchant checks, written down from the bank's README and not from its code."""
    headers, body = heard
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()
    return f"v1,{wanted}" in headers["webhook-signature"].split(" ")


def event(ears: Ears, place: int) -> Any:
    return json.loads(ears.heard[place][1])


async def deliveries(bank: BankAtWork, query: str = "") -> list[Any]:
    found: list[Any] = (await bank.get(f"/v1/webhook-deliveries?{query}")).json()["items"]
    return found


async def received(bank: BankAtWork, count: int) -> list[Any]:
    """Wait until so many deliveries have been received."""

    async def enough() -> list[Any]:
        found = await deliveries(bank, "status=delivered")
        return found if len(found) >= count else []

    found: list[Any] = await until(enough)
    return found


async def test_each_change_is_told_with_a_signature_that_fits(bank_with_ears: BankAtWork, ears: Ears) -> None:
    bank = bank_with_ears
    held = await bank.pay()
    await bank.capture(held)
    await bank.refund(held, 250)

    await ears.hears(3)

    assert ears.types == ["payment.held", "payment.captured", "payment.refunded"]
    assert all(is_signed(heard) for heard in ears.heard)
    headers, _ = ears.heard[0]
    assert headers["content-type"] == "application/json"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    told = event(ears, 0)
    assert (told["event_id"], told["operation"]["payment"]) == (headers["webhook-id"], held)
    assert [event(ears, place)["operation"]["payment"]["version"] for place in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "card", "told"),
    [
        ("hold", "4000000000000004", "payment.declined"),
        ("hold", "4000000000000008", "payment.expired"),
        ("charge", "4000000000000001", "payment.captured"),
    ],
)
async def test_bad_news_and_good_news_are_told(
    bank_with_ears: BankAtWork, ears: Ears, kind: str, card: str, told: str
) -> None:
    await bank_with_ears.pay(kind, card)

    async def is_told() -> bool:
        return told in ears.types

    await until(is_told)


async def test_what_is_not_received_is_sent_again_under_the_same_id(bank_with_ears: BankAtWork, ears: Ears) -> None:
    ears.answers = [500, 307]
    await bank_with_ears.pay()

    for attempts, wait_s in ((1, 1), (2, 3)):

        async def has_failed(attempts: int = attempts) -> bool:
            return bool((await deliveries(bank_with_ears))[0]["attempts"] == attempts)

        await until(has_failed)
        bank_with_ears.passed = timedelta(seconds=wait_s)
    (delivery,) = await received(bank_with_ears, 1)

    assert len(ears.heard) == 3
    assert len({headers["webhook-id"] for headers, _ in ears.heard}) == 1
    assert [int(headers["webhook-timestamp"]) - int(NOW.timestamp()) for headers, _ in ears.heard] == [0, 1, 3]
    assert all(is_signed(heard) for heard in ears.heard)
    assert (delivery["attempts"], delivery["answer"]) == (3, 204)


async def test_after_twelve_attempts_it_has_failed_until_it_is_replayed(bank_with_ears: BankAtWork, ears: Ears) -> None:
    ears.answers = [500] * 12
    await bank_with_ears.pay()

    async def has_failed() -> list[Any]:
        bank_with_ears.passed += timedelta(seconds=60)
        return await deliveries(bank_with_ears, "status=failed")

    (failed,) = await until(has_failed)
    replayed = await bank_with_ears.post(f"/v1/webhook-deliveries/{failed['event_id']}/replay", None)
    (delivery,) = await received(bank_with_ears, 1)

    assert (failed["attempts"], failed["answer"]) == (12, 500)
    assert (replayed.status_code, replayed.json()["status"]) == (202, "pending")
    assert (delivery["event_id"], delivery["attempts"]) == (failed["event_id"], 1)


async def test_deliveries_are_listed_newest_first_page_by_page(bank_with_ears: BankAtWork) -> None:
    paid = [(await bank_with_ears.pay(key=f"key-{number}"))["payment_id"] for number in range(3)]
    await received(bank_with_ears, 3)

    first = (await bank_with_ears.get("/v1/webhook-deliveries?limit=2")).json()
    second = (await bank_with_ears.get(f"/v1/webhook-deliveries?limit=2&cursor={first['next_cursor']}")).json()

    assert [one["payment_id"] for one in first["items"]] == [paid[2], paid[1]]
    assert [one["payment_id"] for one in second["items"]] == [paid[0]]
    assert second["next_cursor"] is None
    unknown = await bank_with_ears.post("/v1/webhook-deliveries/evt_none/replay", None)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


async def test_secrets_are_exchanged_without_a_gap(bank_with_ears: BankAtWork, ears: Ears) -> None:
    both = {"url": ears.url, "secrets": [NEW_SECRET, SECRET]}

    changed = await bank_with_ears.call("PUT", "/v1/webhook", both)
    await bank_with_ears.pay()
    await ears.hears(1)

    assert changed.json() == {"url": ears.url, "secrets": 2}
    assert (await bank_with_ears.get("/v1/webhook")).json() == changed.json()
    assert is_signed(ears.heard[0], SECRET)
    assert is_signed(ears.heard[0], NEW_SECRET)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "http://elsewhere.example/", "secrets": [SECRET]}, "url_not_allowed"),
        ({"url": "file:///etc/passwd", "secrets": [SECRET]}, "malformed"),
        ({"url": "http://127.0.0.1/", "secrets": []}, "malformed"),
        ({"url": "http://127.0.0.1/", "secrets": [SECRET] * 3}, "malformed"),
        ({"url": "http://127.0.0.1/", "secrets": ["hush"]}, "malformed"),
        ({"url": "http://127.0.0.1/"}, "malformed"),
    ],
)
async def test_a_webhook_elsewhere_or_unsigned_is_refused(bank: BankAtWork, body: Any, code: str) -> None:
    answer = await bank.call("PUT", "/v1/webhook", body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (await bank.get("/v1/webhook")).json() == {"url": None, "secrets": 0}


async def test_a_webhook_that_is_late_waits_for_its_time(bank_with_ears: BankAtWork, ears: Ears) -> None:
    late = await bank_with_ears.pay(card="4000000000000012", key="late")
    await bank_with_ears.pay(key="prompt")
    await ears.hears(1)
    assert event(ears, 0)["operation"]["key"] == "prompt"

    bank_with_ears.passed = timedelta(seconds=5)
    await ears.hears(2)

    assert event(ears, 1)["operation"]["payment"] == late
    assert await bank_with_ears.fired() == {"webhook_late": 1}


async def test_a_webhook_comes_twice(bank_with_ears: BankAtWork, ears: Ears) -> None:
    await bank_with_ears.pay(card="4000000000000013")

    await ears.hears(2)

    assert ears.heard[0][1] == ears.heard[1][1]
    assert await bank_with_ears.fired() == {"webhook_twice": 1}


async def test_webhooks_come_out_of_order(bank_with_ears: BankAtWork, ears: Ears) -> None:
    await bank_with_ears.capture(await bank_with_ears.pay(card="4000000000000014"))

    await ears.hears(2)

    assert ears.types == ["payment.captured", "payment.held"]
    assert await bank_with_ears.fired() == {"webhook_out_of_order": 1}


async def test_a_webhook_has_a_wrong_signature_and_then_the_right_one(bank_with_ears: BankAtWork, ears: Ears) -> None:
    ears.answers = [401]
    await bank_with_ears.pay(card="4000000000000015")
    await ears.hears(1)

    async def has_been_refused() -> bool:
        return bool((await deliveries(bank_with_ears))[0]["attempts"] == 1)

    await until(has_been_refused)
    bank_with_ears.passed = timedelta(seconds=1)
    await ears.hears(2)

    assert [is_signed(heard) for heard in ears.heard] == [False, True]
    assert await bank_with_ears.fired() == {"webhook_wrong_signature": 1}


async def test_a_webhook_that_is_lost_comes_when_it_is_replayed(bank_with_ears: BankAtWork, ears: Ears) -> None:
    await bank_with_ears.misbehave({"misbehaviour": "webhook_lost", "on": "hold", "next": 1})
    await bank_with_ears.pay()

    (lost,) = await deliveries(bank_with_ears, "status=failed")
    assert (ears.heard, lost["attempts"]) == ([], 0)
    await bank_with_ears.post(f"/v1/webhook-deliveries/{lost['event_id']}/replay", None)
    await ears.hears(1)

    assert is_signed(ears.heard[0])
