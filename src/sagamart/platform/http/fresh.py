"""A read that many ask for and that costs something: read once, and told for a moment to all who ask."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

FRESH_S = 1.0

T = TypeVar("T")


class Fresh(Generic[T]):
    """`await fresh()` gives what `read` gave at most `FRESH_S` ago; those who ask meanwhile share one read."""

    def __init__(self, read: Callable[[], Awaitable[T]], fresh_s: float = FRESH_S) -> None:
        self._read = read
        self._fresh_s = fresh_s
        self._known: tuple[float, T] | None = None
        self._reading = asyncio.Lock()

    async def __call__(self) -> T:
        """What was read last, or now."""
        async with self._reading:
            if self._known is None or time.monotonic() - self._known[0] >= self._fresh_s:
                self._known = (time.monotonic(), await self._read())
            return self._known[1]
