"""Locks of the in-memory twin: who holds what until its transaction ends, who waits, and who waits in a circle.

Rules:
- A lock is exclusive and held until the end of the transaction; waiters are served in the order in which they came.
- Whoever would close a circle of waiting is refused at once (PostgreSQL needs its `deadlock_timeout` to notice).
- A wait is bounded by `timeout_s`.
"""

import asyncio
from collections import deque
from collections.abc import Hashable

from sagamart.messaging.database import ConflictError

Place = Hashable
"""What is locked: a row, or a value of a unique column that somebody is about to insert."""


class Owner:
    """A transaction, as the locks see it."""

    def __init__(self) -> None:
        self.held: list[Place] = []
        self.awaits: Place | None = None


class Locks:
    """All locks of one database."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._owners: dict[Place, Owner] = {}
        self._queues: dict[Place, deque[tuple[Owner, asyncio.Future[None]]]] = {}

    def is_free(self, place: Place) -> bool:
        """Whether `SKIP LOCKED` would take it."""
        return place not in self._owners

    @property
    def waiting(self) -> int:
        """How many transactions wait now."""
        return sum(not turn.done() for queue in self._queues.values() for _, turn in queue)

    async def take(self, owner: Owner, place: Place) -> bool:
        """Hold the lock; says whether it is new to this owner.  Raises ConflictError for a deadlock or a timeout."""
        holder = self._owners.get(place)
        if holder is owner:
            return False
        if holder is None:
            self._grant(owner, place)
        else:
            await self._wait(owner, place)
        return True

    def release(self, owner: Owner) -> None:
        """Give back all that this transaction holds, each lock to its first waiter."""
        while owner.held:
            place = owner.held.pop()
            del self._owners[place]
            queue = self._queues.get(place, ())
            while queue:
                waiter, turn = queue.popleft()
                if not turn.done():
                    self._grant(waiter, place)
                    turn.set_result(None)
                    break
            if not queue:
                self._queues.pop(place, None)

    def _grant(self, owner: Owner, place: Place) -> None:
        self._owners[place] = owner
        owner.held.append(place)
        owner.awaits = None

    async def _wait(self, owner: Owner, place: Place) -> None:
        if self._leads_back(owner, place):
            raise ConflictError("deadlock detected")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(place, deque()).append((owner, turn))
        owner.awaits = place
        try:
            async with asyncio.timeout(self.timeout_s):
                await turn
        except TimeoutError as late:
            raise ConflictError("a lock was not granted in time") from late
        finally:
            owner.awaits = None

    def _leads_back(self, owner: Owner, place: Place | None) -> bool:
        while place is not None:
            holder = self._owners[place]
            if holder is owner:
                return True
            place = holder.awaits
        return False
