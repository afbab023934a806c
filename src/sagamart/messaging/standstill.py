"""What does not get on, and why: the loop, or a sweep, that fails again and again.

Rules:
- Whoever fails says so each time and tries on; whoever gets on says so too, and it is forgotten.
- What has failed for `STANDS_S` without getting on once is told: the process is not ready, and an alert fires.  It goes
  on trying all the same, and is ready again when that helps.
"""

import asyncio

STANDS_S = 30.0
"""How long something may fail before anybody is told: longer than a database needs to come back."""

LOOP = "the loop"
"""What stands still where no batch can be written."""


class Standstill:
    """What a worker does again and again, and what of it stands still."""

    def __init__(self) -> None:
        self._since_s: dict[str, float] = {}
        self._told: dict[str, str] = {}

    def failed(self, what: str, error: Exception) -> None:
        """This did not work."""
        now_s = asyncio.get_running_loop().time()
        since_s = self._since_s.setdefault(what, now_s)
        if now_s - since_s >= STANDS_S:
            self._told[what] = f"{what} has not worked for {now_s - since_s:.0f} s: {type(error).__name__}: {error}"

    def went_on(self, what: str) -> None:
        """This worked."""
        if what in self._since_s:
            del self._since_s[what]
            self._told.pop(what, None)

    @property
    def told(self) -> str | None:
        """What stands still, and why; None where nothing does."""
        return "; ".join(self._told.values()) or None
