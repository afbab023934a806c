"""Promotions alone: its worker over its own real database, orders played by the test."""

import pytest

from sagamart.contracts.order_requests import PromoRedemptionRequested
from sagamart.contracts.orders import Line, OrderCancelled
from sagamart.contracts.promotions import PromoRedeemed, PromoRefused
from sagamart.platform.http import Caller
from sagamart.shop.promotions.api import ROUTES
from sagamart.shop.promotions.service import PROMOTIONS
from shop_fixtures import RunningService, Started

MARKETER = Caller("usr_marketer", frozenset({"OPERATOR"}))
CUPS = Line("CUP", "Blue cup", 1, 100_000)
TENTH = {"code": "TENTH", "currency": "RUB", "percent_bp": 1_000, "uses_max": 5, "customer_uses_max": 1}


def wished(number: int, attempt: int = 1) -> PromoRedemptionRequested:
    """The order of this number, of a customer of this number."""
    order_id, customer = f"ord_{number}", f"cus_{number}"
    return PromoRedemptionRequested(order_id, 1, "new", customer, attempt, (CUPS,), 100_000, "RUB", "TENTH", 100_000)


def cancelled(number: int, attempt: int = 1) -> OrderCancelled:
    return OrderCancelled(
        f"ord_{number}", 4, "cancelled", f"cus_{number}", attempt, (CUPS,), 100_000, "RUB", "cancelled_by_customer"
    )


@pytest.fixture
async def promotions(started: Started) -> RunningService:
    """A code that may be redeemed five times, once by each customer."""
    service = await started(PROMOTIONS, ROUTES)
    response = await service.post("/v1/promo-codes", TENTH, caller=MARKETER)
    assert response.status_code == 201
    return service


async def counted(promotions: RunningService) -> list[tuple[object, ...]]:
    """How often the code is used, by its own count, by its customers' and by the redemptions."""
    return await promotions.rows(
        "select used, (select sum(used)::bigint from customer_uses),"
        " (select count(*) from redemptions where status = 'redeemed') from promo_codes"
    )


async def test_of_a_hundred_orders_in_one_batch_as_many_get_the_discount_as_the_code_allows(
    promotions: RunningService,
) -> None:
    await promotions.hears(*(wished(number) for number in range(100)))

    assert [type(sent) for sent in promotions.sent].count(PromoRedeemed) == 5
    assert [sent.reason for sent in promotions.sent if isinstance(sent, PromoRefused)] == ["used_up"] * 95
    assert await counted(promotions) == [(5, 5, 5)]


async def test_what_cancelled_orders_give_back_others_redeem(promotions: RunningService) -> None:
    await promotions.hears(*(wished(number) for number in range(5)))
    await promotions.hears(cancelled(0), cancelled(1), cancelled(0))
    promotions.sent.clear()

    await promotions.hears(*(wished(number) for number in range(5, 8)))

    assert promotions.sent == [
        PromoRedeemed("ord_5", 1, "TENTH", 10_000),
        PromoRedeemed("ord_6", 1, "TENTH", 10_000),
        PromoRefused("ord_7", 1, "TENTH", "used_up"),
    ]
    assert await counted(promotions) == [(5, 5, 5)]


async def test_a_cancellation_that_overtakes_its_redemption_refuses_it(promotions: RunningService) -> None:
    await promotions.hears(cancelled(1))
    await promotions.hears(wished(1))

    assert promotions.sent == [PromoRefused("ord_1", 1, "TENTH", "given_back")]
    assert await counted(promotions) == [(0, None, 0)]


async def test_attempts_and_a_cancellation_of_one_order_in_one_batch_leave_nothing_redeemed(
    promotions: RunningService,
) -> None:
    await promotions.hears(wished(1), wished(1, 2), wished(1), cancelled(1, 2), wished(1, 2))

    assert await counted(promotions) == [(0, 0, 0)]
    assert await promotions.rows("select distinct status from redemptions") == [("given_back",)]


async def test_two_attempts_in_one_batch_leave_the_later_one_redeemed(promotions: RunningService) -> None:
    await promotions.hears(wished(1), wished(1, 2))

    assert promotions.sent == [PromoRedeemed("ord_1", 1, "TENTH", 10_000), PromoRedeemed("ord_1", 2, "TENTH", 10_000)]
    assert await counted(promotions) == [(1, 1, 1)]
