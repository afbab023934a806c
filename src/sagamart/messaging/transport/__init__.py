"""How committed messages travel to the services that handle them.

Rules, for every transport:
- Delivery is at least once and unordered.  A message has arrived when each of its consumers has committed it.
- Of every message that was handed over it says `arrived` or `refused`, sooner or later: what it keeps silent about is
  under way, and its worker does not send it again.
- `hand_over` never blocks and never fails: what cannot be taken now is refused, and stays in the producer's outbox.
"""

from collections.abc import Sequence
from typing import Protocol

from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import Body, Message, Registry
from sagamart.messaging.outbox import RETRY_S


class Endpoint(Protocol):
    """A worker, as a transport sees it."""

    @property
    def name(self) -> str:
        """The service."""

    @property
    def consumes(self) -> frozenset[str]:
        """The message types that it handles."""

    @property
    def registry(self) -> Registry:
        """The message types that it reads."""

    def offer(self, messages: Sequence[Message[Body]]) -> int:
        """Take as many of these as there is room for, from the first on; says how many."""

    async def bury(self, letters: Sequence[UnreadableLetter]) -> None:
        """Keep for an operator what came for this service and cannot be read; returns when it is written."""

    def arrived(self, message_ids: Sequence[str]) -> None:
        """These messages of its own have reached every consumer for good."""

    def refused(self, message_ids: Sequence[str], after_s: float = RETRY_S, /) -> None:
        """These messages of its own could not be taken now; they are offered again after so many seconds."""


class Carrier(Protocol):
    """What takes committed messages away: a transport, or the calls to the world outside."""

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        """Send what has been committed."""

    def handled(self, consumer: str, messages: Sequence[Message[Body]]) -> None:
        """The consumer's transaction has committed these (handled, parked or dead)."""


class Transport(Carrier, Protocol):
    """Between services."""

    def connect(self, endpoint: Endpoint) -> None:
        """Let a service send and receive."""
