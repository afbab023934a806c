"""A message that cannot be handled stops its own order and nothing else, until an operator releases or discards it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from cursing import CURSED, Curse
from open_shop import OPERATOR, Opened, OpenShop
from sagamart.messaging.fold import Batch
from sagamart.platform.http import Caller
from sagamart.shop.stock import api as stock_api
from sagamart.shop.stock.service import STOCK
from sagamart.slices import SLICES, Slice

WITHIN_S = 30.0
LETTERS = "/v1/operations/dead-letters"
FINE = "FINE"


class CursedShop(msgspec.Struct):
    """A shop with the curse, and the order that it has struck."""

    open: OpenShop
    curse: Curse
    ann: Caller
    order_id: str
    died: Batch

    async def letters(self) -> list[tuple[str, str]]:
        """Type and status of what lies in the dead letters."""
        found = (await self.open.get(LETTERS, caller=OPERATOR)).json()
        return [(one["type"], one["status"]) for one in found["items"]]

    async def dead_letter(self) -> dict[str, Any]:
        """The one dead letter."""
        (letter,) = (await self.open.get(f"{LETTERS}?status=dead", caller=OPERATOR)).json()["items"]
        found: dict[str, Any] = letter
        return found

    async def status_of_the_order(self) -> str:
        """What Ann sees."""
        status: str = (await self.open.get(f"/v1/orders/{self.order_id}", caller=self.ann)).json()["status"]
        return status

    async def cancel(self) -> None:
        """Ann gives the order up; returns when the stock has put the news aside."""
        aside = self.open.batch_of("stock", lambda batch: any(one.status == "waiting" for one in batch.changes.dead))
        path = f"/v1/orders/{self.order_id}/cancellation"
        assert (await self.open.post(path, None, caller=self.ann, key="cancel")).status_code == 200
        async with asyncio.timeout(WITHIN_S):
            await aside

    async def actions(self) -> list[tuple[str, str, str, str]]:
        """What is on record of operators."""
        readers = self.open.shop.services["stock"].readers
        return [tuple(row) for row in await readers.fetch("select action, letter_key, by, why from operator_actions")]


@pytest_asyncio.fixture
async def cursed(open_shop: Opened, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Awaitable[CursedShop]]:
    """Give `await cursed()`: a shop in which Ann's booking has died."""
    curse = Curse()
    monkeypatch.setitem(SLICES, "stock", lambda _: Slice(curse.on(STOCK), stock_api.ROUTES))

    async def make() -> CursedShop:
        shop = await open_shop()
        await shop.sells(CURSED, 100, pieces=5)
        await shop.sells(FINE, 100, pieces=50)
        ann = await shop.customer(1, 1_000)
        died = shop.batch_of("stock", lambda batch: bool(batch.changes.dead))
        placed = await shop.post("/v1/orders", {"lines": [{"sku": CURSED}]}, caller=ann)
        assert placed.status_code == 202
        async with asyncio.timeout(WITHIN_S):
            return CursedShop(shop, curse, ann, placed.json()["id"], await died)

    return make


async def test_a_poisoned_message_stops_its_own_order_only(cursed: Callable[[], Awaitable[CursedShop]]) -> None:
    shop = await cursed()
    others = [await shop.open.customer(number, 1_000) for number in range(2, 22)]

    bought = await asyncio.gather(
        *(shop.open.post("/v1/orders", {"lines": [{"sku": FINE}]}, caller=one, Prefer="wait=30") for one in others)
    )

    assert [one.json()["status"] for one in bought] == ["completed"] * 20
    assert await shop.status_of_the_order() == "booking_pending"
    letter = await shop.dead_letter()
    assert (letter["service"], letter["type"], letter["key"]) == ("stock", "BookingRequested", shop.order_id)
    assert letter["error"] == "RuntimeError: the shelf has fallen over"


async def test_a_released_message_is_handled_and_its_order_completes(
    cursed: Callable[[], Awaitable[CursedShop]],
) -> None:
    shop = await cursed()
    letter = await shop.dead_letter()
    shop.curse.lies = False

    released = await shop.open.post(f"{LETTERS}/{letter['id']}/release", {"why": "shelf mended"}, caller=OPERATOR)
    order = await shop.open.post("/v1/orders", {"lines": [{"sku": CURSED}]}, caller=shop.ann, Prefer="wait=30")

    assert (released.status_code, released.json()["status"]) == (200, "released")
    assert (order.status_code, order.json()["id"], order.json()["status"]) == (201, shop.order_id, "completed")
    assert await shop.letters() == []
    assert await shop.actions() == [("release", shop.order_id, OPERATOR.id, "shelf mended")]
    again = await shop.open.post(f"{LETTERS}/{letter['id']}/release", {"why": "again"}, caller=OPERATOR)
    assert again.status_code == 404


