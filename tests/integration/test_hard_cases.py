"""The hard cases of an order, each in the whole shop at work, the real bank over the road, many clients at once.

One shop stays open for all of them; its invariants are audited at the end.  The simulation and
`test_orders_permutations.py` try the same cases in every order of arrival.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import count, permutations
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from market import BY_COURIER, MUG_MINOR, TWO_MUGS, Market
from open_shop import OPERATOR
from overheard import Heard, Sent
from payments_street import DECLINED, PAYS
from sagamart.contracts.accounts import CustomerRegistered
from sagamart.contracts.order_requests import CaptureRequested, HoldRequested, PaymentRequest
from sagamart.contracts.orders import Line
from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.message import Message
from sagamart.platform.http import Caller
from shop_fixtures import said

RICH_MINOR = 1_000_000
numbers = count(1)


@pytest.fixture
def market(lasting_market: Market) -> Market:
    return lasting_market


async def customer(market: Market, deposit_minor: int = RICH_MINOR) -> Caller:
    return await market.shop.customer(next(numbers), deposit_minor)


async def customers(market: Market, many: int, deposit_minor: int = RICH_MINOR) -> Sequence[Caller]:
    return await asyncio.gather(*(customer(market, deposit_minor) for _ in range(many)))


async def new_sku(market: Market, pieces: int, price_minor: int = 100) -> str:
    sku = f"SKU-{next(numbers)}"
    await market.shop.sells(sku, price_minor, pieces=pieces)
    return sku


async def at_once(*asked: Awaitable[httpx.Response]) -> list[httpx.Response]:
    return list(await asyncio.gather(*asked))


def codes(answers: Sequence[httpx.Response]) -> Counter[Any]:
    return Counter(one.json().get("code", one.status_code) for one in answers)


async def balance(market: Market, caller: Caller) -> int:
    wallet = (await market.shop.get("/v1/wallet", caller=caller)).json()
    assert wallet["available_minor"] == wallet["balance_minor"], "nothing is held any more"
    return int(wallet["balance_minor"])


PAYING = ("StockBooked", "MoneyHeld", "MoneyCaptured")


def early(kind: type[PaymentRequest], who: Caller, order_id: str, sku: str) -> Message[Any]:
    """What orders would ask of the wallet for one piece, once it knew that the piece is there."""
    return said(kind(order_id, 1, "pay_pending", who.id, 1, (Line(sku, sku.title(), 1, 100),), 100, "RUB", 1, 100))


async def stale(market: Market) -> float:
    """How many messages orders has handled that changed nothing."""
    text = (await market.shop.get("/metrics")).text
    found = re.search(r'sagamart_messages_total\{outcome="stale",service="orders"\} (\S+)', text)
    return 0 if found is None else float(found[1])


async def test_facts_that_overtake_each_other_advance_an_order_and_lead_to_the_same_end(market: Market) -> None:
    ways = list(permutations(PAYING))
    people, sku = await customers(market, len(ways)), await new_sku(market, len(ways))
    heard, sent, wallet = Heard(market), Sent(market, "stock", "wallet"), market.worker("wallet")

    async with market.paused("orders"):  # it answers its customers, and hears nothing of the others
        wish = {"lines": [{"sku": sku}]}
        placed = [await market.post("/v1/orders", wish, caller=one) for one in people]
        orders = [one.json()["id"] for one in placed]
        for kind in (HoldRequested, CaptureRequested):
            wallet.offer_own([Arrival(early(kind, *one, sku)) for one in zip(people, orders, strict=True)])
        facts = [await sent.facts_of(order_id, *PAYING) for order_id in orders]
        named = [dict(zip(PAYING, one, strict=True)) for one in facts]

        await heard.again(*(one[way[0]] for way, one in zip(ways, named, strict=True)))
        for who, order_id, way in zip(people, orders, ways, strict=True):
            seen = await market.shown(who, order_id)
            assert seen["status"] == "pay_pending"
            is_booked, paid = "booked" in seen["lines"][0], seen["payments"][0]["state"]
            assert (is_booked, paid) == (way[0] == "StockBooked", STATES[way[0]])
        for place in (1, 0, 2):  # the second of each, the first once more, the third
            await heard.again(*(one[way[place]] for way, one in zip(ways, named, strict=True)))

    ends = [await market.becomes(*one, "completed") for one in zip(people, orders, strict=True)]
    assert {(one["version"], one["payments"][0]["state"]) for one in ends} == {(1 + len(PAYING), "captured")}
    before = await stale(market)
    await heard.again(*(replace(fact, id=said(fact.body).id) for one in facts for fact in one))
    assert await stale(market) >= before + len(ways) * len(PAYING)
    assert [await market.shown(*one) for one in zip(people, orders, strict=True)] == ends
    for one in people:
        await market.has(one, RICH_MINOR - 100)
    await market.in_stock(sku, 0)


STATES = {"StockBooked": "started", "MoneyHeld": "held", "MoneyCaptured": "captured"}
"""How a payment stands once this is known, whatever else is not."""


async def test_two_clicks_make_one_order_and_a_second_order_waits_for_the_first(market: Market) -> None:
    ann, wish = await customer(market), {"lines": [TWO_MUGS], "pay": "later"}
    post = market.shop.post

    same = await at_once(*(post("/v1/orders", wish, caller=ann, key="two-clicks") for _ in range(200)))
    others = await at_once(*(post("/v1/orders", wish, caller=ann, key=f"other-{one}") for one in range(100)))

    assert {(one.status_code, one.json()["id"]) for one in same} == {(202, same[0].json()["id"])}
    assert codes(others) == {"unpaid_order_exists": 100}
    assert {tuple(one.json()["orders"]) for one in others} == {(same[0].headers["Location"],)}
    await market.post(f"{same[0].headers['Location']}/cancellation", caller=ann)


async def test_a_message_that_comes_again_has_no_effect(market: Market) -> None:
    heard, ann = Heard(market), await customer(market)
    order_id = await market.order(ann)
    await market.pays(ann, order_id, "wallet")
    done = await market.becomes(ann, order_id, "completed")
    facts = await heard.facts_of(order_id, *PAYING)

    for _ in range(3):
        await heard.again(*facts, *facts)

    assert await market.shown(ann, order_id) == done


async def test_of_many_part_payments_at_once_exactly_what_is_due_is_taken(market: Market) -> None:
    ann = await customer(market)
    order_id = await market.order(ann)
    path, part = f"/v1/orders/{order_id}/payments", {"source": "wallet", "amount_minor": MUG_MINOR // 3}

    answers = await at_once(*(market.post(path, part, caller=ann) for _ in range(200)))

    assert codes(answers)[202] == 6
    done = await market.becomes(ann, order_id, "completed")
    assert [one["state"] for one in done["payments"]] == ["captured"] * 6
    assert await balance(market, ann) == RICH_MINOR - 2 * MUG_MINOR


async def test_a_change_that_does_not_come_about_leaves_an_order_its_goods_and_its_discount(market: Market) -> None:
    sku, ann = await new_sku(market, 2), await customer(market)
    await market.gives_code("PAIR", 10, goods_min_minor=200, uses_max=1)
    order_id = await market.order(ann, {"sku": sku, "quantity": 2}, promo_code="PAIR")
    before = await market.shown(ann, order_id)

    one_of_the_last_two = {"lines": [{"sku": sku}]}
    seen = {"If-Match": f'"{before["version"]}"'}
    changed = await market.shop.call("PUT", f"/v1/orders/{order_id}", one_of_the_last_two, caller=ann, **seen)

    assert changed.status_code == 202, changed.text
    after = await market.becomes(ann, order_id, "booked")
    assert [after[name] for name in ("lines", "total_minor")] == [before[name] for name in ("lines", "total_minor")]
    await market.pays(ann, order_id, "wallet")
    await market.becomes(ann, order_id, "completed")
    await market.has(ann, RICH_MINOR - 180)
    await market.code_is_used("PAIR", 1)
    await market.in_stock(sku, 0)


async def test_a_payment_that_fails_may_be_tried_again_and_else_the_goods_are_released(market: Market) -> None:
    sku, poor = await new_sku(market, 1), await customer(market, 1)
    order_id = await market.order(poor, {"sku": sku})

    assert (await market.pays(poor, order_id, "wallet"))["status"] == "booked"
    await market.confirms(await market.pays(poor, order_id, "bank"), DECLINED)
    await market.becomes(poor, order_id, "booked")
    await market.runs_out(order_id)

    gone = await market.becomes(poor, order_id, "cancelled")
    assert [one["state"] for one in gone["payments"]] == ["ended", "ended"]
    await market.in_stock(sku, 1)


async def test_money_that_races_a_cancellation_pays_the_order_or_goes_back(market: Market) -> None:
    people = await customers(market, 40, 0)
    sku = await new_sku(market, 40)
    orders = await asyncio.gather(*(market.order(one, {"sku": sku}) for one in people))
    pages = await asyncio.gather(*(market.pays(*one, "bank") for one in zip(people, orders, strict=True)))

    async def confirm(order: Any) -> httpx.Response:
        form = {"card": PAYS, "answer": "confirm"}
        return await market.bank.http.post(order["payments"][0]["redirect_url"], data=form)

    cancelled = (
        market.post(f"/v1/orders/{order_id}/cancellation", caller=one)
        for one, order_id in zip(people, orders, strict=True)
    )
    await at_once(*(confirm(page) for page in pages), *cancelled)

    ends = [await market.becomes(*one, "completed", "cancelled") for one in zip(people, orders, strict=True)]
    paid = sum(one["status"] == "completed" for one in ends)
    await market.in_stock(sku, 40 - paid)
    assert await market.bank_took(*orders) == 100 * paid


async def test_a_bank_that_does_not_answer_is_asked_until_it_does_and_takes_the_money_once(market: Market) -> None:
    ann = await customer(market, 0)
    order_id = await market.order(ann)
    await market.bank.misbehave(
        {"misbehaviour": "times_out", "on": "hold", "next": 1, "delay_ms": 200},
        {"misbehaviour": "answers_wrong_type", "on": "capture", "next": 1},
    )

    await market.confirms(await market.pays(ann, order_id, "bank"))

    await market.becomes(ann, order_id, "completed")
    assert await market.bank.fired() == {"times_out": 1, "answers_wrong_type": 1}
    assert await market.bank_took(order_id) == 2 * MUG_MINOR


async def test_a_top_up_that_the_bank_took_is_credited_once(market: Market) -> None:
    ann = await customer(market, 0)
    await market.bank.misbehave({"misbehaviour": "webhook_twice"})
    money = {"amount_minor": 500, "currency": "RUB"}
    top_up = await market.post("/v1/wallet/top-ups", money, caller=ann, Prefer="wait=30")
    assert top_up.status_code == 200

    await market.bank.http.post(top_up.json()["redirect_url"], data={"card": PAYS, "answer": "confirm"})
    await market.has(ann, 500)

    (await market.post("/v1/operations/reconciliation", caller=OPERATOR)).raise_for_status()
    await market.has(ann, 500)


async def test_the_last_unit_is_sold_to_one_of_a_hundred_buyers(market: Market) -> None:
    sku, people = await new_sku(market, 1), await customers(market, 100)

    answers = await at_once(
        *(market.post("/v1/orders", {"lines": [{"sku": sku}]}, caller=one, Prefer="wait=30") for one in people)
    )

    placed = [(who, one.json()["id"]) for who, one in zip(people, answers, strict=True) if one.is_success]
    ends = [await market.becomes(*one, "completed", "cancelled") for one in placed]
    refused = [one["reason"]["code"] for one in ends if one["status"] == "cancelled"]
    refused += [one.json()["code"] for one in answers if not one.is_success]
    assert len(refused) == 99
    assert set(refused) <= {"sold_out", "stock_refused"}
    await market.in_stock(sku, 0)


async def test_a_window_that_closes_while_a_payment_starts_gives_one_outcome(market: Market) -> None:
    people, sku = await customers(market, 100), await new_sku(market, 100)
    orders = await asyncio.gather(*(market.order(one, {"sku": sku}) for one in people))
    wish = {"source": "wallet"}

    await asyncio.gather(
        *(market.runs_out(order_id) for order_id in orders),
        *(market.post(f"/v1/orders/{one}/payments", wish, caller=who) for who, one in zip(people, orders, strict=True)),
    )

    for who, order_id in zip(people, orders, strict=True):
        end = await market.becomes(who, order_id, "completed", "cancelled")
        left = RICH_MINOR - 100 * (end["status"] == "completed")
        await market.has(who, left)


async def test_a_cancellation_that_races_the_capture_wins_or_comes_too_late(market: Market) -> None:
    people, sku = await customers(market, 200), await new_sku(market, 200)
    wish = {"lines": [{"sku": sku}]}

    async def order_and_cancel(who: Caller) -> tuple[Caller, str, httpx.Response]:
        placed = await market.post("/v1/orders", wish, caller=who)
        path = placed.headers["Location"]
        return who, path.rpartition("/")[2], await market.post(f"{path}/cancellation", caller=who)

    for who, order_id, cancelled in await asyncio.gather(*map(order_and_cancel, people)):
        end = await market.becomes(who, order_id, "completed", "cancelled")
        assert (end["status"] == "cancelled") == cancelled.is_success
        assert cancelled.is_success or cancelled.json()["code"] == "too_late_to_cancel"
        await market.has(who, RICH_MINOR - 100 * (end["status"] == "completed"))


async def test_nobody_pays_another_price_than_the_one_that_was_shown(market: Market) -> None:
    people, sku = await customers(market, 200), await new_sku(market, 200)
    wish = {"lines": [{"sku": sku, "price_minor": 100}]}

    orders = [market.post("/v1/orders", wish, caller=one) for one in people]
    dearer = market.shop.call(
        "PATCH", f"/v1/products/{sku}", {"price_minor": 150}, caller=OPERATOR, **{"If-Match": '"1"'}
    )
    *answers, changed = await at_once(*orders, dearer)

    assert changed.is_success
    totals = {one.json()["total_minor"] for one in answers if one.is_success}
    assert totals <= {100}
    assert set(codes(answers)) <= {202, "price_changed"}


async def test_a_release_that_overtakes_its_booking_leaves_nothing_reserved(market: Market) -> None:
    sku, ann = await new_sku(market, 1), await customer(market)
    stock, sent = market.worker("stock"), Sent(market, "orders")

    async with market.paused("stock"):
        placed = await market.post("/v1/orders", {"lines": [{"sku": sku}]}, caller=ann)
        (await market.post(f"{placed.headers['Location']}/cancellation", caller=ann)).raise_for_status()
        for one in await sent.facts_of(placed.json()["id"], "OrderCancelled", "BookingRequested"):
            heard = market.shop.batch_of("stock", handled(one))
            stock.offer_own([Arrival(one)])
            await heard

    await market.in_stock(sku, 1)


def handled(message: Message[Any]) -> Callable[[Batch], bool]:
    return lambda batch: any(one.message.id == message.id for one in batch.arrivals)


async def test_a_parcel_is_handed_over_or_its_order_is_cancelled_but_never_both(market: Market) -> None:
    people, sku = await customers(market, 100), await new_sku(market, 100)
    orders = await asyncio.gather(*(market.order(one, {"sku": sku}, delivery=BY_COURIER) for one in people))
    await asyncio.gather(*(market.pays(*one, "wallet") for one in zip(people, orders, strict=True)))
    parcels = await asyncio.gather(*(market.parcel_of(*one) for one in zip(people, orders, strict=True)))

    handed = asyncio.gather(*map(market.hands_over, parcels))
    await asyncio.gather(
        *(market.post(f"/v1/orders/{one}/cancellation", caller=who) for who, one in zip(people, orders, strict=True))
    )

    for who, order_id, over in zip(people, orders, await handed, strict=True):
        assert over.is_success or over.json()["code"] == "not_pending"
        if over.is_success:
            assert (await market.shown(who, order_id))["status"] == "shipping_pending"
        else:
            await market.becomes(who, order_id, "cancelled")
            await market.has(who, RICH_MINOR)


async def test_a_deposit_before_the_registration_is_there_after_it(market: Market) -> None:
    ann = await customer(market, 500)
    registered = said(CustomerRegistered(ann.id, 1))
    heard = market.shop.batch_of("wallet", handled(registered))

    market.worker("wallet").offer_own([Arrival(registered)])
    await heard

    await market.has(ann, 500)
