"""A released letter that this version still cannot read is dead again; one that it can read by now is handled."""

import asyncio

from sagamart.messaging.dead_letters import DEAD_IN_A_ROW_MAX, UnreadableLetter, unreadable
from sagamart.messaging.memory import MemoryDatabase
from sagamart.messaging.memory_store import Store
from sagamart.messaging.message import UnknownMessageError, encode
from sagamart.messaging.sweep import Sweep
from sagamart.messaging.transport.outbox_only import OutboxOnly
from sagamart.messaging.worker import Node, Worker
from unit.boxes import AT, BOXES, Box, Put, said

GIBBERISH = b'{"id":"019aa000-0000-7000-8000-000000000007","key":"a","type":"?","record_value":"AA=="}'
LETTER = unreadable(GIBBERISH, UnknownMessageError("who knows"))


def worker_over(store: Store) -> Worker:
    return Worker(BOXES, MemoryDatabase(store, node="a"), OutboxOnly(), node=Node("a", clock=lambda: AT))


async def test_a_letter_that_still_cannot_be_read_is_dead_again() -> None:
    store = Store(BOXES)
    worker = worker_over(store)
    await worker.bury([LETTER])
    (row,) = store.letters.values()
    row.status = "released"

    await Sweep(worker).retry_letters()

    (row,) = store.letters.values()
    assert (row.status, row.key, row.message) == ("dead", "a", GIBBERISH)
    assert worker.waiting == (0, 0)


async def test_a_letter_that_a_later_version_can_read_is_handled() -> None:
    store = Store(BOXES)
    worker = worker_over(store)
    put = said(Put("a"), 7)
    await worker.bury([UnreadableLetter(put.id, "a", "Put", "unknown to the version before", encode(put))])
    (row,) = store.letters.values()
    row.status = "released"

    await Sweep(worker).retry_letters()
    worker.on_batch.append(lambda _batch, _seconds: worker.stop())
    await worker.run()

    assert store.letters == {}
    assert store.rows[Box]["a"].count == 1


async def test_a_topic_full_of_gibberish_stops_the_worker() -> None:
    worker = worker_over(Store(BOXES))
    lane = asyncio.create_task(worker.run())
    for _ in range(DEAD_IN_A_ROW_MAX + 1):
        await worker.bury([LETTER])
    await lane
    assert "dead letters in a row" in (worker.failed or "")
