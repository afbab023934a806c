"""Pausing a consumer: its worker takes no messages from other services until an operator resumes it.

Rules:
- Requests, timers, outcomes of outside calls and what is in the queue already go on, so that a paused consumer drains.
- What other services send meanwhile waits with them (or with the broker), and comes when the consumer is resumed.
- The pause is a row in the service's database: every replica heeds it within `HEED_S`, and a restart does not end it.
- The act and its row in `operator_actions` (who, when, why) are one statement.
"""

import asyncio
from datetime import datetime

import asyncpg
import msgspec
import structlog

from sagamart.messaging.postgres import LOST
from sagamart.messaging.worker import Worker

HEED_S = 0.5

_STATE = "select paused, by, why, at from pauses where service = $1"
_SET = """
    with changed as (
        insert into pauses (service, paused, by, why) values ($1, $2, $3, $4)
        on conflict (service) do update set paused = $2, by = $3, why = $4, at = now() where pauses.paused <> $2
        returning paused, by, why, at
    ), noted as (
        insert into operator_actions (action, by, why) select $5, by, why from changed
    )
    select paused, by, why, at from changed
"""

log = structlog.get_logger()


class Pause(msgspec.Struct, frozen=True):
    """Whether a consumer is paused, and who paused or resumed it last, when and why."""

    paused: bool = False
    by: str | None = None
    why: str | None = None
    at: datetime | None = None


class Consumer:
    """The consuming side of one service, as operators see it."""

    def __init__(self, worker: Worker, pool: asyncpg.Pool) -> None:
        self.worker = worker
        self._service = worker.name
        self._pool = pool

    async def state(self) -> Pause:
        """How it is now."""
        row = await self._pool.fetchrow(_STATE, self._service)
        return Pause() if row is None else Pause(*row.values())

    async def pause(self, by: str, why: str) -> Pause | None:
        """Have all its replicas take no more messages.  None where it is paused already."""
        return await self._set(paused=True, by=by, why=why)

    async def resume(self, by: str, why: str) -> Pause | None:
        """Have all its replicas take messages again.  None where it is not paused."""
        if not (await self.state()).paused:
            return None
        return await self._set(paused=False, by=by, why=why)

    async def heed(self) -> None:
        """Look at once, and see to it that the worker does as the row says."""
        paused = (await self.state()).paused
        if paused != self.worker.paused:
            log.warning("consumer paused" if paused else "consumer resumed", service=self._service)
            self.worker.paused = paused

    async def run(self) -> None:
        """Heed the row until cancelled; while it cannot be read, nothing changes."""
        while True:
            await asyncio.sleep(HEED_S)
            try:
                await self.heed()
            except (asyncpg.PostgresError, *LOST) as error:
                log.warning("cannot look for a pause, trying again", service=self._service, error=str(error))

    async def _set(self, *, paused: bool, by: str, why: str) -> Pause | None:
        action = "pause" if paused else "resume"
        row = await self._pool.fetchrow(_SET, self._service, paused, by, why, action)
        if row is None:
            return None
        await self.heed()
        return Pause(*row.values())
