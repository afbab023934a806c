"""Each way that an order can go, gone by a customer of its own through a shop's front door, all at the same time.

The names are those of `blueprints/ways.py`, which draws them; beside them are codes and changes of an order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from bank_at_work import until
from e2e.front_door import DistantMarket
from market import BY_COURIER, HOME, WAY_MINOR
from payments_street import DECLINED
from sagamart.contracts.orders import payment_id
from sagamart.platform.http import Caller

PRICE_MINOR, PIECES = 10_000, 10
TWO_MINOR = 2 * PRICE_MINOR
CAPTURE_REFUSED = "4000000000000007"
WORK = {**HOME, "street": "Sibirskaya 7"}
CODE = "WAYHALF"


class Walk(NamedTuple):
    """Somebody on a way: a customer, and a product that nobody else buys."""

    market: DistantMarket
    who: Caller
    sku: str

    def pieces(self, quantity: int = 2) -> dict[str, Any]:
        """A line."""
        return {"sku": self.sku, "quantity": quantity}

    async def buys(self, quantity: int = 2, **more: Any) -> Any:
        """An order that is paid at once, once it is settled."""
        wish = {"lines": [self.pieces(quantity)], **more}
        placed = await self.market.post("/v1/orders", wish, caller=self.who, Prefer="wait=30")
        assert placed.is_success, placed.text
        return await self.becomes(placed.json()["id"], "completed", "cancelled")

    async def waits(self, **more: Any) -> str:
        """The id of an order of two pieces that waits for its payment."""
        return await self.market.order(self.who, self.pieces(), **more)

    async def becomes(self, order_id: str, *statuses: str) -> Any:
        """The order once it has one of these statuses."""
        return await self.market.becomes(self.who, order_id, *statuses)

    async def pays(self, order_id: str, source: str, amount_minor: int | None = None) -> Any:
        """Start a payment."""
        return await self.market.pays(self.who, order_id, source, amount_minor)

    async def pays_by_card(self, order_id: str, *card: str) -> None:
        """Pay what is due on the bank's page."""
        await self.market.confirms(await self.pays(order_id, "bank"), *card)

    async def changes(self, order_id: str, **wish: Any) -> None:
        """Have it otherwise."""
        seen = await self.market.shown(self.who, order_id)
        if_match = {"If-Match": f'"{seen["version"]}"'}
        answer = await self.market.shop.call("PUT", f"/v1/orders/{order_id}", wish, caller=self.who, **if_match)
        assert answer.is_success, answer.text

    async def ends_with(self, *, purse_minor: int, pieces: int) -> None:
        """Wait until so much is in the wallet and on the shelf, and nothing of it is held or reserved."""
        await self.market.has(self.who, purse_minor)
        await self.market.in_stock(self.sku, pieces)


async def completed(walk: Walk) -> None:
    """Goods and money are there."""
    assert (await walk.buys())["status"] == "completed"
    await walk.ends_with(purse_minor=0, pieces=8)


async def short_stock(walk: Walk) -> None:
    """The stock is short: nothing is held."""
    gone = await walk.buys(PIECES + 1)
    assert gone["reason"]["code"] == "stock_refused"
    await walk.ends_with(purse_minor=TWO_MINOR, pieces=10)


async def no_money(walk: Walk) -> None:
    """The wallet is short: the booking is given back."""
    gone = await walk.buys(3)
    assert gone["reason"]["code"] == "money_refused"
    await walk.ends_with(purse_minor=TWO_MINOR, pieces=10)


async def window_expired(walk: Walk) -> None:
    """Nobody pays the rest in time: goods and money are given back."""
    order_id = await walk.waits()
    await walk.pays(order_id, "wallet", 1)
    await walk.market.runs_out(order_id)
    gone = await walk.becomes(order_id, "cancelled")
    assert gone["reason"]["code"] == "payment_timeout"
    await walk.ends_with(purse_minor=TWO_MINOR, pieces=10)


async def part_paid(walk: Walk) -> None:
    """A part from the wallet, the rest from a card, at the second try: both are taken together."""
    order_id = await walk.waits()
    part = await walk.pays(order_id, "wallet", 5_000)
    assert (part["status"], part["due_minor"]) == ("partially_paid", 15_000)
    await walk.pays_by_card(order_id, DECLINED)
    await walk.becomes(order_id, "partially_paid")
    await walk.pays_by_card(order_id)
    done = await walk.becomes(order_id, "completed")
    assert [one["state"] for one in done["payments"]] == ["captured", "ended", "captured"]
    await walk.ends_with(purse_minor=TWO_MINOR - 5_000, pieces=8)
    assert await walk.market.bank_took(order_id) == 15_000


async def late_money(walk: Walk) -> None:
    """The money comes after the order was given up, and before the bank has heard of it: it is let go."""
    order_id = await walk.waits()
    page = await walk.pays(order_id, "bank")
    bank, key = walk.market.bank, payment_id(order_id, 1)
    await bank.misbehave({"misbehaviour": "unreachable", "on": "cancellation", "key": key})
    (await walk.market.post(f"/v1/orders/{order_id}/cancellation", caller=walk.who)).raise_for_status()
    await walk.becomes(order_id, "cancelled")
    await walk.market.confirms(page)
    assert await bank.rows("select status from payments where reference = $1", key) == [("held",)]
    await bank.misbehave()
    assert await walk.market.bank_took(order_id) == 0
    await walk.ends_with(purse_minor=TWO_MINOR, pieces=10)