async def test_a_parked_key_is_released_with_all_that_is_dead_and_waits(
    cursed: Callable[[], Awaitable[CursedShop]],
) -> None:
    shop = await cursed()
    await shop.cancel()
    key = f"/v1/operations/parked-keys/stock/{shop.order_id}/release"
    shop.curse.lies = False
    both = revived(shop.open, 2)

    released = await shop.open.post(key, {"why": "shelf mended"}, caller=OPERATOR)
    async with asyncio.timeout(WITHIN_S):
        await both
    again = await shop.open.post(key, {"why": "again"}, caller=OPERATOR)

    assert [(one["type"], one["status"]) for one in released.json()["items"]] == [("BookingRequested", "released")]
    assert await shop.letters() == []
    assert await shop.actions() == [("release", shop.order_id, OPERATOR.id, "shelf mended")]
    assert (again.status_code, again.json()["code"]) == (409, "key_not_parked")


async def test_a_message_that_fails_again_is_dead_again(cursed: Callable[[], Awaitable[CursedShop]]) -> None:
    shop = await cursed()
    letter = await shop.dead_letter()
    failed_again = shop.open.batch_of("stock", lambda batch: bool(batch.changes.dead))

    await shop.open.post(f"{LETTERS}/{letter['id']}/release", {"why": "hope"}, caller=OPERATOR)
    async with asyncio.timeout(WITHIN_S):
        await failed_again

    assert await shop.letters() == [("BookingRequested", "dead")]
    assert await shop.status_of_the_order() == "booking_pending"


async def test_what_comes_later_for_a_poisoned_order_waits_and_follows_the_release(
    cursed: Callable[[], Awaitable[CursedShop]],
) -> None:
    shop = await cursed()
    await shop.cancel()
    assert await shop.letters() == [("BookingRequested", "dead"), ("OrderCancelled", "waiting")]
    letter = await shop.dead_letter()
    shop.curse.lies = False
    both = revived(shop.open, 2)

    await shop.open.post(f"{LETTERS}/{letter['id']}/release", {"why": "shelf mended"}, caller=OPERATOR)
    async with asyncio.timeout(WITHIN_S):
        await both

    assert await shop.letters() == []
    level = await shop.open.shop.services["stock"].readers.fetchrow(
        "select on_hand, reserved from skus where sku = $1", CURSED
    )
    assert tuple(level) == (5, 0)
    assert await shop.status_of_the_order() == "cancelled"


async def test_a_discarded_message_is_never_handled_and_what_waits_for_it_is(
    cursed: Callable[[], Awaitable[CursedShop]],
) -> None:
    shop = await cursed()
    await shop.cancel()
    letter = await shop.dead_letter()
    shop.curse.lies = False
    follower = revived(shop.open, 1)

    discarded = await shop.open.post(f"{LETTERS}/{letter['id']}/discard", {"why": "cancelled anyway"}, caller=OPERATOR)
    async with asyncio.timeout(WITHIN_S):
        await follower
        copy = shop.open.batch_of("stock", lambda batch: batch.arrivals[0].message.id == letter["message_id"])
        (poison,) = [one.message for one in shop.died.changes.dead]
        shop.open.shop.services["stock"].worker.offer([poison])
        late = await copy

    assert (discarded.status_code, discarded.json()["status"]) == (200, "discarded")
    assert await shop.letters() == [("BookingRequested", "discarded")]
    assert (late.duplicates, late.saved) == (1, [])
    assert await shop.actions() == [("discard", shop.order_id, OPERATOR.id, "cancelled anyway")]
    again = await shop.open.post(f"{LETTERS}/{letter['id']}/release", {"why": "regret"}, caller=OPERATOR)
    assert (again.status_code, again.json()["code"]) == (409, "letter_not_dead")


def revived(shop: OpenShop, number: int) -> "asyncio.Future[Batch]":
    """When so many letters of the stock have been handled after all."""
    seen: set[str] = set()

    def enough(batch: Batch) -> bool:
        seen.update(batch.changes.revived)
        return len(seen) >= number

    return shop.batch_of("stock", enough)
