"""Waiting for orders to be settled (`Prefer: wait=N`), for all callers of a process at once.

- An order that this process settles is seen right after the commit: `on_committed` hangs in the worker.
- An order that another replica settles is found by one query for everybody, every `POLL_S`, while somebody waits.
- At most `WAITERS_MAX` may wait, `WAIT_S_MAX` each; whoever finds no room gets the order as it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from sagamart.messaging.records import Record
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.records import Order

WAITERS_MAX = 2_000
WAIT_S_MAX = 30
POLL_S = 0.1

log = structlog.get_logger()


SettledAmong = Callable[[list[str]], Awaitable[Sequence[Order]]]
"""Reads those of these orders that are settled."""


class Waiters:
    """Everybody who waits in this process for orders of one database."""

    def __init__(self, *, waiters_max: int = WAITERS_MAX, poll_s: float = POLL_S) -> None:
        self._waiters_max = waiters_max
        self._poll_s = poll_s
        self._waiting: dict[str, set[asyncio.Future[Order]]] = {}
        self._count = 0
        self._polling: asyncio.Task[None] | None = None

    async def wait(self, order_id: str, wait_s: float, settled_among: SettledAmong) -> Order | None:
        """The order once it is settled; None where it takes longer, or where too many wait already."""
        if self._count >= self._waiters_max:
            return None
        settled: asyncio.Future[Order] = asyncio.get_running_loop().create_future()
        self._count += 1
        self._waiting.setdefault(order_id, set()).add(settled)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll(settled_among))
        try:
            async with asyncio.timeout(wait_s):
                return await settled
        except TimeoutError:
            return None
        finally:
            self._leave(order_id, settled)

    def on_committed(self, records: Sequence[Record]) -> None:
        """Wake whoever waits for one of these."""
        if self._waiting:
            self._wake(row for row in records if isinstance(row, Order) and LIFECYCLE[row.status].settled)

    def _wake(self, orders: Iterable[Order]) -> None:
        for order in orders:
            for settled in self._waiting.get(order.order_id, ()):
                if not settled.done():
                    settled.set_result(order)

    def _leave(self, order_id: str, settled: asyncio.Future[Order]) -> None:
        self._count -= 1
        others = self._waiting[order_id]
        others.discard(settled)
        if not others:
            del self._waiting[order_id]

    async def _poll(self, settled_among: SettledAmong) -> None:
        """Ask for all of them at once, as long as there are any."""
        while self._waiting:
            try:
                self._wake(await settled_among(list(self._waiting)))
            except Exception:
                log.warning("cannot look for settled orders, trying again", exc_info=True)
            await asyncio.sleep(self._poll_s)
