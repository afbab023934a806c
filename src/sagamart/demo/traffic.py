"""Orders that place themselves for as long as somebody wants to watch, through the public API."""

import asyncio
import sys
from itertools import count

import msgspec

from sagamart.demo.assortment import CUSTOMERS
from sagamart.demo.client import DemoError, Session, shop_at
from sagamart.demo.journeys import Journey, wishes
from sagamart.demo.placing import logged_in, replenish, watched

RATE_PER_S = 2.0
REPLENISH_EVERY = 50
AGAIN_AFTER_S = 2.0


class Tally(msgspec.Struct):
    """What came of the orders so far; `trouble` is why none can be placed now."""

    placed: int = 0
    ended: int = 0
    refused: int = 0
    trouble: str | None = None


class Counting(msgspec.Struct, frozen=True):
    """Counts journeys."""

    tally: Tally

    def begun(self, _journey: Journey) -> None:
        """An order is being placed."""
        self.tally.placed += 1

    def moved(self) -> None:
        """An order was seen in some status, which is not counted."""

    def ended(self, journey: Journey) -> None:
        """An order is over, or was not accepted."""
        self.tally.ended += bool(journey.ended_as)
        self.tally.refused += not journey.ended_as


async def keep_placing(url: str, tally: Tally, *, rate_per_s: float = RATE_PER_S) -> None:
    """Place orders until cancelled, so many a second at most; where the shop cannot be reached, try again."""
    while True:
        try:
            await _place(url, tally, rate_per_s)
        except* DemoError as trouble:
            tally.trouble = str(trouble.exceptions[0])
        await asyncio.sleep(AGAIN_AFTER_S)


async def _place(url: str, tally: Tally, rate_per_s: float) -> None:
    async with shop_at(url) as shop, asyncio.TaskGroup() as journeys:
        customers = [await logged_in(shop, customer) for customer in CUSTOMERS]
        free: asyncio.Queue[Session] = asyncio.Queue()
        for customer in customers:
            free.put_nowait(customer)
        for number, wish in zip(count(1), wishes(sys.maxsize), strict=False):
            if number % REPLENISH_EVERY == 1:
                await replenish(shop, customers)
            customer = await free.get()
            tally.trouble = None
            journey = Journey(number, customer.email.partition("@")[0], wish)
            journeys.create_task(watched(customer, journey, Counting(tally), free))
            await asyncio.sleep(1 / rate_per_s)
