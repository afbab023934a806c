"""How far a partition has been worked off.  Pure.

Rules:
- Records are taken in the order of the partition and finished in any order (handled, parked or dead).
- What may be committed is the end of the finished beginning: everything before it is done, for good.  An unfinished
  record holds back all that follows it, so a crash forgets nothing.
- Offsets may leave gaps: what is nowhere in the log is not waited for.
- One assignment of a partition, one of these.  What is finished after the partition was taken away counts no more.
"""

from collections import deque


class Progress:
    """One partition, from its assignment on; `position` is the offset that may be committed."""

    __slots__ = ("_finished", "_last_taken", "_open", "committed", "position")

    def __init__(self, start: int) -> None:
        self.position = start
        self.committed = start
        self._last_taken = start - 1
        self._open: deque[int] = deque()
        self._finished: set[int] = set()

    @property
    def unfinished(self) -> int:
        """Records taken and not finished."""
        return len(self._open) - len(self._finished)

    def take(self, offset: int) -> bool:
        """Begin with a record; False where it has been taken before."""
        if offset <= self._last_taken:
            return False
        self._last_taken = offset
        self._open.append(offset)
        return True

    def finish(self, offset: int) -> None:
        """A record that was taken is done; saying so again changes nothing."""
        waiting = self._open
        if not waiting or offset < waiting[0]:
            return
        if offset != waiting[0]:
            self._finished.add(offset)
            return
        waiting.popleft()
        while waiting and waiting[0] in self._finished:
            offset = waiting.popleft()
            self._finished.remove(offset)
        self.position = offset + 1
