"""One service at work in memory, without a transport: its own handlers over a working set that never forgets.

What each message needs is loaded, its decision is checked as the core checks it, and its rows are kept.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Body, Message
from sagamart.messaging.records import Need, Record, Records, WorkingSet
from sagamart.messaging.service import Service

R = TypeVar("R", bound=Record)

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def message(body: Body, number: int = 1, at: datetime = AT) -> Message[Any]:
    """A message of this body; another `number`, another message."""
    return Message(
        id=f"019aa000-0000-7000-8000-{number:012d}",
        type=type(body).__name__,
        key=body.key,
        source="test",
        at=at,
        correlation="019aa000-0000-7000-8000-000000000000",
        body=body,
    )


class OneService:
    """A service that hears messages one after another."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.working = WorkingSet(service.tables)
        self.sent: list[Body] = []
        self.now = AT
        self._heard = 0

    def hears(self, *bodies: Body) -> Decision:
        """Handle these, each in a message of its own; the last one's decision."""
        decision = Decision()
        for body in bodies:
            decision = self._hear(body)
        return decision

    def record(self, kind: type[R], key: str) -> R:
        """The record as it stands.  Raises KeyError where there is none."""
        found: R = self.records(kind)[key]
        return found

    def records(self, kind: type[R]) -> dict[str, R]:
        """All records of a kind, by key."""
        return {key: row for key, row in self.working.present.get(kind, {}).items() if row is not None}

    def entries(self, kind: type) -> list[Any]:
        """All entries of a journal, oldest first."""
        return self.working.entries.get(kind, [])

    def _hear(self, body: Body) -> Decision:
        self._heard += 1
        heard = message(body, self._heard, self.now)
        handler = self.service.handlers[heard.type]
        needs: Sequence[Need] = handler.needs(heard)
        self.working.load(needs, {})
        if handler.then is not None:
            more = handler.then(heard, Records(self.working, needs))
            self.working.load(more, {})
            needs = [*needs, *more]
        records = Records(self.working, needs)
        decision = handler.decide(heard, records)
        self.working.check(decision.save, records)
        assert all(type(sent) in handler.emits for sent in decision.send)
        self.working.save(decision.save)
        self.sent.extend(decision.send)
        return decision
