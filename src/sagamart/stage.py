"""A demonstration's stage (`sagamart up --demo`): traffic that is switched on and off, and services that are killed.

Rules:
- A kill is a real one: the service's tasks are cancelled wherever they are, what it had in memory only is gone, and
  after `DEAD_S` it begins its next life from its database.
- Who killed what and why is in the operators' journal, as the pause and the resumption that it is for the others.
- While orders place themselves, the shop is audited again and again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from msgspec.structs import replace

from sagamart.app import Shop
from sagamart.demo import Tally, keep_placing
from sagamart.messaging.message import first_id_at
from sagamart.platform.http import NotFound, Problem
from sagamart.platform.http.demo import DemoState, Kill

DEAD_S = 4.0
SETTLE_S = 6.0
"""How long after its revival the orders that waited are counted again."""

KILLS_SHOWN = 10
COUNTED_MAX = 10_000
WATCHED = timedelta(minutes=15)
"""Orders that are older are not counted."""

FINAL = ["completed", "cancelled", "returned"]
_NOTE = "insert into operator_actions (action, by, why) values ($1, $2, $3)"

Audit = Callable[[], Awaitable[Sequence[object]]]
Audits = Callable[[], Coroutine[Any, Any, None]]
"""Audits again and again, until cancelled."""

log = structlog.get_logger("sagamart.stage")


class LiveStage:
    """The stage of a shop in this process; orders are placed at its `address`, and `audits` go on meanwhile."""

    def __init__(
        self,
        shop: Shop,
        audit: Audit,
        *,
        audits: Audits | None = None,
        dead_s: float = DEAD_S,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._shop = shop
        self.address = ""
        self._audit = audit
        self._audits = audits
        self._dead_s = dead_s
        self._settle_s = settle_s
        self._tally = Tally()
        self._traffic: Sequence[asyncio.Task[None]] = ()
        self._revivals: set[asyncio.Task[None]] = set()
        self._kills: deque[Kill] = deque(maxlen=KILLS_SHOWN)
        self._dead: set[str] = set()

    @property
    def state(self) -> DemoState:
        """The demonstration as it is, the newest kill first."""
        tally, on = self._tally, bool(self._traffic)
        services = list(self._shop.services)
        return DemoState(on, tally.placed, tally.ended, tally.refused, tally.trouble, services, list(self._kills))

    async def turn(self, *, on: bool) -> None:
        """Have orders place themselves, or not."""
        if on and not self._traffic:
            placing = asyncio.create_task(keep_placing(self.address, self._tally), name="demo traffic")
            auditing = [] if self._audits is None else [asyncio.create_task(self._audits(), name="demo audits")]
            self._traffic = (placing, *auditing)
        elif not on:
            traffic, self._traffic = self._traffic, ()
            for task in traffic:
                task.cancel()
            await asyncio.gather(*traffic, return_exceptions=True)

    async def kill(self, service: str, by: str, why: str) -> None:
        """Kill a service; it comes back after `DEAD_S`.  Raises Problem."""
        if service not in self._shop.services:
            raise NotFound("There is no such service here")
        if service in self._dead:
            raise Problem(409, "already_dead", "It is dead already, and will come back")
        self._dead.add(service)
        await self._note(service, "pause", by, f"killed: {why}")
        kill = Kill(service, by, why, datetime.now(UTC), await self._open_orders())
        self._kills.appendleft(kill)
        log.warning("service killed for a demonstration", service=service, by=by, why=why)
        await self._shop.kill(service)
        revival = asyncio.create_task(self._revive(kill), name=f"revival of {service}")
        self._revivals.add(revival)
        revival.add_done_callback(self._revivals.discard)

    async def stop(self) -> None:
        """End everything; whoever is dead comes back, so that the shop stops as it should."""
        await self.turn(on=False)
        for revival in list(self._revivals):
            revival.cancel()
        await asyncio.gather(*self._revivals, return_exceptions=True)
        for service in sorted(self._dead):
            await self._shop.revive(service)
        self._dead.clear()

    async def _revive(self, kill: Kill) -> None:
        await asyncio.sleep(self._dead_s)
        during = await self._open_orders()
        await self._shop.revive(kill.service)
        self._dead.discard(kill.service)
        await self._note(kill.service, "resume", kill.by, "came back after it was killed")
        kill = self._tell(kill, replace(kill, open_during=during, revived_at=datetime.now(UTC)))
        await asyncio.sleep(self._settle_s)
        kill = self._tell(kill, replace(kill, open_after=await self._open_orders()))
        self._tell(kill, replace(kill, findings=len(await self._audit())))

    def _tell(self, before: Kill, now: Kill) -> Kill:
        if before in self._kills:
            self._kills[self._kills.index(before)] = now
        return now

    async def _note(self, service: str, action: str, by: str, why: str) -> None:
        await self._shop.services[service].readers.execute(_NOTE, action, by, why)

    async def _open_orders(self) -> int:
        after = "ord_" + first_id_at(datetime.now(UTC) - WATCHED).replace("-", "")
        queries = self._shop.services["orders"].queries
        return int(await queries.orders_open(after=after, counted=COUNTED_MAX, final=FINAL))
