"""Orders in the whole shop, the real bank over the road: paid, in parts, in vain, cancelled, delivered, given back.

Each way is gone twice: by services that tell each other in memory, and by two shops over a real Kafka: orders in one,
whoever it asks in the other.
"""

from datetime import datetime, timedelta

import pytest

from market import (
    BY_COURIER,
    MUG_MINOR,
    ONE_PLATE,
    PLATE_MINOR,
    TWO_MUGS,
    WAY_MINOR,
    OpenMarket,
    Way,
)
from payments_street import DECLINED
from sagamart.settings import OrdersSection

MUGS_MINOR = 2 * MUG_MINOR
CAPTURE_REFUSED = "4000000000000007"
WAYS: tuple[Way, ...] = ("local", "kafka")


@pytest.fixture(params=WAYS)
def transport(request: pytest.FixtureRequest) -> Way:
    """Give each of the ways that messages travel."""
    way: Way = request.param
    return way


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


async def test_an_order_that_nobody_pays_gives_back_goods_and_the_part_that_was_paid(open_market: OpenMarket) -> None:
    market = await open_market(OrdersSection(payment_window_s=7_200))
    ann = await market.shop.customer(1, 30_000)
    order_id = await market.order(ann)
    part = await market.pays(ann, order_id, "wallet", 30_000)
    began, ends = (datetime.fromisoformat(part[name]) for name in ("changed_at", "pay_by"))
    assert ends - began == timedelta(hours=2)

    await market.runs_out(order_id)

    gone = await market.becomes(ann, order_id, "cancelled")

    assert gone["reason"]["code"] == "payment_timeout"
    await market.has(ann, 30_000)
    await market.in_stock("MUG", 10)


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


def _nearest(amount: int, of: int) -> int:
    return (2 * amount + of) // (2 * of)
