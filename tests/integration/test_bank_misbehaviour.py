"""Each misbehaviour does what it says, is counted, and leaves the books right."""

import asyncio
from typing import Any

import httpx
import pytest

from bank_at_work import PAYS, RUB, BankAtWork, OpenBank, payment, until


@pytest.fixture
async def moody(open_bank: OpenBank) -> BankAtWork:
    return await open_bank()


async def breaks(bank: BankAtWork, body: Any, *, path: str = "/v1/payments", key: str = "key-1") -> None:
    """A request whose connection breaks without an answer."""
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await bank.post(path, body, key=key)


@pytest.mark.parametrize("card", ["4000000000000009", PAYS])
async def test_charges_and_times_out_then_tells_by_key(moody: BankAtWork, card: str) -> None:
    if card == PAYS:
        await moody.misbehave({"misbehaviour": "times_out", "on": "charge", "next": 1, "delay_ms": 50})

    await breaks(moody, payment("charge", card))

    assert (await moody.operation())["payment"]["status"] == "captured"
    again = await moody.post("/v1/payments", payment("charge", card))
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")
    assert await moody.entries() == [(1, "debit", "key-1", 1250)]
    assert await moody.fired() == {"times_out": 1}


async def test_captures_and_times_out(moody: BankAtWork) -> None:
    held = await moody.pay(card="4000000000000016")

    await breaks(moody, RUB(1250), path=f"/v1/payments/{held['payment_id']}/capture", key="capture")

    assert (await moody.operation("capture"))["status"] == "succeeded"
    assert (await moody.capture(held))["payment"]["captured_minor"] == 1250
    assert await moody.entries() == [(1, "debit", "capture", 1250)]


async def test_a_client_that_hangs_up_while_the_bank_is_silent_was_charged_all_the_same(moody: BankAtWork) -> None:
    await moody.misbehave({"misbehaviour": "times_out", "delay_ms": 600_000, "next": 1})

    with pytest.raises(httpx.ReadTimeout):
        await moody.http.post(
            "/v1/payments",
            json=payment("charge"),
            headers={"Authorization": "Bearer key-of-the-shop", "Idempotency-Key": "key-1"},
            timeout=httpx.Timeout(30, read=1),
        )

    async def was_charged() -> bool:
        return (await moody.get("/v1/operations/key-1")).status_code == 200

    await until(was_charged)
    assert await moody.entries() == [(1, "debit", "key-1", 1250)]


async def test_answers_late(moody: BankAtWork) -> None:
    await moody.misbehave({"misbehaviour": "answers_late", "delay_ms": 300})
    begun = asyncio.get_running_loop().time()

    await moody.pay()

    assert asyncio.get_running_loop().time() - begun >= 0.3
    assert await moody.fired() == {"answers_late": 1}


async def test_a_charge_that_is_still_on_its_way_is_not_found(moody: BankAtWork) -> None:
    await moody.misbehave({"misbehaviour": "lands_late", "delay_ms": 600_000, "next": 1})

    await breaks(moody, payment("charge"))
    answer = await moody.get("/v1/operations/key-1")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await moody.entries() == []


async def test_a_charge_that_lands_late_lands(moody: BankAtWork) -> None:
    await breaks(moody, payment("charge", "4000000000000011"))

    async def has_landed() -> bool:
        return (await moody.get("/v1/operations/key-1")).status_code == 200

    await until(has_landed)
    assert await moody.entries() == [(1, "debit", "key-1", 1250)]
    assert await moody.fired() == {"lands_late": 1}


async def test_a_charge_that_lands_late_takes_nothing_once_its_key_is_cancelled(moody: BankAtWork) -> None:
    await moody.misbehave({"misbehaviour": "lands_late", "delay_ms": 1_000, "next": 1})
    await breaks(moody, payment("charge"))

    cancelled = await moody.cancel("key-1")
    await asyncio.gather(*moody.bank.desk.line.on_their_way)

    assert cancelled.json()["status"] == "cancelled"
    assert (await moody.operation())["status"] == "cancelled"
    assert sum(amount for *_, amount in await moody.entries()) == 0


