"""Watching orders change."""

import asyncio
from contextlib import aclosing

from orders_examples import order_in, shop_with_order
from sagamart.shop.orders.records import Order
from sagamart.shop.orders.watching import Watchers

BOOKING = order_in(shop_with_order("booking_pending"))
PAYING = order_in(shop_with_order("pay_pending"))
COMPLETED = order_in(shop_with_order("completed"))
LONG_S = 30.0


class Database:
    """What the database would say, and what it was asked."""

    def __init__(self, *orders: Order) -> None:
        self.orders = list(orders)
        self.asked: list[dict[str, int]] = []
        self.asked_for_two = asyncio.Event()

    async def changed_since(self, order_ids: list[str], versions: list[int]) -> list[Order]:
        self.asked.append(dict(zip(order_ids, versions, strict=True)))
        if len(order_ids) == 2:
            self.asked_for_two.set()
        return [order for order in self.orders if order.version > self.asked[-1].get(order.order_id, 99)]


async def test_a_watcher_sees_each_version_once_and_the_newest_only() -> None:
    database = Database(PAYING)
    changes = Watchers(poll_s=0).changes("ord_1", BOOKING.version, database.changed_since, idle_s=LONG_S)

    async with asyncio.timeout(LONG_S), aclosing(changes) as seen:
        assert await anext(seen) == PAYING
        database.orders = [COMPLETED]
        assert await anext(seen) == COMPLETED


async def test_one_query_asks_for_all_who_watch() -> None:
    watchers, database = Watchers(poll_s=0.01), Database()

    async def watch(order_id: str, version: int) -> Order | None:
        changes = watchers.changes(order_id, version, database.changed_since, idle_s=LONG_S)
        async with aclosing(changes) as seen:
            return await anext(seen)

    async with asyncio.timeout(LONG_S):
        waiting = [asyncio.create_task(watch(*one)) for one in (("ord_1", 1), ("ord_1", 2), ("ord_2", 1))]
        await database.asked_for_two.wait()
        database.orders = [COMPLETED]
        assert await asyncio.gather(*waiting[:2]) == [COMPLETED, COMPLETED]
    assert {"ord_1": 1, "ord_2": 1} in database.asked
    waiting[2].cancel()


async def test_who_finds_no_room_is_told_nothing_and_who_leaves_makes_room() -> None:
    watchers, database = Watchers(watchers_max=1, poll_s=0), Database(PAYING)
    first = watchers.changes("ord_1", 1, database.changed_since, idle_s=LONG_S)
    await anext(first)

    assert watchers.is_full
    assert [one async for one in watchers.changes("ord_1", 1, database.changed_since, idle_s=LONG_S)] == []
    await first.aclose()
    assert not watchers.is_full


async def test_while_nothing_changes_the_watcher_hears_that_nothing_does() -> None:
    changes = Watchers().changes("ord_1", 1, Database().changed_since, idle_s=0)

    async with aclosing(changes) as seen:
        assert [await anext(seen), await anext(seen)] == [None, None]


async def test_a_database_that_does_not_answer_is_asked_again() -> None:
    troubles = [OSError("gone"), OSError("gone again")]

    async def changed_since(_order_ids: list[str], _versions: list[int]) -> list[Order]:
        if troubles:
            raise troubles.pop()
        return [PAYING]

    async with aclosing(Watchers(poll_s=0).changes("ord_1", 1, changed_since, idle_s=LONG_S)) as seen:
        assert await anext(seen) == PAYING
