"""A saga as the linter reads it: its table, the services around it, and what is declared beside them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from sagamart.blueprints.shop_map import Told, acting_services, told_by
from sagamart.messaging.message import Body
from sagamart.messaging.service import Service
from sagamart.shop.orders.lifecycle import LIFECYCLE, State, Transition


class Saga(msgspec.Struct, frozen=True, dict=True):
    """The table's first status is where every order begins; `owner` is the service that keeps the table.

    `public` names facts for whoever listens, and says who that is.
    """

    lifecycle: Mapping[Any, State]
    services: Sequence[Service]
    owner: str = "orders"
    public: Mapping[str, str] = {}

    @property
    def begins(self) -> str:
        """The status in which an order is placed."""
        first: str = next(iter(self.lifecycle))
        return first

    @cached_property
    def open(self) -> list[str]:
        """The statuses that are no end."""
        return [name for name, state in self.lifecycle.items() if not state.final]

    @cached_property
    def told(self) -> dict[str, Told]:
        """Every message of the services."""
        return {told.name: told for told in told_by(self.services)}

    @cached_property
    def messages(self) -> dict[str, type[Body]]:
        """The messages that the table is about."""
        heard = {kind for state in self.lifecycle.values() for kind in state.on}
        return {kind.__name__: kind for kind in sorted(heard, key=lambda kind: kind.__name__)}

    @cached_property
    def facts(self) -> set[str]:
        """What other services tell an order: money and goods have moved, or will not."""
        told = self.told
        return {name for name in self.messages if name in told and set(told[name].producers) - {self.owner}}

    @cached_property
    def timers(self) -> set[str]:
        """What the table's owner says to itself."""
        told = self.told
        return {name for name in self.messages if name in told and told[name].way == "timer"}

    def cells(self) -> Iterator[tuple[str, type[Body], Transition]]:
        """Every pair that the table lists."""
        for name, state in self.lifecycle.items():
            for kind, transition in state.on.items():
                yield name, kind, transition

    def onward(self, status: str) -> set[str]:
        """The statuses that may follow, those on the way included."""
        ends = {target for cell in self.lifecycle[status].on.values() for target in cell.to if target != status}
        known = {str(end) for end in ends if end in self.lifecycle}
        return known | {str(by) for end in known if (by := self.lifecycle[end].by) is not None and by != status}

    def reached_from(self, statuses: Iterable[str]) -> set[str]:
        """All statuses that may ever follow any of these."""
        found: set[str] = set()
        fresh = {end for status in statuses for end in self.onward(status)}
        while fresh:
            found |= fresh
            fresh = {end for status in fresh for end in self.onward(status)} - found
        return found

    @cached_property
    def undoing(self) -> set[str]:
        """The ends that undo an order: entering them sends what makes others let go."""
        sent = {state.undo for state in self.lifecycle.values()} - {None}
        return {name for name, state in self.lifecycle.items() if state.tells in sent}

    def asked_in(self, statuses: Iterable[str]) -> set[str]:
        """The services that an order asks for something in these statuses, and that do not hear what stops that."""
        asked: set[str] = set()
        for asks in {asks for name in statuses for asks in self.lifecycle[name].asks}:
            hear = {service for kind in asks.kinds for service in self.consumers(kind)}
            asked |= hear - self.consumers(asks.stopped_by)
        return asked

    def consumers(self, kind: type[Body] | None) -> set[str]:
        """The services that hear a message."""
        told = self.told.get(kind.__name__) if kind is not None else None
        return set(told.consumers) if told is not None else set()


PUBLIC: Mapping[str, str] = {}
"""Facts on which no service of the shop acts: for webhooks, and the order's timeline.  Each says for whom."""

THE_SAGA = Saga(LIFECYCLE, acting_services(), public=PUBLIC)
"""The way of an order in this shop.  Who only writes down what is said is no ear."""
