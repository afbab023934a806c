"""What goes wrong in a run, decided by its seed: every kind of fault has its own rate, and counts how often it struck.

A quarter of all kinds is switched off in each run, so that the others are seen without them too.
"""

import random
from collections import Counter
from collections.abc import Collection
from hashlib import blake2b
from typing import Final

RATES: Final = {
    "conflict": 0.05,
    "connection lost": 0.02,
    "statement not answered": 0.02,
    "commit unknown, not written": 0.02,
    "commit unknown, written": 0.02,
    "crash before commit": 0.02,
    "crash after commit": 0.02,
    "crash": 0.05,
    "slow statement": 0.1,
    "message lost": 0.3,
    "message doubled": 0.5,
    "message late": 0.1,
    "news of the bank late": 0.9,
    "acknowledgement lost": 0.2,
    "reply lost": 0.1,
    "request doubled": 0.2,
    "bank unreachable": 0.15,
    "bank times out": 0.15,
    "bank lands late": 0.15,
    "bank request doubled": 0.15,
    "bank rejects": 0.05,
    "bank charges at once": 0.2,
    "payment declined": 0.2,
    "hold lapses early": 0.3,
    "capture refused": 0.2,
    "refund refused": 0.4,
    "webhook lost": 0.3,
    "webhook doubled": 0.3,
    "webhook late": 0.3,
    "poison": 0.01,
    "clock wrong": 0.3,
}
"""The highest rate of each kind, as a share of the occasions."""

CRASHES_MAX = 3
"""Crashes of one service in a run: a message under way at more of them would rightly be taken for poison."""


class Chaos:
    """One run's dice; what is `without` does not go wrong, whatever the seed says."""

    def __init__(self, seed: int, without: Collection[str] = ()) -> None:
        self.random = random.Random(seed)  # noqa: S311  dice, not secrets
        self.rates = {
            kind: most * self.random.uniform(0.2, 1.0) if self.random.random() < 0.75 else 0.0
            for kind, most in RATES.items()
        }
        self.rates.update(dict.fromkeys(without, 0.0))
        self.fired: Counter[str] = Counter()
        self.on = True
        self._trace = blake2b(digest_size=16)

    def strikes(self, kind: str) -> bool:
        """Whether this happens now."""
        if not self.on or self.random.random() >= self.rates[kind]:
            return False
        self.fired[kind] += 1
        return True

    def chance(self) -> float:
        """Give a number from 0 to 1, for backoff and jitter."""
        return self.random.random()

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self.on = False

    def note(self, *what: object) -> None:
        """Take a step into the trace, by which two runs are compared."""
        self._trace.update(repr(what).encode())

    @property
    def trace(self) -> str:
        """A digest of all that happened so far."""
        return self._trace.hexdigest()
