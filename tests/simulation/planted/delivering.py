"""Well-known bugs of what is sent, taken and tried again, each put in on purpose: outbox, offsets, timers, queues."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from confluent_kafka import Message as Record

from sagamart.messaging.database import Changes
from sagamart.messaging.fold import Batch
from sagamart.messaging.memory import MemoryDatabase
from sagamart.messaging.memory_store import Store
from sagamart.messaging.message import Message, Registry, new_id
from sagamart.messaging.transport import kafka_consumer
from sagamart.messaging.transport.kafka_consumer import Inbound
from sagamart.messaging.transport.kafka_envelope import message_of
from sagamart.messaging.transport.kafka_intake import Taken
from sagamart.messaging.transport.kafka_offsets import Progress
from sagamart.messaging.worker import Worker
from simulation.planted.finding import nothing_happens

Plant = pytest.MonkeyPatch
ROOM = 1_000_000


def outbox_never_sent_again(plant: Plant) -> None:
    """What was lost on its way, or with its process, stays in the outbox."""

    async def nothing(_self: MemoryDatabase, _node: str, _limit: int) -> list[bytes]:
        return []

    plant.setattr(MemoryDatabase, "due_outbox", nothing)


def outbox_read_by_a_cursor(plant: Plant) -> None:
    """The outbox is read by `id > last`: what commits later under a smaller id is never sent."""
    due_outbox = MemoryDatabase.due_outbox
    last: dict[Store, str] = {}

    async def after_the_last(self: MemoryDatabase, node: str, limit: int) -> list[tuple[str, list[bytes]]]:
        due = [one for one in await due_outbox(self, node, limit) if one[0] > last.get(self.store, "")]
        last[self.store] = max([last.get(self.store, ""), *(parcel_id for parcel_id, _ in due)])
        return due

    plant.setattr(MemoryDatabase, "due_outbox", after_the_last)


def outbox_sent_again_at_every_start(plant: Plant) -> None:
    """Whoever starts takes all parcels, those under way at its living siblings too."""
    begin_life = MemoryDatabase.begin_life

    async def greedy(self: MemoryDatabase, node: str) -> bool:
        await self.postpone(dict.fromkeys(self.store.outbox, 0))
        return await begin_life(self, node)

    plant.setattr(MemoryDatabase, "begin_life", greedy)


def offsets_before_the_database(plant: Plant) -> None:
    """A record counts as finished when it was read."""
    deliver = Inbound.deliver

    def hasty(self: Inbound, taken: Sequence[Taken]) -> None:
        deliver(self, taken)
        for progress, record in taken:
            progress.finish(record.offset() or 0)

    plant.setattr(Inbound, "deliver", hasty)


def offsets_of_the_last_finished(plant: Plant) -> None:
    """What was finished last is committed, though something before it is not finished."""
    finish = Progress.finish

    def the_furthest(self: Progress, offset: int) -> None:
        finish(self, offset)
        self.position = max(self.position, offset + 1)

    plant.setattr(Progress, "finish", the_furthest)


def dedup_by_offset(plant: Plant) -> None:
    """A message is known by its place in the log: sent again, it lies at another."""

    def by_its_place(record: Record, registry: Registry) -> Message[Any]:
        message = message_of(record, registry)
        return msgspec.structs.replace(message, id=new_id(message.at, (record.offset() or 0).to_bytes(10)))

    plant.setattr(kafka_consumer, "message_of", by_its_place)


def timer_not_disarmed(plant: Plant) -> None:
    """What was waited for has come, and the timer stands."""
    collected = Batch._collected

    def and_still_armed(self: Batch) -> Changes:
        changes = collected(self)
        changes.disarmed.clear()
        return changes

    plant.setattr(Batch, "_collected", and_still_armed)


def timer_outside_the_transaction(plant: Plant) -> None:
    """A timer that fires is deleted at once, before its firing is handled: a crash between the two forgets it."""
    due_timers = MemoryDatabase.due_timers

    async def and_gone(self: MemoryDatabase, limit: int) -> list[tuple[str, bytes]]:
        due = await due_timers(self, limit)
        fired = {raw for _, raw in due}
        for place in [place for place, row in self.store.timers.items() if row.message in fired]:
            del self.store.timers[place]
        return due

    plant.setattr(MemoryDatabase, "due_timers", and_gone)


def retry_without_backoff(plant: Plant) -> None:
    """A database in trouble is asked again at once, and again."""

    async def at_once(_self: Worker, _backoff_s: float) -> None:
        await nothing_happens()

    plant.setattr(Worker, "_pause", at_once)


def queue_without_bound(plant: Plant) -> None:
    """A worker takes whatever it is offered."""
    plant.setattr(Worker, "room", property(lambda _self: ROOM))
