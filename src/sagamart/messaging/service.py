"""What a service is: its tables, what it handles, and what it sends.

A handler is two pure functions: which records a message needs, and what follows from them.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Body, Message, Registry
from sagamart.messaging.records import Need, Records, Table

B = TypeVar("B", bound=Body)


def _nothing_needed(_message: Any) -> Sequence[Need]:
    return ()


class Handler(msgspec.Struct, Generic[B], frozen=True, kw_only=True):
    """How a service answers one type of message.

    `then` names further records that can only be known from the first ones (the skus of a reservation).
    `emits` lists every type that `decide` may send or arm; the worker refuses others.
    """

    takes: type[B]
    decide: Callable[[Message[B], Records], Decision]
    needs: Callable[[Message[B]], Sequence[Need]] = _nothing_needed
    then: Callable[[Message[B], Records], Sequence[Need]] | None = None
    emits: tuple[type[Body], ...] = ()


class Service:
    """A service: one database, one role, one set of handlers.

    Tables are listed in the order in which their rows are locked.  `migrations` is the package of its own revisions.
    `outside` lists the intents among the types it emits: they are for the world outside, see `outside.py`.
    `fetched` lists types that it handles but that no other service brings: it asks for them itself.
    """

    def __init__(
        self,
        name: str,
        *,
        tables: Sequence[Table[Any]],
        handlers: Sequence[Handler[Any]],
        migrations: str,
        outside: Sequence[type[Body]] = (),
    ) -> None:
        self.name = name
        self.tables = tuple(tables)
        self.migrations = migrations
        self.handlers: dict[str, Handler[Any]] = {handler.takes.__name__: handler for handler in handlers}
        if len(self.handlers) != len(handlers):
            raise TypeError(f"service {name} handles a message type twice")
        self.outside = frozenset(kind.__name__ for kind in outside)
        if not self.outside <= self.emits:
            raise TypeError(f"service {name} never sends {sorted(self.outside - self.emits)}")
        self.fetched: frozenset[str] = frozenset()

    def changed(
        self,
        *,
        handlers: Sequence[Handler[Any]] | None = None,
        outside: Sequence[type[Body]] = (),
        fetched: Sequence[type[Body]] = (),
    ) -> "Service":
        """The same service with these handlers instead of its own, with more that goes outside, or is fetched."""
        types = self.registry.types
        changed = Service(
            self.name,
            tables=self.tables,
            handlers=tuple(self.handlers.values()) if handlers is None else handlers,
            migrations=self.migrations,
            outside=[*(types[name] for name in sorted(self.outside)), *outside],
        )
        changed.fetched = self.fetched.union(kind.__name__ for kind in fetched)
        return changed

    @cached_property
    def consumes(self) -> frozenset[str]:
        """The names of all message types that it handles, when they come from others."""
        return frozenset(self.handlers) - self.fetched

    @cached_property
    def emits(self) -> frozenset[str]:
        """The names of all message types that it may send."""
        return frozenset(kind.__name__ for handler in self.handlers.values() for kind in handler.emits)

    @cached_property
    def arms(self) -> frozenset[str]:
        """The names of all message types that it may say to itself later, by a timer."""
        return self.emits.intersection(self.handlers)

    @cached_property
    def registry(self) -> Registry:
        """The types that it reads and writes."""
        kinds = {handler.takes for handler in self.handlers.values()}
        return Registry(kinds.union(*(handler.emits for handler in self.handlers.values())))
