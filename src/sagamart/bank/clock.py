"""The bank's source of time and chance, so that a test can have both under control."""

import os
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from sagamart.bank.ids import RANDOM_BYTES, new_id


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Clock(msgspec.Struct, frozen=True):
    """What time it is, and what cannot be guessed."""

    now: Callable[[], datetime] = _utc_now
    entropy: Callable[[int], bytes] = os.urandom

    def new_id(self, prefix: str) -> str:
        """A new id with this prefix."""
        return new_id(prefix, self.now(), self.entropy(RANDOM_BYTES))
