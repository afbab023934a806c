"""What must happen by itself: timers fire, leases run out, letters are released, old rows go.

Rules:
- A sweep only reads what is due and offers it to the loop, or clears away what is done; it decides nothing.
- It may run in every replica: rows that another is taking are passed over.
- A sweep that fails, for whatever reason, tries again after a pause that doubles: else timers would not fire any more,
  and nobody would know.  One that does not get on at all is told of: see `standstill.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import msgspec
import structlog

from sagamart.messaging.database import ConflictError, UnavailableError
from sagamart.messaging.dead_letters import unreadable
from sagamart.messaging.fold import Arrival
from sagamart.messaging.inbox import INBOX_DAYS
from sagamart.messaging.message import Body, Message, UnknownMessageError
from sagamart.messaging.outbox import Parcel
from sagamart.messaging.worker import Worker

log = structlog.get_logger()

SWEPT_MAX = 1000
"""Rows taken by one statement."""

PARCELS_SWEPT_MAX = 20
"""Parcels taken by one statement."""

UNARMED_S = 5.0
"""How often a service looks for timers that arms none: another version of it may have, before or beside this one."""


class Sweep:
    """The sweeps of one worker, each at its own pace (seconds)."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.database = worker.database
        self._jobs: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (0.25, self.clear_arrived),
            (0.2 if worker.service.arms else UNARMED_S, self.fire_timers),
            (0.5, self.send_due),
            (1.0, self.retry_letters),
            (600.0, self.prune),
        ]

    async def run(self) -> None:
        """Sweep until cancelled."""
        await asyncio.gather(*(self._repeat(every_s, job) for every_s, job in self._jobs))

    async def _repeat(self, every_s: float, job: Callable[[], Awaitable[None]]) -> None:
        worker, limits, what = self.worker, self.worker.limits, f"the sweep {job.__name__}"
        backoff_s = 0.0
        while True:
            try:
                await job()
            except Exception as trouble:
                if isinstance(trouble, UnavailableError | ConflictError):
                    log.warning("sweep put off", service=worker.name, sweep=job.__name__, error=str(trouble))
                else:
                    log.exception("sweep failed", service=worker.name, sweep=job.__name__)
                worker.standstill.failed(what, trouble)
                backoff_s = min(max(limits.backoff_s, 2 * backoff_s), limits.backoff_s_max)
            else:
                worker.standstill.went_on(what)
                backoff_s = 0.0
            await asyncio.sleep((backoff_s or every_s) * (0.75 + worker.node.chance() / 2))

    async def clear_arrived(self) -> None:
        """Delete outbox rows that arrived while no batch came along to do it."""
        if any(self.worker.waiting):
            return
        arrived = self.worker.take_arrived()
        if arrived:
            try:
                await self.database.forget_arrived(arrived)
            except BaseException:
                self.worker.put_back_arrived(arrived)
                raise

    async def fire_timers(self) -> None:
        """Offer timers whose moment has come."""
        due = await self.database.due_timers(min(SWEPT_MAX, self.worker.room))
        now = self.worker.node.clock()
        self.worker.offer_own(
            [
                Arrival(msgspec.structs.replace(message, at=now), timer=name)
                for name, raw in due
                for message in self._read([raw])
            ]
        )

    async def send_due(self) -> None:
        """Send what the last life left behind, what a dead replica left behind, and what could not be taken before."""
        returned, self.worker.returned = self.worker.returned, {}
        if returned:
            try:
                there = await self.database.postpone(returned)
            except BaseException:
                self.worker.returned = {**returned, **self.worker.returned}
                raise
            self.worker.in_flight.forget(returned.keys() - there)
        for parcel_id, raw in await self.database.due_outbox(self.worker.node.name, PARCELS_SWEPT_MAX):
            messages = self._read(raw)
            self.worker.send(Parcel(parcel_id, messages), unread=len(raw) - len(messages))

    async def retry_letters(self) -> None:
        """Offer letters that an operator released, and those that waited for them."""
        due = await self.database.due_letters(min(SWEPT_MAX, self.worker.room))
        readable, still_unreadable = [], []
        for raw in due:
            try:
                readable.append(self.worker.registry.decode(raw))
            except (UnknownMessageError, msgspec.MsgspecError) as error:
                still_unreadable.append(unreadable(raw, error))
        self.worker.offer_own([Arrival(message, released=True) for message in readable])
        if still_unreadable:
            await self.database.bury(still_unreadable)

    async def prune(self) -> None:
        """Forget what is older than the inbox's horizon."""
        await self.database.prune(self.worker.node.clock() - timedelta(days=INBOX_DAYS))

    def _read(self, rows: Sequence[bytes]) -> list[Message[Body]]:
        """Messages of stored rows.  A row that this version cannot read stays where it is, and says so."""
        messages = []
        for raw in rows:
            try:
                messages.append(self.worker.service.registry.decode(raw))
            except (UnknownMessageError, msgspec.MsgspecError) as error:
                log.error("a stored message cannot be read", service=self.worker.name, error=str(error))  # noqa: TRY400  the error is data, not a crash
        return messages
