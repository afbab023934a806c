"""What comes in from Kafka for one service, in the event loop: read, offered to the worker, finished in the database.

Rules:
- A record is finished when the worker has committed its message (handled, parked or dead), when the service does not
  consume its type, or when it cannot be read and lies among the dead letters.
- What the worker has no room for waits here, and nothing more is taken until it is gone.
- A message that comes twice finishes both records when it is committed.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from typing import Any, Literal

import structlog

from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import Body, Message, UnknownMessageError
from sagamart.messaging.transport import Endpoint
from sagamart.messaging.transport.kafka_client import Properties
from sagamart.messaging.transport.kafka_envelope import letter_of, message_of, type_of
from sagamart.messaging.transport.kafka_intake import Intake, Taken
from sagamart.messaging.transport.kafka_offsets import Progress

State = Literal["running", "paused", "draining", "drained", "failed", "stopped"]

DRAIN_AT_STOP_S_MAX = 0.5

log = structlog.get_logger()

_Place = tuple[Progress, int, "_Place | None"]
"""Where a message was read, and where else."""


class Inbound:
    """One consuming service of this process.  `known` are all types that there are, whoever consumes them."""

    def __init__(
        self, endpoint: Endpoint, connection: Properties, group: str, topics: Sequence[str], known: Collection[str]
    ) -> None:
        self.endpoint = endpoint
        self.topics = tuple(topics)
        self.state: State = "stopped"
        self.failure: str | None = None
        self._skipped = frozenset(name.encode() for name in known if name not in endpoint.consumes)
        self._consumed = frozenset(name.encode() for name in endpoint.consumes)
        self._waiting: deque[Message[Body]] = deque()
        self._places: dict[str, _Place] = {}
        self._burials: set[asyncio.Task[None]] = set()
        self._drained = asyncio.Event()
        self._intake = Intake(connection, group, topics, self)

    @property
    def lag(self) -> int:
        """Records that are not finished, in the partitions that are this process's."""
        return self._intake.lag

    @property
    def partitions(self) -> int:
        """How many partitions are this process's."""
        return self._intake.partitions

    @property
    def forbidden(self) -> str | None:
        """What the brokers do not let it do."""
        return self._intake.forbidden

    @property
    def unfinished(self) -> int:
        """Messages read and not committed by the worker."""
        return len(self._places) + len(self._burials)

    def start(self) -> None:
        """Begin to take records."""
        self.state = "running"
        self._intake.start()

    async def stop(self) -> None:
        """Take nothing more, give the worker a moment to finish what it has, commit, and leave the group."""
        try:
            async with asyncio.timeout(DRAIN_AT_STOP_S_MAX):
                await self.drain()
        except TimeoutError:
            pass  # what is not finished is delivered again
        self.state = "stopped"
        await self._intake.stop()
        for burial in self._burials:
            burial.cancel()
        await asyncio.gather(*self._burials, return_exceptions=True)

    def pause(self) -> None:
        """Take nothing more; what is here waits, except what the worker has."""
        if self.state in ("running", "draining", "drained"):
            self.state = "paused"
            self._hold()

    def resume(self) -> None:
        """Go on."""
        if self.state in ("paused", "draining", "drained"):
            self.state = "running"
            self._offer()

    async def drain(self) -> None:
        """Take nothing more; returns when all that was taken is finished.  Ends early for a consumer that failed."""
        if self.state not in ("running", "paused"):
            return
        self.state = "draining"
        self._drained.clear()
        self._offer()
        await self._drained.wait()

    def handled(self, messages: Sequence[Message[Body]]) -> None:
        """The worker has committed these."""
        for message in messages:
            place = self._places.pop(message.id, None)
            while place is not None:
                progress, offset, place = place
                progress.finish(offset)
        if self._waiting and self.state != "paused":
            self._offer()

    def deliver(self, taken: Sequence[Taken]) -> None:
        """Sort what came."""
        try:
            letters: list[tuple[Taken, UnreadableLetter]] = []
            for one in taken:
                progress, record = one
                offset: Any = record.offset()
                if not progress.take(offset):
                    continue
                headers: Any = record.headers() or ()
                kind = type_of(headers)
                if kind in self._skipped:
                    progress.finish(offset)
                    continue
                try:
                    if kind not in self._consumed:
                        raise UnknownMessageError(f"no message type is called {kind!r}")
                    message = message_of(record, self.endpoint.registry)
                except Exception as error:  # noqa: BLE001  whatever is wrong with one record, it is that record's fault
                    letters.append((one, letter_of(record, error)))
                    continue
                self._places[message.id] = (progress, offset, self._places.get(message.id))
                self._waiting.append(message)
            if letters:
                self._bury(letters)
            if self.state != "paused":
                self._offer()
        except Exception as bug:
            log.exception("consumer failed", service=self.endpoint.name)
            self.fail(f"{type(bug).__name__}: {bug}")
        finally:
            self._intake.go_on()

    def _offer(self) -> None:
        """Give the worker what it has room for; take more only when nothing waits."""
        if self._waiting:
            taken = self.endpoint.offer(list(self._waiting))
            for _ in range(taken):
                self._waiting.popleft()
        self._hold()

    def _hold(self) -> None:
        self._intake.holding = bool(self._waiting) or self.state != "running"

    def nothing_comes(self) -> None:
        """The intake takes nothing: offer again what waits; when all that was taken is finished, it is drained."""
        if self._waiting and self.state != "paused":
            self._offer()
        if self.state == "draining" and not self.unfinished:
            self.state = "drained"
            self._drained.set()

    def _bury(self, letters: Sequence[tuple[Taken, UnreadableLetter]]) -> None:
        async def bury() -> None:
            by_id = {letter.id: letter for _, letter in letters}
            await self.endpoint.bury(list(by_id.values()))
            for (progress, record), _ in letters:
                progress.finish(record.offset() or 0)

        burial = asyncio.get_running_loop().create_task(bury(), name=f"{self.endpoint.name} unreadable")
        self._burials.add(burial)
        burial.add_done_callback(self._buried)

    def _buried(self, burial: asyncio.Task[None]) -> None:
        self._burials.discard(burial)
        if not burial.cancelled() and (error := burial.exception()) is not None:
            self.fail(f"a dead letter could not be written: {error}")

    def fail(self, why: str) -> None:
        """Stop for good, loudly; what was taken and not finished will come again."""
        self.state, self.failure = "failed", why
        self._intake.end()
        self._drained.set()
