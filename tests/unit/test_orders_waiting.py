"""Waiting for orders to be settled."""

import asyncio

import pytest

from orders_examples import order_in, shop_with_order
from sagamart.shop.orders.records import Order, ProductCopy
from sagamart.shop.orders.waiting import Waiters

COMPLETED = order_in(shop_with_order("completed"))
LONG_S = 30.0


async def nothing_settled(_order_ids: list[str]) -> list[Order]:
    return []


async def test_who_waits_is_woken_by_the_commit_that_settles_the_order() -> None:
    waiters = Waiters()
    waiting = [asyncio.create_task(waiters.wait("ord_1", LONG_S, nothing_settled)) for _ in range(2)]
    await asyncio.sleep(0)

    waiters.on_committed([ProductCopy(1, "CUP"), order_in(shop_with_order("capturing")), COMPLETED])

    assert await asyncio.gather(*waiting) == [COMPLETED, COMPLETED]


async def test_an_order_that_another_replica_settles_is_found_by_one_query_for_all() -> None:
    waiters = Waiters(poll_s=0)
    asked: list[list[str]] = []

    async def settled_among(order_ids: list[str]) -> list[Order]:
        asked.append(order_ids)
        return [COMPLETED]

    other = asyncio.create_task(waiters.wait("ord_2", LONG_S, settled_among))
    found = await waiters.wait("ord_1", LONG_S, settled_among)

    assert found == COMPLETED
    assert asked[0] == ["ord_1"] or sorted(asked[0]) == ["ord_1", "ord_2"]
    other.cancel()


async def test_who_waits_too_long_goes_without() -> None:
    assert await Waiters().wait("ord_1", 0, nothing_settled) is None


async def test_only_so_many_may_wait() -> None:
    waiters = Waiters(waiters_max=1)
    first = asyncio.create_task(waiters.wait("ord_1", LONG_S, nothing_settled))
    await asyncio.sleep(0)

    assert await waiters.wait("ord_2", LONG_S, nothing_settled) is None

    waiters.on_committed([COMPLETED])
    assert await first == COMPLETED


async def test_a_place_to_wait_is_free_again_once_somebody_leaves() -> None:
    waiters = Waiters(waiters_max=1)

    assert await waiters.wait("ord_1", 0, nothing_settled) is None
    waiting = asyncio.create_task(waiters.wait("ord_1", LONG_S, nothing_settled))
    await asyncio.sleep(0)
    waiters.on_committed([COMPLETED])

    assert await waiting == COMPLETED


async def test_a_query_that_fails_is_asked_again() -> None:
    waiters = Waiters(poll_s=0)
    troubles = [OSError("the database is away")]

    async def settled_among(_order_ids: list[str]) -> list[Order]:
        if troubles:
            raise troubles.pop()
        return [COMPLETED]

    assert await waiters.wait("ord_1", LONG_S, settled_among) == COMPLETED


@pytest.mark.parametrize("status", ["booking_pending", "pay_pending", "capturing"])
async def test_a_commit_that_does_not_settle_the_order_wakes_nobody(status: str) -> None:
    waiters = Waiters()
    waiting = asyncio.create_task(waiters.wait("ord_1", LONG_S, nothing_settled))
    await asyncio.sleep(0)

    waiters.on_committed([order_in(shop_with_order(status))])

    assert not waiting.done()
    waiting.cancel()
