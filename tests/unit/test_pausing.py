"""How a service sees to it that its consumer is paused, while its database comes and goes."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest

from sagamart.messaging import pausing
from sagamart.messaging.pausing import Consumer, Pause
from sagamart.messaging.worker import Worker

WITHIN_S = 30.0


class Readers:
    """Connections that are lost at the first look, each in another way, and then find the consumer paused."""

    def __init__(self, *losses: Exception) -> None:
        self.losses = list(losses)

    async def fetchrow(self, *_: Any) -> dict[str, Any]:
        if self.losses:
            raise self.losses.pop(0)
        return {"paused": True, "by": "usr_ada", "why": "stocktaking", "at": None}


async def test_a_pause_is_heeded_however_the_connection_was_lost_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pausing, "HEED_S", 0.0)
    worker = SimpleNamespace(name="stock", paused=False)
    readers = Readers(
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        TimeoutError(),
        ConnectionRefusedError(),
    )
    consumer = Consumer(cast("Worker", worker), cast("asyncpg.Pool", readers))

    looking = asyncio.create_task(consumer.run())
    async with asyncio.timeout(WITHIN_S):
        while not worker.paused and not looking.done():  # noqa: ASYNC110  nobody tells when it looks
            await asyncio.sleep(0)
    looking.cancel()

    assert worker.paused
    assert await consumer.state() == Pause(paused=True, by="usr_ada", why="stocktaking")
