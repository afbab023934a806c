"""Messages that nobody can handle for a while: a bug in a handler that is there for some messages, until it is mended.

- What came from other services, timers and the world outside may be spoiled; a request would only be answered with 500.
- A spoiled message goes to the dead letters and parks its key.  When the trouble is over the bug is mended, and some
  time later the staff release what is dead.
- No more than `SPOILED_MAX` a run, far below what stops a worker.
"""

import copy
from typing import Any

import msgspec

from sagamart.messaging.decision import Decision
from sagamart.messaging.memory_store import LetterRow, Store
from sagamart.messaging.message import Message
from sagamart.messaging.records import Records
from sagamart.messaging.service import Handler, Service
from simulation.chaos import Chaos

SPOILED_MAX = 4
RELEASED_AFTER_S_MAX = 60.0
BY_REQUEST = "client"
"""The source of what people ask for."""


class SpoiledError(Exception):
    """The bug."""


class Poison:
    """What is spoiled in one run, and what became dead."""

    def __init__(self, chaos: Chaos) -> None:
        self.chaos = chaos
        self.spoiled: set[tuple[str, str]] = set()
        self.buried: set[tuple[str, str]] = set()
        self._met: set[tuple[str, str]] = set()

    def within(self, service: Service) -> Service:
        """The same service with the bug in it."""
        spoiled = copy.copy(service)
        spoiled.handlers = {name: self._spoiled(service.name, one) for name, one in service.handlers.items()}
        return spoiled

    def letters_of(self, service: str) -> "Letters":
        """The dead letters of a service, watched."""
        return Letters(service, self)

    @property
    def surprises(self) -> list[str]:
        """What is among the dead letters and was not spoiled."""
        return [f"{service} has buried {message_id}" for service, message_id in sorted(self.buried - self.spoiled)]

    def _spoiled(self, service: str, handler: Handler[Any]) -> Handler[Any]:
        def decide(message: Message[Any], have: Records) -> Decision:
            if self._spoils(service, message):
                raise SpoiledError(message.id)
            return handler.decide(message, have)

        return msgspec.structs.replace(handler, decide=decide)

    def _spoils(self, service: str, message: Message[Any]) -> bool:
        if not self.chaos.on or message.source == BY_REQUEST:
            return False
        here = service, message.id
        if here not in self._met:
            self._met.add(here)
            if len(self.spoiled) < SPOILED_MAX and self.chaos.strikes("poison"):
                self.spoiled.add(here)
        return here in self.spoiled


class Letters(dict[str, LetterRow]):
    """Dead letters that tell what was buried."""

    def __init__(self, service: str, poison: Poison) -> None:
        super().__init__()
        self._service = service
        self._poison = poison

    def update(self, *rows: Any, **named: Any) -> None:
        super().update(*rows, **named)
        dead = [row.id for row in dict(*rows, **named).values() if row.status == "dead"]
        self._poison.buried.update((self._service, message_id) for message_id in dead)


def release(store: Store) -> None:
    """What the staff do once the bug is mended."""
    for row in store.letters.values():
        if row.status == "dead":
            row.status, row.retry_at = "released", store.clock()
