"""Well-known bugs of the core, each put in on purpose: some seed has to show it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from sagamart.contracts.orders import OrderCancelled
from sagamart.messaging.database import Changes, Loaded
from sagamart.messaging.decision import Decision
from sagamart.messaging.fold import Batch
from sagamart.messaging.memory import MemoryDatabase
from sagamart.messaging.memory_writes import Writes
from sagamart.messaging.message import Message
from sagamart.messaging.worker import Worker
from sagamart.shop.stock.decide import release
from sagamart.shop.stock.records import Reservation, Sku
from simulation.planting import seed_that_finds_it


def test_an_inbox_that_is_not_looked_at_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handle what was handled before, and note nothing."""
    take = Batch.take
    collected = Batch._collected

    def forgetful(self: Batch, loaded: Loaded) -> None:
        loaded.handled.clear()
        take(self, loaded)

    def without_ids(self: Batch) -> Changes:
        changes = collected(self)
        changes.handled.clear()
        return changes

    monkeypatch.setattr(Batch, "take", forgetful)
    monkeypatch.setattr(Batch, "_collected", without_ids)
    assert seed_that_finds_it() is not None


def test_records_saved_over_any_version_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save whatever the version is now."""
    update = Writes._update

    async def whatever_the_version(self: Writes, row: Any, _version: int) -> None:
        table = self._store.tables[type(row)]
        await update(self, row, self._store.rows[type(row)][getattr(row, table.key)].version)

    monkeypatch.setattr(Writes, "_update", whatever_the_version)
    assert seed_that_finds_it() is not None


def test_a_release_without_a_tombstone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget a release whose booking has not come yet."""

    def forgetful(
        message: Message[OrderCancelled], reservations: Mapping[str, Reservation], skus: Mapping[str, Sku]
    ) -> Decision:
        decision = release(message, reservations, skus)
        kept = [row for row in decision.save if not (isinstance(row, Reservation) and row.version == 1)]
        return msgspec.structs.replace(decision, save=kept)

    monkeypatch.setattr("sagamart.shop.stock.service.release", forgetful)
    assert seed_that_finds_it() is not None


def test_a_reply_before_the_commit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer as soon as it is decided."""
    workers: dict[str, Worker] = {}
    transact = Worker._transact
    decide = Batch.decide

    async def known(self: Worker, arrivals: Sequence[Any], *, locked: bool) -> Batch:
        for arrival in arrivals:
            workers[arrival.message.id] = self
        return await transact(self, arrivals, locked=locked)

    def hasty(self: Batch) -> Changes:
        changes = decide(self)
        for message_id, reply in self.replies.items():
            workers[message_id]._callers.answer(message_id, reply)
        return changes

    monkeypatch.setattr(Worker, "_transact", known)
    monkeypatch.setattr(Batch, "decide", hasty)
    assert seed_that_finds_it() is not None


def test_an_outbox_that_is_not_sent_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send only from memory."""

    async def nothing(_self: MemoryDatabase, _node: str, _limit: int) -> list[bytes]:
        return []

    monkeypatch.setattr(MemoryDatabase, "due_outbox", nothing)
    assert seed_that_finds_it() is not None