async def capture_refused(walk: Walk) -> None:
    """The bank held the money, and refuses to let it be taken: goods and the other payment are given back."""
    order_id = await walk.waits()
    await walk.pays(order_id, "wallet", 5_000)
    await walk.pays_by_card(order_id, CAPTURE_REFUSED)
    gone = await walk.becomes(order_id, "cancelled")
    assert gone["reason"]["code"] == "capture_refused"
    await walk.ends_with(purse_minor=TWO_MINOR, pieces=10)
    assert await walk.market.bank_took(order_id) == 0


async def cancelled_after_payment(walk: Walk) -> None:
    """Paid, and cancelled before the parcel is handed over: it is stopped, then the money goes back."""
    order_id = await walk.waits(delivery=BY_COURIER)
    await walk.pays(order_id, "wallet", 5_000)
    await walk.pays_by_card(order_id)
    await walk.market.parcel_of(walk.who, order_id)
    (await walk.market.post(f"/v1/orders/{order_id}/cancellation", caller=walk.who)).raise_for_status()
    gone = await walk.becomes(order_id, "cancelled")
    assert [one["state"] for one in gone["payments"]] == ["refunded", "refunded"]
    await walk.ends_with(purse_minor=TWO_MINOR, pieces=10)
    assert await walk.market.bank_took(order_id) == 0


async def returned(walk: Walk) -> None:
    """Delivered, and sent back: the money for the goods goes back when they are here."""
    order_id = await walk.waits(delivery=BY_COURIER)
    await walk.pays_by_card(order_id)
    await walk.market.delivers(walk.who, order_id)
    await walk.market.gets_back(walk.who, order_id, 0, 2)
    back = await walk.becomes(order_id, "returned")
    assert [one["refunded_minor"] for one in back["returns"]] == [TWO_MINOR]
    await walk.ends_with(purse_minor=TWO_MINOR, pieces=10)

    async def refunded() -> bool:
        return await walk.market.bank_took(order_id) == WAY_MINOR

    await until(refunded)


async def at_half_price(walk: Walk) -> None:
    """A code takes off half of it."""
    done = await walk.buys(promo_code=CODE)
    assert (done["status"], done["total_minor"]) == ("completed", PRICE_MINOR)
    await walk.ends_with(purse_minor=PRICE_MINOR, pieces=8)
    await walk.market.code_is_used(CODE, 1)


async def changed(walk: Walk) -> None:
    """Other lines, and some that are not there; brought by a courier, and once it is paid to another address."""
    order_id = await walk.waits()
    for quantity in (1, PIECES + 1):
        await walk.changes(order_id, lines=[walk.pieces(quantity)])
        waiting = await walk.becomes(order_id, "booked")
        assert waiting["total_minor"] == PRICE_MINOR, "what is not there changes nothing"
    await walk.changes(order_id, delivery=BY_COURIER)
    await walk.pays_by_card(order_id)
    await walk.market.parcel_of(walk.who, order_id)
    await walk.changes(order_id, delivery={**BY_COURIER, "address": WORK})

    async def goes_elsewhere() -> bool:
        order = await walk.market.shown(walk.who, order_id)
        return bool(order["delivery"]["address"]["street"] == WORK["street"])

    await until(goes_elsewhere)
    await walk.market.delivers(walk.who, order_id)
    await walk.ends_with(purse_minor=TWO_MINOR, pieces=9)
    assert await walk.market.bank_took(order_id) == PRICE_MINOR + WAY_MINOR


WAYS: Mapping[str, Callable[[Walk], Awaitable[None]]] = {
    "COMPLETED": completed,
    "SHORT-STOCK": short_stock,
    "NO-MONEY": no_money,
    "WINDOW-EXPIRED": window_expired,
    "PART-PAID": part_paid,
    "LATE-MONEY": late_money,
    "CAPTURE-REFUSED": capture_refused,
    "CANCELLED-AFTER-PAYMENT": cancelled_after_payment,
    "RETURNED": returned,
    "AT-HALF-PRICE": at_half_price,
    "CHANGED": changed,
}
"""The ways, by the product that is bought on each."""


async def every_way(market: DistantMarket) -> None:
    """Go them all.  Raises an ExceptionGroup with what went wrong on which."""
    opening = market.opens(*WAYS, price_minor=PRICE_MINOR, pieces=PIECES)
    people, _, _ = await asyncio.gather(
        asyncio.gather(*(market.shop.customer(number, TWO_MINOR) for number in range(len(WAYS)))),
        opening,
        market.gives_code(CODE, 50),
    )
    async with asyncio.TaskGroup() as walking:
        for (sku, way), who in zip(WAYS.items(), people, strict=True):
            walking.create_task(_gone(way, Walk(market, who, sku)), name=sku)


async def _gone(way: Callable[[Walk], Awaitable[None]], walk: Walk) -> None:
    try:
        await way(walk)
    except Exception as wrong:
        wrong.add_note(f"on the way {walk.sku}")
        raise
