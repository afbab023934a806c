"""Watching orders change, for all watchers of a process at once: event streams, and who waits for a payment.

- One query every `POLL_S` asks which of the watched orders have changed, whichever replica changed them.
- At most `WATCHERS_MAX` may watch; whoever finds no room is told nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import structlog

from sagamart.shop.orders.records import Order

WATCHERS_MAX = 500
POLL_S = 0.2

log = structlog.get_logger()

ChangedSince = Callable[[list[str], list[int]], Awaitable[Sequence[Order]]]
"""Reads those of these orders that are further on than these versions."""


class _Watch:
    """One watcher: what it has seen, and what is there to be seen."""

    __slots__ = ("changed", "latest", "order_id", "version")

    def __init__(self, order_id: str, version: int) -> None:
        self.order_id = order_id
        self.version = version
        self.latest: Order | None = None
        self.changed = asyncio.Event()

    def see(self, order: Order) -> None:
        if order.version > self.version:
            self.latest, self.version = order, order.version
            self.changed.set()


class Watchers:
    """Everybody who watches orders of one database in this process."""

    def __init__(self, *, watchers_max: int = WATCHERS_MAX, poll_s: float = POLL_S) -> None:
        self._watchers_max = watchers_max
        self._poll_s = poll_s
        self._watches: set[_Watch] = set()
        self._polling: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether nobody else may watch now."""
        return len(self._watches) >= self._watchers_max

    async def changes(
        self, order_id: str, version: int, changed_since: ChangedSince, *, idle_s: float
    ) -> AsyncGenerator[Order | None, None]:
        """The order whenever it is further on than this version; None each time that `idle_s` pass without a change.

        It has no end of its own; without room it is empty.
        """
        if self.is_full:
            return
        watch = _Watch(order_id, version)
        self._watches.add(watch)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll(changed_since), name="orders watched")
        try:
            while True:
                yield await _next(watch, idle_s)
        finally:
            self._watches.discard(watch)

    async def _poll(self, changed_since: ChangedSince) -> None:
        """Ask for all of them at once, as long as there are any."""
        while self._watches:
            try:
                await self._look(changed_since)
            except Exception:
                log.warning("cannot look for changed orders, trying again", exc_info=True)
            await asyncio.sleep(self._poll_s)

    async def _look(self, changed_since: ChangedSince) -> None:
        by_order: dict[str, list[_Watch]] = {}
        for watch in self._watches:
            by_order.setdefault(watch.order_id, []).append(watch)
        versions = [min(watch.version for watch in watches) for watches in by_order.values()]
        for order in await changed_since(list(by_order), versions):
            for watch in by_order[order.order_id]:
                watch.see(order)


async def _next(watch: _Watch, idle_s: float) -> Order | None:
    try:
        async with asyncio.timeout(idle_s):
            await watch.changed.wait()
    except TimeoutError:
        return None
    watch.changed.clear()
    return watch.latest
