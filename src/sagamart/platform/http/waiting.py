"""Waiting for records to come somewhere (`Prefer: wait=N`), for all callers of a process at once.

- A record that this process brings there is seen right after the commit: `on_committed` hangs in the worker.
- One that another replica brings there is found by one query for everybody, every `POLL_S`, while somebody waits.
- At most `WAITERS_MAX` may wait, `WAIT_S_MAX` each; whoever finds no room gets the record as it is.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Annotated, Generic, TypeVar

import structlog
from litestar.params import HeaderParameter

from sagamart.messaging.records import Record

WAITERS_MAX = 2_000
WAIT_S_MAX = 30
POLL_S = 0.1

log = structlog.get_logger()

_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\"?(?=$|[,;\s])", re.IGNORECASE)

Prefer = Annotated[
    str | None,
    HeaderParameter(
        name="Prefer",
        max_length=200,
        description=f"`wait=N`: answer when it is settled, after N ≤ {WAIT_S_MAX} seconds",
    ),
]
"""A handler's `prefer: Prefer = None`."""


def wait_s_of(prefer: str | None) -> int | None:
    """The seconds of `Prefer: wait=N` (RFC 7240), WAIT_S_MAX at most; what is no such preference is passed over."""
    found = _WAIT.search(prefer or "")
    return min(int(found[1]), WAIT_S_MAX) if found else None


R = TypeVar("R", bound=Record)


class Waiters(Generic[R]):
    """Everybody who waits in this process for records of one kind in one database."""

    def __init__(
        self,
        kind: type[R],
        *,
        key: Callable[[R], str],
        there: Callable[[R], bool],
        waiters_max: int = WAITERS_MAX,
        poll_s: float = POLL_S,
    ) -> None:
        self._kind = kind
        self._key = key
        self._there = there
        self._waiters_max = waiters_max
        self._poll_s = poll_s
        self._waiting: dict[str, set[asyncio.Future[R]]] = {}
        self._count = 0
        self._polling: asyncio.Task[None] | None = None

    async def wait(self, key: str, wait_s: float, among: Callable[[list[str]], Awaitable[Sequence[R]]]) -> R | None:
        """The record once it is there; None where it takes longer, or where too many wait already.

        `among` reads those of the records of these keys that are there.
        """
        if self._count >= self._waiters_max:
            return None
        there: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._count += 1
        self._waiting.setdefault(key, set()).add(there)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll(among))
        try:
            async with asyncio.timeout(wait_s):
                return await there
        except TimeoutError:
            return None
        finally:
            self._leave(key, there)

    def on_committed(self, records: Sequence[Record]) -> None:
        """Wake whoever waits for one of these."""
        if self._waiting:
            self._wake(row for row in records if isinstance(row, self._kind) and self._there(row))

    def _wake(self, records: Iterable[R]) -> None:
        for record in records:
            for there in self._waiting.get(self._key(record), ()):
                if not there.done():
                    there.set_result(record)

    def _leave(self, key: str, there: asyncio.Future[R]) -> None:
        self._count -= 1
        others = self._waiting[key]
        others.discard(there)
        if not others:
            del self._waiting[key]

    async def _poll(self, among: Callable[[list[str]], Awaitable[Sequence[R]]]) -> None:
        """Ask for all of them at once, as long as there are any."""
        while self._waiting:
            try:
                self._wake(await among(list(self._waiting)))
            except Exception:
                log.warning("cannot look for what is waited for, trying again", exc_info=True)
            await asyncio.sleep(self._poll_s)