@pytest.mark.parametrize(
    ("on", "refusal"),
    [
        ("hold", "card_declined"),
        ("charge", "card_declined"),
        ("capture", "capture_declined"),
        ("refund", "refund_declined"),
    ],
)
async def test_refuses(moody: BankAtWork, on: str, refusal: str) -> None:
    await moody.misbehave({"misbehaviour": "refuses", "on": on})

    if on in ("hold", "charge"):
        assert (await moody.pay(on))["refusal"] == refusal
    elif on == "capture":
        assert (await moody.capture(await moody.pay()))["refusal"] == refusal
    else:
        assert (await moody.refund(await moody.pay("charge")))["refusal"] == refusal
    assert await moody.fired() == {"refuses": 1}


async def test_a_query_may_find_nothing_though_it_is_there(moody: BankAtWork) -> None:
    await moody.pay("charge")
    await moody.misbehave({"misbehaviour": "not_found", "key": "key-1", "next": 1})

    assert (await moody.get("/v1/operations/key-1")).status_code == 404
    assert (await moody.get("/v1/operations/key-1")).status_code == 200


async def test_answers_that_no_client_should_swallow(moody: BankAtWork) -> None:
    await moody.misbehave(
        {"misbehaviour": "answers_oversized", "key": "oversized"},
        {"misbehaviour": "answers_wrong_type", "key": "wrong_type"},
        {"misbehaviour": "answers_redirect", "key": "redirect"},
    )

    oversized = await moody.post("/v1/payments", payment(), key="oversized")
    wrong_type = await moody.post("/v1/payments", payment(), key="wrong_type")
    redirect = await moody.post("/v1/payments", payment(), key="redirect")

    assert len(oversized.content) == 16 * 1024 * 1024
    assert wrong_type.headers["content-type"].startswith("text/html")
    assert (redirect.status_code, redirect.headers["location"]) == (307, "http://elsewhere.example/")
    assert await moody.rows("select count(*) from payments") == [(3,)]
    assert await moody.fired() == {"answers_oversized": 1, "answers_wrong_type": 1, "answers_redirect": 1}


async def test_a_bank_that_is_down_does_nothing(moody: BankAtWork) -> None:
    await moody.misbehave({"misbehaviour": "down", "next": 1}, {"misbehaviour": "unreachable", "next": 1})

    await breaks(moody, payment())
    closed = await moody.post("/v1/payments", payment())

    assert (closed.status_code, closed.json()["code"], closed.headers["retry-after"]) == (503, "down", "1")
    assert await moody.rows("select * from operations") == []
    assert await moody.fired() == {"down": 1, "unreachable": 1}
    assert (await moody.pay())["status"] == "held"


async def test_the_same_key_ten_times_at_once_is_one_charge(moody: BankAtWork) -> None:
    answers = await asyncio.gather(*(moody.post("/v1/payments", payment("charge")) for _ in range(10)))

    assert len({answer.content for answer in answers}) == 1
    assert await moody.entries() == [(1, "debit", "key-1", 1250)]


async def test_a_cancellation_that_races_its_charge_leaves_it_undone(moody: BankAtWork) -> None:
    keys = [f"key-{number}" for number in range(10)]

    await asyncio.gather(
        *(moody.post("/v1/payments", payment("charge"), key=key) for key in keys), *map(moody.cancel, keys)
    )

    assert {(await moody.operation(key))["status"] for key in keys} == {"cancelled"}
    assert sum(amount for *_, amount in await moody.entries()) == 0


async def test_ten_clients_at_once_number_their_entries_without_a_gap(moody: BankAtWork) -> None:
    cards = [f"40000000000{number}0001" for number in range(10)]

    await asyncio.gather(*(moody.pay("charge", card, key=card) for card in cards))

    assert [entry for entry, *_ in await moody.entries()] == list(range(1, 11))


async def test_captures_and_refunds_that_race_never_exceed_what_was_captured(moody: BankAtWork) -> None:
    charged = await moody.pay("charge")

    done = await asyncio.gather(*(moody.refund(charged, 500, key=f"refund-{number}") for number in range(5)))

    assert sorted(one["status"] for one in done) == ["refused", "refused", "refused", "succeeded", "succeeded"]
