"""Who says what to whom, read off the services.

A message that a service sends or arms outlives the process that said it (in an outbox, a topic, a timer): its form is a
contract.  A command, or an answer from the world outside, is heard by the service that takes it and kept by nobody.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from sagamart.messaging.message import Body
from sagamart.messaging.service import Service
from sagamart.settings import BankSection, ShopSettings
from sagamart.slices import SLICES

Way = Literal["sent", "timer", "intent", "command"]

RECORDER = "timeline"
"""The service that writes down whatever is said about an order, and acts on none of it."""


class Told(NamedTuple):
    """A type of message: which services say it and which hear it.  `outside`: a bank or a mail server hears it."""

    kind: type[Body]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    outside: bool = False

    @property
    def name(self) -> str:
        """The message's type."""
        return self.kind.__name__

    @property
    def way(self) -> Way:
        """How it travels.  What a service says to itself alone is a timer of its own."""
        if not self.producers:
            return "command"
        if self.outside:
            return "intent"
        return "timer" if self.producers == self.consumers else "sent"

    @property
    def version(self) -> int:
        """The version of its form that this program writes."""
        return self.kind.schema_version

    @property
    def says(self) -> str:
        """What it means, in the words of its docstring."""
        return " ".join((self.kind.__doc__ or "").split())


def shop_services() -> list[Service]:
    """Every service of the shop, as its settings' defaults make it, with a bank that nobody calls."""
    settings = ShopSettings(bank=BankSection(url="http://bank"))
    return [build(settings).service for build in SLICES.values()]


def acting_services() -> list[Service]:
    """Those of them that act on what they hear."""
    return [service for service in shop_services() if service.name != RECORDER]


def told_by(services: Iterable[Service]) -> list[Told]:
    """Every type of message that these services say or hear, by name."""
    kinds: dict[str, type[Body]] = {}
    producers: dict[str, list[str]] = {}
    consumers: dict[str, list[str]] = {}
    outside: set[str] = set()
    for service in services:
        outside |= service.outside
        kinds |= service.registry.types
        for name in service.emits:
            producers.setdefault(name, []).append(service.name)
        for name in service.consumes:
            consumers.setdefault(name, []).append(service.name)
    return [
        Told(kind, tuple(producers.get(name, ())), tuple(consumers.get(name, ())), name in outside)
        for name, kind in sorted(kinds.items())
    ]


def contracts_of(services: Iterable[Service]) -> Mapping[str, Told]:
    """Those of their messages that outlive a process, by name."""
    return {told.name: told for told in told_by(services) if told.producers}
