"""Sweeps over the twin and in virtual time: one that fails tries again, and one that stands still is told of."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from sagamart.messaging.database import UnavailableError
from sagamart.messaging.memory import MemoryDatabase, no_pause
from sagamart.messaging.memory_store import Store, TimerRow
from sagamart.messaging.message import Body, Message, encode
from sagamart.messaging.outbox import LEASE_S
from sagamart.messaging.requests import request_of
from sagamart.messaging.service import Service
from sagamart.messaging.standstill import STANDS_S
from sagamart.messaging.sweep import UNARMED_S, Sweep
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.worker import Node, Worker
from simulation.virtual_loop import run_virtually
from unit.boxes import AT, BOXES, Box, Knock, Put, Wake, said

SOON_S = 5.0
"""Far less than a lease: what comes so soon did not wait for one to run out."""


class Odd(MemoryDatabase):
    """Its statements fail so many times, by name, as nobody foresaw."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, node="n", pause=self._pause)
        self.fails: dict[str, int] = {}
        self.is_away = False

    async def _pause(self, _point: str) -> None:
        if self.is_away:
            raise UnavailableError("nobody listens")

    def _stumble(self, name: str) -> None:
        if self.fails.get(name, 0):
            self.fails[name] -= 1
            raise LookupError("out of the blue")

    async def due_timers(self, limit: int) -> list[tuple[str, bytes]]:
        self._stumble("due_timers")
        return await super().due_timers(limit)

    async def forget_arrived(self, parcel_ids: Sequence[str]) -> None:
        self._stumble("forget_arrived")
        await super().forget_arrived(parcel_ids)

    async def postpone(self, after_s: Mapping[str, float]) -> set[str]:
        self._stumble("postpone")
        return await super().postpone(after_s)


class FullOnce(LocalTransport):
    """Takes nothing the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = True

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        if self.is_full:
            self.is_full = False
            self._endpoints[producer].refused([message.id for message in messages])
        else:
            super().hand_over(producer, messages)


Test = Callable[[Worker, Odd], Awaitable[None]]


def swept(test: Test, transport: Callable[[], LocalTransport] = LocalTransport, service: Service = BOXES) -> None:
    """Run a worker with its sweeps over an empty store while the test runs."""

    async def run() -> None:
        def clock() -> datetime:
            return AT + timedelta(seconds=asyncio.get_running_loop().time())

        database = Odd(Store(service, clock=clock))
        worker = Worker(service, database, transport(), node=Node("n", clock, lambda: 0.5))
        tasks = [asyncio.create_task(worker.run()), asyncio.create_task(Sweep(worker).run())]
        await asyncio.wait_for(test(worker, database), 600)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run_virtually(run())


async def put(worker: Worker, number: int = 1) -> None:
    await worker.ask(said(Put("a"), number), request_of("ann", "put", str(number), {}))


async def until(condition: Callable[[], bool], within_s: float) -> None:
    """Wait for what has to come true, in virtual time."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  a twin sets no event
            await asyncio.sleep(0.1)


def test_a_timer_fires_though_its_sweep_met_something_that_nobody_foresaw() -> None:
    async def test(worker: Worker, database: Odd) -> None:
        await put(worker)
        worker.offer([said(Wake("a"), 2)])
        database.fails["due_timers"] = 3
        await until(lambda: database.store.rows[Box]["a"].count == 11, 60 + SOON_S)
        assert worker.trouble is None

    swept(test)


def test_a_timer_that_another_version_armed_fires_where_this_one_arms_none() -> None:
    arms_none = BOXES.changed(handlers=[one for one in BOXES.handlers.values() if one.takes is not Wake])
    assert not arms_none.arms

    async def test(worker: Worker, database: Odd) -> None:
        await put(worker)
        firing = said(Knock("a"), 2)
        database.store.timers["a", "knock"] = TimerRow("a", "knock", firing.id, AT, encode(firing))
        await until(lambda: database.store.rows[Box]["a"].count == 11, UNARMED_S + SOON_S)

    swept(test, service=arms_none)


def test_a_sweep_that_stands_still_is_told_of_until_it_works_again() -> None:
    async def test(worker: Worker, database: Odd) -> None:
        database.fails["due_timers"] = 10_000
        await asyncio.sleep(STANDS_S / 2)
        assert worker.trouble is None, "it may pass"

        await until(lambda: worker.trouble is not None, STANDS_S)
        assert "fire_timers" in (worker.trouble or "")
        assert "out of the blue" in (worker.trouble or "")
        await put(worker)

        database.fails.clear()
        await until(lambda: worker.trouble is None, SOON_S)

    swept(test)


def test_a_loop_that_cannot_write_is_told_of_until_it_can() -> None:
    async def test(worker: Worker, database: Odd) -> None:
        database.is_away = True
        asking = asyncio.create_task(put(worker))
        await until(lambda: "the loop" in (worker.trouble or ""), 2 * STANDS_S)

        database.is_away = False
        await asking
        await until(lambda: worker.trouble is None, SOON_S)

    swept(test)


def test_a_sweep_that_fails_pauses_longer_and_longer() -> None:
    async def test(_worker: Worker, database: Odd) -> None:
        database.fails["due_timers"] = 10_000
        await asyncio.sleep(60)
        assert 10_000 - database.fails["due_timers"] < 60

    swept(test)


def test_a_row_that_could_not_be_deleted_is_deleted_soon() -> None:
    async def test(worker: Worker, database: Odd) -> None:
        database.fails["forget_arrived"] = 1
        await put(worker)
        await until(lambda: not database.store.outbox, SOON_S)
        assert database.fails["forget_arrived"] == 0, "it failed once"

    swept(test)


def test_what_came_back_is_sent_again_soon_though_its_row_could_not_be_written_at_first() -> None:
    async def test(worker: Worker, database: Odd) -> None:
        database.fails["postpone"] = 1
        await put(worker)
        await until(lambda: not database.store.outbox, SOON_S)
        assert database.fails["postpone"] == 0, "it failed once"

    assert SOON_S < LEASE_S / 2
    swept(test, FullOnce)


@pytest.mark.parametrize("error", [LookupError("a bug"), None], ids=["ends with a bug", "is cancelled"])
async def test_a_worker_fails_with_a_task_of_its_own_that_ends_with_a_bug(error: Exception | None) -> None:
    async def ends() -> None:
        if error is None:
            raise asyncio.CancelledError
        raise error

    worker = Worker(BOXES, MemoryDatabase(Store(BOXES), node="n", pause=no_pause), LocalTransport(), node=Node("n"))
    lane = asyncio.create_task(worker.run())
    task = asyncio.create_task(ends(), name="boxes pauses")
    worker.watch(task)
    await asyncio.wait([task])

    if error is None:
        worker.stop()
    await lane

    assert worker.failed == (error and "boxes pauses: LookupError: a bug")
