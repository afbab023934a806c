"""What services of a market say to each other, listened to: to be told again, or in another order.

sent = Sent(market, "stock", "wallet")
booked, held = await sent.facts_of(order_id, "StockBooked", "MoneyHeld")
"""

import asyncio
from collections import Counter
from typing import Any

from bank_at_work import until
from market import Market
from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.message import Message


class Told:
    """Messages between services, each kind once, as it came."""

    def __init__(self) -> None:
        self.messages: dict[tuple[str, str], Message[Any]] = {}

    def note(self, *messages: Message[Any]) -> None:
        """Keep these."""
        for one in messages:
            self.messages.setdefault((one.key, one.type), one)

    async def facts_of(self, order_id: str, *kinds: str) -> list[Message[Any]]:
        """These facts about an order, once they have come."""

        async def come() -> list[Message[Any]]:
            found = [self.messages.get((order_id, kind)) for kind in kinds]
            return [one for one in found if one is not None] if None not in found else []

        found: list[Message[Any]] = await until(come)
        return found


class Sent(Told):
    """What these services have told."""

    def __init__(self, market: Market, *services: str) -> None:
        super().__init__()
        for name in services:
            market.worker(name).on_batch.append(lambda batch, _seconds: self.note(*batch.sent))


class Heard(Told):
    """What orders has heard from other services."""

    def __init__(self, market: Market) -> None:
        super().__init__()
        self.worker = market.worker("orders")
        self.worker.on_batch.append(lambda batch, _seconds: self.note(*(one.message for one in batch.arrivals)))

    async def again(self, *messages: Message[Any]) -> None:
        """Let orders hear these, all at once, and wait until it has."""
        left, done = Counter(one.id for one in messages), asyncio.Event()

        def note(batch: Batch, _seconds: float) -> None:
            left.subtract(one.message.id for one in batch.arrivals)
            if not any(many > 0 for many in left.values()):
                done.set()

        self.worker.on_batch.append(note)
        self.worker.offer_own([Arrival(message) for message in messages])
        await done.wait()
        self.worker.on_batch.remove(note)
