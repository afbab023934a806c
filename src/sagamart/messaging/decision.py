"""What a handler decides: rows to save, messages to send, timers, and a reply for whoever asked.

Rules:
- A decision is a value; nothing has happened until its batch commits.
- A refusal is a value named after its rule.  An exception is a bug and goes to the dead letters.
"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from sagamart.messaging.message import Body


class Arm(msgspec.Struct, frozen=True):
    """Wake the key of `body` with it after `after_s` seconds.  Arming a name of that key again replaces its timer."""

    name: str
    after_s: float
    body: Body


class Disarm(msgspec.Struct, frozen=True):
    """The timer of this name shall not fire for this key."""

    name: str


class Reply(msgspec.Struct, frozen=True):
    """What the caller gets: an HTTP status, a body, and where the thing now is."""

    status: int = 200
    body: Any = None
    location: str | None = None


class Refusal(msgspec.Struct, frozen=True):
    """A request that a rule refused.  The class is the rule, its fields are the facts that the caller needs.

    Answered as a problem (RFC 9457) whose `code` is the class name in snake_case.
    """

    status: ClassVar[int] = 409
    title: ClassVar[str] = "The request was refused"

    @property
    def code(self) -> str:
        """The stable name that programs match on."""
        return snake_case(type(self).__name__)


class Decision(msgspec.Struct, frozen=True):
    """The outcome of one message.  `save` takes records and journal entries alike."""

    save: Sequence[msgspec.Struct] = ()
    send: Sequence[Body] = ()
    timers: Sequence[Arm | Disarm] = ()
    reply: Reply | Refusal | None = None


NOTHING = Decision()
"""The message changes nothing: what it says is known, or outdated.  It is counted as stale."""


def snake_case(name: str) -> str:
    """`InsufficientFunds` -> `insufficient_funds`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
