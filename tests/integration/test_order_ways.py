"""Orders in the whole shop, the real bank over the road: paid, in parts, in vain, cancelled, delivered, given back.

By services that tell each other in memory, and by two shops over a real Kafka, orders in one and whoever it asks in the
other; what a company of processes goes over Kafka anyhow (`e2e/ways.py`), in memory alone.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from bank_at_work import until
from market import (
    BY_COURIER,
    MUG_MINOR,
    ONE_PLATE,
    PLATE_MINOR,
    TWO_MUGS,
    WAY_MINOR,
    Market,
    OpenMarket,
    Way,
)
from open_shop import OPERATOR, STOCK_OPERATOR
from payments_street import DECLINED
from sagamart.contracts.orders import payment_id
from sagamart.platform.http import Caller
from sagamart.settings import OrdersSection

MUGS_MINOR = 2 * MUG_MINOR
CAPTURE_REFUSED = "4000000000000007"
ATTEMPT_S = 900
WAYS: tuple[Way, ...] = ("local", "kafka")
GONE_OVER_KAFKA_BY_A_COMPANY = pytest.mark.parametrize("transport", ["local"])


@pytest.fixture(params=WAYS)
def transport(request: pytest.FixtureRequest) -> Way:
    """Give each of the ways that messages travel."""
    way: Way = request.param
    return way


def time_to_pay(order: Any) -> timedelta:
    """How long an order waits for its customer from when it began to wait."""
    began, ends = (datetime.fromisoformat(order[name]) for name in ("changed_at", "pay_by"))
    return ends - began


@GONE_OVER_KAFKA_BY_A_COMPANY
async def test_an_order_is_paid_on_the_banks_page_and_delivered(open_market: OpenMarket) -> None:
    market = await open_market()
    ann = await market.shop.customer(1)
    order_id = await market.order(ann, delivery=BY_COURIER)

    waiting = await market.pays(ann, order_id, "bank")
    assert (waiting["status"], waiting["payments"][0]["state"]) == ("pay_pending", "started")
    await market.confirms(waiting)
    await market.delivers(ann, order_id)

    done = await market.shown(ann, order_id)
    assert (done["state"]["code"], done["due_minor"], done["payments"][0]["state"]) == ("fulfilled", 0, "captured")
    await market.bank_has(MUGS_MINOR + WAY_MINOR)
    await market.in_stock("MUG", 8)


@GONE_OVER_KAFKA_BY_A_COMPANY
async def test_a_part_from_the_wallet_and_a_part_from_the_bank_pay_an_order(open_market: OpenMarket) -> None:
    market = await open_market()
    ann = await market.shop.customer(1, 30_000)
    order_id = await market.order(ann)

    part = await market.pays(ann, order_id, "wallet", 30_000)
    assert (part["status"], part["due_minor"]) == ("partially_paid", MUGS_MINOR - 30_000)
    await market.confirms(await market.pays(ann, order_id, "bank"))

    done = await market.becomes(ann, order_id, "completed")
    assert [(one["source"], one["amount_minor"], one["state"]) for one in done["payments"]] == [
        ("wallet", 30_000, "captured"),
        ("bank", MUGS_MINOR - 30_000, "captured"),
    ]
    await market.has(ann, 0)
    await market.bank_has(MUGS_MINOR - 30_000)


async def test_a_card_that_is_declined_can_be_tried_again_with_another(open_market: OpenMarket) -> None:
    market = await open_market(OrdersSection(booking="at_payment"))
    ann = await market.shop.customer(1)
    order_id = await market.order(ann)
    assert (await market.shown(ann, order_id))["status"] == "checked"

    await market.confirms(await market.pays(ann, order_id, "bank"), DECLINED)
    again = await market.becomes(ann, order_id, "booked")
    assert (again["payments"][0]["state"], again["due_minor"]) == ("ended", MUGS_MINOR)
    await market.confirms(await market.pays(ann, order_id, "bank"))

    done = await market.becomes(ann, order_id, "completed")
    assert [one["state"] for one in done["payments"]] == ["ended", "captured"]
    await market.bank_has(MUGS_MINOR)


@GONE_OVER_KAFKA_BY_A_COMPANY
async def test_an_order_that_nobody_pays_gives_back_goods_and_the_part_that_was_paid(open_market: OpenMarket) -> None:
    market = await open_market(OrdersSection(payment_window_s=7_200))
    ann = await market.shop.customer(1, 30_000)
    order_id = await market.order(ann)
    assert time_to_pay(await market.shown(ann, order_id)) == timedelta(hours=2)
    part = await market.pays(ann, order_id, "wallet", 30_000)
    assert time_to_pay(part) < timedelta(hours=2), "the window does not open anew"

    await market.runs_out(order_id)

    gone = await market.becomes(ann, order_id, "cancelled")

    assert gone["reason"]["code"] == "payment_timeout"
    await market.has(ann, 30_000)
    await market.in_stock("MUG", 10)


@GONE_OVER_KAFKA_BY_A_COMPANY
async def test_a_paid_order_is_cancelled_and_refunded_while_its_parcel_is_here(open_market: OpenMarket) -> None:
    market = await open_market()
    ann = await market.shop.customer(1, 30_000)
    order_id = await market.order(ann, delivery=BY_COURIER)
    await market.pays(ann, order_id, "wallet", 30_000)
    await market.confirms(await market.pays(ann, order_id, "bank"))
    await market.parcel_of(ann, order_id)

    (await market.post(f"/v1/orders/{order_id}/cancellation", caller=ann)).raise_for_status()

    gone = await market.becomes(ann, order_id, "cancelled")
    assert (gone["reason"]["code"], [one["state"] for one in gone["payments"]]) == (
        "cancelled_by_customer",
        ["refunded", "refunded"],
    )
    await market.has(ann, 30_000)
    await market.bank_has(0)
    await market.in_stock("MUG", 10)


async def test_what_comes_back_is_refunded_by_item_exactly_in_proportion_to_the_payments(
    open_market: OpenMarket,
) -> None:
    market = await open_market()
    ann = await market.shop.customer(1, 10_001)
    goods_minor = MUGS_MINOR + PLATE_MINOR
    order_id = await market.order(ann, TWO_MUGS, ONE_PLATE, delivery=BY_COURIER)
    await market.pays(ann, order_id, "wallet", 10_001)
    await market.confirms(await market.pays(ann, order_id, "bank"))
    await market.delivers(ann, order_id)
    from_bank = goods_minor + WAY_MINOR - 10_001

    await market.gets_back(ann, order_id, 1, 1)
    plate_to_wallet = _nearest(PLATE_MINOR * 10_001, goods_minor + WAY_MINOR)
    await market.has(ann, plate_to_wallet)
    await market.bank_has(from_bank - (PLATE_MINOR - plate_to_wallet))
    await market.in_stock("PLATE", 10)

    await market.gets_back(ann, order_id, 0, 2)
    done = await market.becomes(ann, order_id, "returned")
    assert [one["refunded_minor"] for one in done["returns"]] == [PLATE_MINOR, MUGS_MINOR]

    async def all_is_back() -> bool:
        wallet = (await market.shop.get("/v1/wallet", caller=ann)).json()["balance_minor"]
        return bool(await market.taken_minor() == from_bank + wallet - goods_minor)

    await until(all_is_back)
    await market.in_stock("MUG", 10)


@GONE_OVER_KAFKA_BY_A_COMPANY
async def test_a_capture_that_the_bank_refuses_ends_the_order_and_lets_go_of_the_rest(open_market: OpenMarket) -> None:
    market = await open_market()
    ann = await market.shop.customer(1, 30_000)
    order_id = await market.order(ann)
    await market.pays(ann, order_id, "wallet", 30_000)

    await market.confirms(await market.pays(ann, order_id, "bank"), CAPTURE_REFUSED)

    gone = await market.becomes(ann, order_id, "cancelled")
    assert gone["reason"]["code"] == "capture_refused"
    await market.has(ann, 30_000)
    await market.bank_has(0)
    await market.in_stock("MUG", 10)


async def test_orders_that_a_promo_code_makes_free_complete_without_a_payment(open_market: OpenMarket) -> None:
    market = await open_market()
    await market.gives_code("GIFT", 100)
    ann, beth = await market.shop.customer(1), await market.shop.customer(2, 500)

    for who, pay in ((ann, "now"), (beth, "later")):
        wish = {"lines": [TWO_MUGS], "pay": pay, "promo_code": "GIFT"}
        placed = await market.post("/v1/orders", wish, caller=who, Prefer="wait=30")
        done = await market.becomes(who, placed.json()["id"], "completed")
        assert (done["total_minor"], done["due_minor"], done["payments"]) == (0, 0, [])

    await market.code_is_used("GIFT", 2)
    await market.has(beth, 500)
    await market.bank_has(0)
    await market.in_stock("MUG", 6)


@asynccontextmanager
async def late_money(market: Market, ann: Caller, code: str = "HALF") -> AsyncIterator[str]:
    """An order of two mugs at half price: orders hears that it is paid only after it has given up on it."""
    await market.gives_code(code, 50)
    order_id = await market.order(ann, promo_code=code)
    page = await market.pays(ann, order_id, "bank")
    async with market.paused("orders"):
        await market.confirms(page)
        await _is_held(market, ann, order_id)
        await market.runs_out(order_id, ATTEMPT_S)
        await market.becomes(ann, order_id, "booked")
        await market.runs_out(order_id)
        gone = await market.becomes(ann, order_id, "cancelled")
        assert gone["reason"]["code"] == "payment_timeout"
        await market.code_is_used(code, 0)
        await market.in_stock("MUG", 10)
        yield order_id


async def _is_held(market: Market, ann: Caller, order_id: str) -> None:
    async def there() -> bool:
        found = await market.shop.get(f"/v1/payments/{payment_id(order_id, 1)}", caller=ann)
        return bool(found.json()["status"] == "held")

    await until(there)


async def test_late_money_revives_the_order_with_its_goods_and_its_code_where_the_shop_says_so(
    open_market: OpenMarket,
) -> None:
    market = await open_market(OrdersSection(late_money="revive"))
    ann = await market.shop.customer(1)

    async with late_money(market, ann) as order_id:
        pass

    done = await market.becomes(ann, order_id, "completed")
    assert [one["state"] for one in done["payments"]] == ["captured"]
    await market.code_is_used("HALF", 1)
    await market.in_stock("MUG", 8)
    await market.bank_has(MUG_MINOR)


async def test_late_money_goes_back_where_the_shop_says_so(open_market: OpenMarket) -> None:
    market = await open_market(OrdersSection(late_money="refund"))
    ann = await market.shop.customer(1)

    async with late_money(market, ann) as order_id:
        await market.bank_has(0)

    await _is_let_go(market, ann, order_id, "payment_timeout")


async def test_late_money_goes_back_where_the_order_cannot_be_revived(open_market: OpenMarket) -> None:
    market = await open_market(OrdersSection(late_money="revive"))
    ann, beth, cleo = [await market.shop.customer(number) for number in (1, 2, 3)]

    async with late_money(market, ann, "ENDS") as code_ended:
        code = await market.shop.get("/v1/promo-codes/ENDS", caller=OPERATOR)
        seen, ended = {"If-Match": code.headers["ETag"]}, {"active": False}
        (await market.shop.call("PATCH", "/v1/promo-codes/ENDS", ended, caller=OPERATOR, **seen)).raise_for_status()
    await _is_let_go(market, ann, code_ended, "promo_refused")

    async with late_money(market, beth, "TWO") as slot_taken:
        other = {"lines": [ONE_PLATE], "pay": "later"}
        (await market.post("/v1/orders", other, caller=beth)).raise_for_status()
    await _is_let_go(market, beth, slot_taken, "payment_timeout")

    async with late_money(market, cleo, "GONE") as sold_out:
        broken = {"quantity": -9, "reason": "broken"}
        (await market.post("/v1/stock/MUG/adjustments", broken, caller=STOCK_OPERATOR)).raise_for_status()
    await _is_let_go(market, cleo, sold_out, "stock_refused")

    await market.in_stock("MUG", 1)
    for code_name in ("ENDS", "TWO", "GONE"):
        await market.code_is_used(code_name, 0)


async def _is_let_go(market: Market, who: Caller, order_id: str, reason: str) -> None:
    """The order is over for this reason, its payment is too, and the bank has nothing of it."""

    async def there() -> bool:
        order = await market.shown(who, order_id)
        ended = (order["status"], order["payments"][0]["state"]) == ("cancelled", "ended")
        return bool(ended and order["reason"]["code"] == reason)

    await until(there)
    await market.bank_has(0)


def _nearest(amount: int, of: int) -> int:
    return (2 * amount + of) // (2 * of)
