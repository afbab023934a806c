"""The one loop: take a batch, load, decide, save, send.  There is no second way to change data.

Rules:
- Messages from other services and timers go before new requests.  Only requests are bounded by refusing them
  (`Overloaded`); what the queue for messages cannot hold stays in its producer's outbox.
- A batch reads without locks, and is overtaken if it must be: then it, and those that follow, lock what they read.
  Timers that fire are always locked: a firing must know that nobody arms its timer anew.
- Transient trouble (conflict, lost connection): the whole batch again, with backoff and jitter.
- A row that the database refuses is found by halving the batch; its message goes to the dead letters.
- After a crash batches begin at one and grow, and attempts are counted: so a message that kills the process is found.
- A reply is given after the commit, never before.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from sagamart.messaging.callers import Callers
from sagamart.messaging.database import (
    CommitUnknownError,
    ConflictError,
    Database,
    RejectedError,
    StoppingError,
    UnavailableError,
)
from sagamart.messaging.dead_letters import ATTEMPTS_MAX, DEAD_IN_A_ROW_MAX, PoisonError, UnreadableLetter, told_of
from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.limits import Limits
from sagamart.messaging.message import Body, Message
from sagamart.messaging.outbox import RETRY_S, InFlight, Parcel
from sagamart.messaging.records import Record
from sagamart.messaging.requests import Contended, Overloaded, Request, StoredReply
from sagamart.messaging.service import Service
from sagamart.messaging.standstill import LOOP, Standstill
from sagamart.messaging.transport import Carrier, Transport
from sagamart.messaging.transport.outbox_only import OutboxOnly

log = structlog.get_logger()


LOCKED_BATCHES = 50
"""After a conflict so many batches lock what they read: whoever contends once will contend again."""


class Node(msgspec.Struct, frozen=True):
    """The process that a worker runs in, and what it takes from the world: time (UTC) and chance (0 to 1)."""

    name: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random


class Worker:
    """One service at work.  `run` may be started several times: each is a lane with a transaction of its own."""

    def __init__(
        self,
        service: Service,
        database: Database,
        transport: Transport,
        *,
        node: Node,
        limits: Limits = Limits(),  # noqa: B008  immutable
    ) -> None:
        self.service = service
        self.name, self.consumes, self.registry = service.name, service.consumes, service.registry
        self.database = database
        self.transport = transport
        self.node = node
        self.limits = limits
        self.unarrived: Callable[[], int] = lambda: 0
        """How many of its messages are on their way to another process; see `Limits.unarrived_max`."""
        self.on_commit: list[Callable[[Sequence[Record]], None]] = []
        self.on_batch: list[Callable[[Batch, float], None]] = []
        self.in_flight = InFlight()
        self.returned: dict[str, float] = {}
        self.failed: str | None = None
        self.standstill = Standstill()
        self.turned_away = 0
        """Requests that were refused because there was no room."""
        self.paused = False
        """Whether it takes no messages from other services; requests and timers go on."""
        self._arrived: list[str] = []
        self._messages: deque[Arrival] = deque()
        self._requests: deque[Arrival] = deque()
        self._callers = Callers()
        self._wake = asyncio.Event()
        self._batch_max = limits.batch_max
        self._dead_in_a_row = 0
        self._contended = 0
        self._stopping = False
        transport.connect(self)
        self.outside: Carrier = OutboxOnly(self)

    @property
    def trouble(self) -> str | None:
        """Why nobody should rely on it now: it failed, or something of it stands still.  None where it works."""
        return self.failed or self.standstill.told

    # -- what comes in ------------------------------------------------------------------------------------------------

    async def ask(self, message: Message[Any], request: Request) -> StoredReply:
        """Handle a caller's request and answer it after the commit.

        Raises Overloaded before anything happened, and Contended where nothing could be written for all the others.
        """
        same = self._callers.join(request)
        if same is not None:
            return await same
        if len(self._requests) >= self.limits.requests_max or self._stopping or self.failed:
            self.turned_away += 1
            raise Overloaded
        self._requests.append(Arrival(message, request=request))
        self._wake.set()
        return await self._callers.begin(message.id, request)

    def offer(self, messages: Sequence[Message[Body]]) -> int:
        """Take as many of these as there is room for, from the first on; says how many."""
        room = 0 if self.paused or self.failed else self.room
        self._messages.extend(Arrival(message) for message in messages[:room])
        self._wake.set()
        return min(room, len(messages))

    def offer_own(self, arrivals: Sequence[Arrival]) -> None:
        """Timers that fire, letters that are released, outcomes of outside calls."""
        self._messages.extend(arrivals)
        self._wake.set()

    async def bury(self, letters: Sequence[UnreadableLetter]) -> None:
        """Keep for an operator what came and cannot be read; returns when it is written.  Raises StoppingError."""
        while True:
            try:
                await self.database.bury(letters)
                break
            except (UnavailableError, ConflictError) as trouble:
                await self._wait_for_database(trouble)
        for letter in letters:
            log.error("unreadable", service=self.name, type=letter.type, key=letter.key, error=letter.error)
        self._dead_in_a_row += len(letters)
        self._stop_where_all_die()

    @property
    def room(self) -> int:
        """How many messages would be taken now."""
        return max(0, self.limits.messages_max - len(self._messages))

    @property
    def waiting(self) -> tuple[int, int]:
        """Messages and requests in the queues."""
        return len(self._messages), len(self._requests)

    # -- what has gone out --------------------------------------------------------------------------------------------

    def arrived(self, message_ids: Sequence[str]) -> None:
        """These messages of its own have reached every consumer for good; the next batch deletes their rows."""
        self._arrived.extend(self.in_flight.arrived(message_ids))
        if self._requests:
            self._wake.set()

    def refused(self, message_ids: Sequence[str], after_s: float = RETRY_S) -> None:
        """These messages of its own could not be taken now; the sweep offers them again after so many seconds."""
        self.returned.update(dict.fromkeys(self.in_flight.returned(message_ids), after_s))
        if self._requests:
            self._wake.set()

    def send(self, parcel: Parcel, *, unread: int = 0) -> None:
        """Hand a committed parcel to the transport, its intents to the outside; not what is under way already.

        `unread` counts its messages that this program cannot read: the row stays for a program that can.
        """
        fresh = self.in_flight.begin(parcel, unread)
        outside = self.service.outside
        # Intents are packed alone; but what was none when it was packed may be one in another style of interaction.
        intents = [one for one in fresh if one.type in outside] if outside else []
        others = [one for one in fresh if one.type not in outside] if intents else fresh
        if intents:
            self.outside.hand_over(self.name, intents)
        if others:
            self.transport.hand_over(self.name, others)

    # -- the loop -----------------------------------------------------------------------------------------------------

    def be_careful(self) -> None:
        """The last life did not end by itself: begin with batches of one, and count attempts."""
        self._batch_max = 1

    def forget(self) -> None:
        """Be as after a kill: what was in memory only is gone."""
        self._messages, self._requests = deque(), deque()
        self._arrived, self.returned, self.in_flight = [], {}, InFlight()
        self.be_careful()

    async def run(self) -> None:
        """Handle batches until `stop`.  A worker that fails says why in `failed` and takes nothing more."""
        try:
            while not self._stopping and not self.failed:
                batch = self._next_batch()
                if batch:
                    await self._handle(batch)
                else:
                    self._wake.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), self.limits.admit_s if self._requests else None)
        except StoppingError:
            log.warning("stopped without its database: what it had comes again", service=self.name)
        except Exception as bug:
            log.exception("worker failed", service=self.name)
            self.failed = f"{type(bug).__name__}: {bug}"
        finally:
            self._callers.decline_all()

    def take_arrived(self) -> list[str]:
        """Parcels whose rows may go, where no batch comes along to delete them."""
        arrived, self._arrived = self._arrived, []
        return arrived

    def put_back_arrived(self, parcels: Sequence[str]) -> None:
        """These rows could not be deleted."""
        self._arrived.extend(parcels)

    def watch(self, task: asyncio.Task[None]) -> None:
        """Fail with this task, which belongs to the worker and never ends by itself."""
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        bug = None if task.cancelled() else task.exception()
        if bug is not None:
            self._fail(f"{task.get_name()}: {type(bug).__name__}: {bug}")

    def _fail(self, why: str) -> None:
        if not self.failed:
            self.failed = why
            log.critical(why, service=self.name)
            self._wake.set()

    def stop(self) -> None:
        """Take nothing more; the batch at hand is finished, unless the database is away."""
        self._stopping = True
        self._wake.set()

    def _next_batch(self) -> list[Arrival]:
        batch: list[Arrival] = []
        admitted = min(self._batch_max, self.limits.unarrived_max - self.unarrived())
        for queue, size_max in ((self._messages, self._batch_max), (self._requests, admitted)):
            while queue and len(batch) < size_max:
                batch.append(queue.popleft())
        return batch

    async def _handle(self, arrivals: list[Arrival]) -> None:
        """Handle a batch for good; carefully where a crash may have been a message's fault."""
        if self._batch_max < self.limits.batch_max and await self._suspect(arrivals):
            for arrival in arrivals:
                await self._persist([arrival])
        else:
            await self._persist(arrivals)

    async def _persist(self, arrivals: list[Arrival]) -> None:
        """Again where the trouble passes, by halves where a row is refused."""
        conflicts = 0
        while True:
            started = time.perf_counter()
            locked = self._contended > 0 or any(arrival.timer or arrival.error for arrival in arrivals)
            try:
                batch = await self._transact(arrivals, locked=locked)
            except (UnavailableError, CommitUnknownError) as trouble:
                log.warning("database trouble, trying again", service=self.name, error=str(trouble))
                await self._wait_for_database(trouble)
            except ConflictError as conflict:
                self._contended = LOCKED_BATCHES
                conflicts += locked
                if conflicts > self.limits.conflicts_max:
                    return await self._refused(arrivals, conflict)
                if locked:
                    await self._pause(self.limits.backoff_s * 2**conflicts)
            except RejectedError as refusal:
                return await self._refused(arrivals, refusal)
            else:
                return self._finish(batch, time.perf_counter() - started)

    async def _transact(self, arrivals: Sequence[Arrival], *, locked: bool) -> Batch:
        """The heart: load many, decide, save many, in one transaction."""
        batch = Batch(self.service, arrivals, node=self.node.name, now=self.node.clock())
        gone, self._arrived = self._arrived, []
        try:
            async with self.database.transaction() if locked else self.database.attempt() as transaction:
                batch.take(await transaction.load(batch.wanted()))
                more = batch.wanted_more()
                if more:
                    batch.take_more(await transaction.load_more(more))
                changes = batch.decide()
                if not locked and batch.is_doubtful:
                    raise ConflictError("a handler failed on what was read without locks")
                changes.arrived = gone
                changes.attempted = [arrival.message.id for arrival in arrivals if arrival.counted]
                await transaction.write(changes)
        except CommitUnknownError:
            await self._hasten(batch.changes.outbox)
            self._arrived.extend(gone)
            raise
        except BaseException:
            self._arrived.extend(gone)
            raise
        return batch

    def _finish(self, batch: Batch, seconds: float) -> None:
        """The batch is committed: send, answer, say what has arrived."""
        self.standstill.went_on(LOOP)
        self._watch_for_poison(batch)
        for parcel in batch.changes.outbox:
            self.send(parcel)
        put_off = {id(arrival) for arrival in batch.deferred}
        handled = [a.message for a in batch.arrivals if a.request is None and id(a) not in put_off]
        self.transport.handled(self.name, handled)
        if self.service.outside:
            self.outside.handled(self.name, handled)
        for message_id, reply in batch.replies.items():
            self._callers.answer(message_id, reply)
        for tell in self.on_commit:
            tell(batch.saved)
        for count in self.on_batch:
            count(batch, seconds)
        self._messages.extendleft(reversed(batch.deferred))
        self._batch_max = min(self.limits.batch_max, self._batch_max * 2)
        self._contended = max(0, self._contended - 1)

    # -- trouble ------------------------------------------------------------------------------------------------------

    async def _wait_for_database(self, trouble: Exception) -> None:
        """Give it a while.  Raises StoppingError."""
        self.standstill.failed(LOOP, trouble)
        if self._stopping:
            raise StoppingError
        await self._pause(self.limits.backoff_s_max)

    async def _pause(self, backoff_s: float) -> None:
        await asyncio.sleep(min(backoff_s, self.limits.backoff_s_max) * (0.5 + self.node.chance()))

    async def _hasten(self, parcels: Sequence[Parcel]) -> None:
        """The commit may have happened: then what it sent lies in the outbox, and nobody has handed it over."""
        try:
            await self.database.postpone({parcel.id: 0 for parcel in parcels})
        except (UnavailableError, ConflictError):
            return  # the lease runs out by itself

    async def _refused(self, arrivals: list[Arrival], refusal: Exception) -> None:
        """Find the message whose rows cannot be written."""
        if len(arrivals) > 1:
            middle = len(arrivals) // 2
            await self._persist(arrivals[:middle])
            await self._persist(arrivals[middle:])
        elif isinstance(refusal, ConflictError) and arrivals[0].request is not None:
            message = arrivals[0].message
            log.error("overtaken too often", service=self.name, type=message.type, key=message.key, error=str(refusal))
            self._callers.decline(message.id, Contended())
        elif isinstance(refusal, RejectedError) and isinstance(arrivals[0].error, PoisonError):
            raise refusal  # not even its dead letter can be written
        else:
            arrivals[0].error = PoisonError(str(refusal))
            await self._persist(arrivals)

    async def _suspect(self, arrivals: list[Arrival]) -> bool:
        """Count attempts before trying.  Says whether one of these was under way at a crash: then each goes alone."""
        by_id = {arrival.message.id: arrival for arrival in arrivals if arrival.request is None}
        if not by_id:
            return False
        while True:
            try:
                attempts = await self.database.count_attempts(list(by_id))
                break
            except (UnavailableError, ConflictError) as trouble:
                await self._wait_for_database(trouble)
        for message_id, count in attempts.items():
            by_id[message_id].counted = True
            if count > ATTEMPTS_MAX:
                by_id[message_id].error = PoisonError(f"under way at {count - 1} crashes")
        return any(count > 1 for count in attempts.values())

    def _watch_for_poison(self, batch: Batch) -> None:
        for failure in batch.failures:
            log.error("a request failed", **told_of(failure, self.name))
        dead = [letter for letter in batch.changes.dead if letter.status == "dead"]
        for letter in dead:
            log.error("dead letter", **told_of(letter, self.name))
        self._dead_in_a_row = self._dead_in_a_row + len(dead) if not batch.changes.handled else len(dead)
        self._stop_where_all_die()

    def _stop_where_all_die(self) -> None:
        if self._dead_in_a_row > DEAD_IN_A_ROW_MAX:
            self._fail(f"{self._dead_in_a_row} dead letters in a row: stopped, so as not to drain the queue")
