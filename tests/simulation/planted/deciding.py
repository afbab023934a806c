"""Well-known bugs of what a batch means, each put in on purpose: deduplication, order, versions, keys, poison."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from sagamart.messaging import fold
from sagamart.messaging.database import Changes, ConflictError, Loaded
from sagamart.messaging.dead_letters import DeadLetter
from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.memory_writes import Writes
from sagamart.messaging.message import Message, derived_id
from sagamart.messaging.records import Need
from sagamart.messaging.requests import Request, StoredReply
from sagamart.messaging.worker import Worker

Plant = pytest.MonkeyPatch


def no_inbox(plant: Plant) -> None:
    """What was handled before is handled again, and nothing is noted."""
    take, collected = Batch.take, Batch._collected

    def forgetful(self: Batch, loaded: Loaded) -> None:
        loaded.handled.clear()
        take(self, loaded)

    def without_ids(self: Batch) -> Changes:
        changes = collected(self)
        changes.handled.clear()
        return changes

    plant.setattr(Batch, "take", forgetful)
    plant.setattr(Batch, "_collected", without_ids)


def inbox_outside_the_transaction(plant: Plant) -> None:
    """Ids are noted as handled at once, whatever becomes of the transaction."""
    take = Writes.take

    async def hasty(self: Writes, changes: Changes) -> None:
        self._store.inbox.update(changes.handled)
        changes.handled = []
        await take(self, changes)

    plant.setattr(Writes, "take", hasty)


def inbox_pruned_early(plant: Plant) -> None:
    """The inbox forgets after a day what is still let in for a fortnight."""
    plant.setattr("sagamart.messaging.sweep.INBOX_DAYS", 1)


def inbox_unsorted(plant: Plant) -> None:
    """Ids go into the inbox as their messages came, so that two batches may wait for each other."""
    collected = Batch._collected

    def as_they_came(self: Batch) -> Changes:
        changes = collected(self)
        noted = set(changes.handled)
        changes.handled = [one.message.id for one in self.arrivals if one.message.id in noted]
        return changes

    plant.setattr(Batch, "_collected", as_they_came)


def same_id_twice_in_a_batch(plant: Plant) -> None:
    """A batch is compared with the inbox, and not with itself."""

    class Forgetful(set[Any]):
        def add(self, _value: Any) -> None:
            pass

    plant.setattr(fold, "set", Forgetful, raising=False)


def locks_in_order_of_arrival(plant: Plant) -> None:
    """Rows are asked for, and so locked, as the messages came that want them."""

    def as_they_came(_self: Batch, needs: Iterable[Need]) -> list[Need]:
        wanted: dict[tuple[type, str | None], dict[str, None]] = {}
        for need in needs:
            wanted.setdefault((need.kind, need.column), {}).update(dict.fromkeys(need.values))
        return [Need(kind, list(found), column) for (kind, column), found in wanted.items() if found]

    plant.setattr(Batch, "_merged", as_they_came)


def no_version_check(plant: Plant) -> None:
    """The later of two that decided on the same record wins."""
    update = Writes._update

    async def whatever_the_version(self: Writes, row: Any, _version: int) -> None:
        table = self._store.tables[type(row)]
        await update(self, row, self._store.rows[type(row)][getattr(row, table.key)].version)

    plant.setattr(Writes, "_update", whatever_the_version)


def only_the_next_version(plant: Plant) -> None:
    """A row is saved only where its version is one more than the old, though a batch has decided on it three times."""
    update = Writes._update

    async def one_at_a_time(self: Writes, row: Any, version: int) -> None:
        if row.version != version + 1:
            raise ConflictError("not the next version")
        await update(self, row, version)

    plant.setattr(Writes, "_update", one_at_a_time)


def ids_without_the_service(plant: Plant) -> None:
    """Two services that answer one fact with the same type give it the same id."""

    def nobodys(cause: str, _service: str, kind: str, position: int, *due: Any) -> str:
        return derived_id(cause, "", kind, position, *due)

    plant.setattr(fold, "derived_id", nobodys)


def key_without_its_content(plant: Plant) -> None:
    """Whoever comes with a known key gets the stored answer, whatever was asked."""

    def whatever_was_asked(self: Batch, arrival: Arrival) -> bool:
        known = self.loaded.requests.get(arrival.request.key) if arrival.request else None
        if known is not None:
            self.replies[arrival.message.id] = known.reply
        return known is not None

    plant.setattr(Batch, "_answer_again", whatever_was_asked)


def key_shared_between_callers(plant: Plant) -> None:
    """A key counts for all customers together."""
    ask = Worker.ask

    async def by_the_key_alone(self: Worker, message: Message[Any], request: Request) -> StoredReply:
        return await ask(self, message, msgspec.structs.replace(request, key=request.key.split(" ", 1)[1]))

    plant.setattr(Worker, "ask", by_the_key_alone)


def poison_skipped(plant: Plant) -> None:
    """What cannot be handled is passed over, and nobody hears of it."""

    def silently(_self: Batch, _arrival: Arrival, _error: str) -> None:
        pass

    plant.setattr(Batch, "_bury", silently)


def key_not_parked(plant: Plant) -> None:
    """What follows on a dead letter of its key goes on without it."""

    def and_on(self: Batch, arrival: Arrival, error: str) -> None:
        self.changes.dead.append(DeadLetter(arrival.message, error))

    plant.setattr(Batch, "_bury", and_on)


def reply_before_the_commit(plant: Plant) -> None:
    """Callers are answered as soon as it is decided."""
    workers: dict[str, Worker] = {}
    transact, decide = Worker._transact, Batch.decide

    async def known(self: Worker, arrivals: Sequence[Any], *, locked: bool) -> Batch:
        for arrival in arrivals:
            workers[arrival.message.id] = self
        return await transact(self, arrivals, locked=locked)

    def hasty(self: Batch) -> Changes:
        changes = decide(self)
        for message_id, reply in self.replies.items():
            workers[message_id]._callers.answer(message_id, reply)
        return changes

    plant.setattr(Worker, "_transact", known)
    plant.setattr(Batch, "decide", hasty)
