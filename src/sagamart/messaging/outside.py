"""Outside calls: what a service asks of the world outside (a bank, a mail server), and how the answer comes back.

A decision sends an *intent*, a message of a type that its service declares as `outside`.  After the commit the worker
hands it over here instead of to the transport, whichever that is: intents never leave the process.

Rules:
- The call is made outside any transaction, at most `concurrency_max` at once, each for at most `deadline_s`.
- An intent has one outcome: a message of its own, its id derived from the intent's, handled by the same loop as all
  others.  The intent's outbox row lives until the outcome is committed: a crash repeats the call.  Where there is
  nothing to tell (None), it goes with the answer.
- So an adapter calls under a key that stays the same: the intent's id, or one that was stored before.
- An adapter that raises, or is late, knows nothing: the same intent is called again, after a pause that grows with its
  age, until there is an outcome.  Giving up is an outcome that the adapter returns, never silence.
- After `failures_max` failures in a row nobody calls for `open_s`; then one call tries whether it is over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Literal

import msgspec
import structlog

from sagamart.messaging.fold import Arrival
from sagamart.messaging.message import Body, Message, derived_id, span_id
from sagamart.messaging.outbox import LEASE_S, RETRY_S
from sagamart.messaging.worker import Worker

log = structlog.get_logger()

BACKOFF_S = 1.0
BACKOFF_S_MAX = 60.0
"""A failed call waits as long again as its intent is old, within these bounds: 1, 2, 4 … 60 s."""

FINISH_S = 1.0
"""When the process stops, calls under way have so long to end; what does not is repeated in the next life."""

OnCall = Callable[[str, Message[Any], bool, float], None]
"""Is told of each call: the destination, the intent, whether it was answered, and the seconds that it took."""

calling: ContextVar[str | None] = ContextVar("calling", default=None)
"""The `traceparent` of the call that is being made, for an adapter that gives it onwards."""

BreakerState = Literal["closed", "half_open", "open"]


async def _nothing_to_close() -> None:
    pass


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """One destination: for each type of intent the call that carries it out and returns the outcome."""

    name: str
    calls: Mapping[type[Body], Callable[[Message[Any]], Awaitable[Body | None]]]
    deadline_s: float = 10.0
    concurrency_max: int = 8
    waiting_max: int = 1000
    failures_max: int = 5
    open_s: float = 10.0
    close: Callable[[], Awaitable[None]] = _nothing_to_close

    def __post_init__(self) -> None:
        if not self.deadline_s < LEASE_S:
            raise ValueError(f"{self.name}: another replica may call again after {LEASE_S} s, so that is too late")


class Breaker:
    """Spares a destination that fails: closed, open after failures in a row, then one probe at a time."""

    def __init__(self, failures_max: int, open_s: float) -> None:
        self.state: BreakerState = "closed"
        self._failures_max = failures_max
        self._open_s = open_s
        self._failures = 0
        self._open_until_s = 0.0

    def admits(self, now_s: float) -> bool:
        """Whether to call now.  Whoever is admitted says how it went."""
        if self.state == "open" and now_s >= self._open_until_s:
            self.state = "half_open"
            return True
        return self.state == "closed"

    def pause_s(self, now_s: float) -> float:
        """How long it stays open for sure."""
        return max(0.0, self._open_until_s - now_s) if self.state == "open" else 0.0

    def succeeded(self) -> None:
        """The destination answered."""
        self.state = "closed"
        self._failures = 0

    def failed(self, now_s: float) -> None:
        """It did not."""
        self._failures += 1
        if self.state == "half_open" or self._failures >= self._failures_max:
            self.state = "open"
            self._open_until_s = now_s + self._open_s


class Destination:
    """A destination at work: what waits for it, and how it fares."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.breaker = Breaker(outside.failures_max, outside.open_s)
        self.waiting: asyncio.Queue[tuple[float, Message[Body]]] = asyncio.Queue(outside.waiting_max)


class OutsideCalls:
    """The calls of one worker, which hands its intents over to them; `run` does the calling."""

    def __init__(self, worker: Worker, destinations: Sequence[Outside]) -> None:
        service = worker.service
        named = [kind.__name__ for outside in destinations for kind in outside.calls]
        if sorted(named) != sorted(service.outside):
            raise TypeError(f"{service.name} declares as outside {sorted(service.outside)}, adapters take {named}")
        self.destinations = [Destination(outside) for outside in destinations]
        self.on_call: list[OnCall] = []
        self._by_type = {kind.__name__: place for place in self.destinations for kind in place.outside.calls}
        self._worker = worker
        self._service = service.name
        self._node = worker.node
        self._finishing = False
        self._under_way: dict[str, str] = {}
        self._nothing_under_way = asyncio.Event()
        self._nothing_under_way.set()
        worker.outside = self

    def hand_over(self, _producer: str, intents: Sequence[Message[Body]]) -> None:
        """Queue intents whose transaction is committed; those that find no room stay in the outbox."""
        full: list[str] = []
        for intent in intents:
            try:
                self._by_type[intent.type].waiting.put_nowait((self._now_s(), intent))
            except asyncio.QueueFull:
                full.append(intent.id)
        if full:
            self._worker.refused(full)

    def handled(self, _consumer: str, messages: Sequence[Message[Body]]) -> None:
        """Outcomes among these are committed: their intents have arrived."""
        outcomes = [message.id for message in messages if message.id in self._under_way]
        self._worker.arrived([self._over(outcome_id) for outcome_id in outcomes])

    async def run(self) -> None:
        """Call until cancelled."""
        async with asyncio.TaskGroup() as callers:
            for place in self.destinations:
                for _ in range(place.outside.concurrency_max):
                    callers.create_task(self._call_one_by_one(place))

    async def finish(self) -> None:
        """Begin no more calls; give those under way `FINISH_S` to end and their outcomes to be committed."""
        self._finishing = True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nothing_under_way.wait(), FINISH_S)

    def forget(self) -> None:
        """Be as after a kill: calls under way have no outcome that anybody knows, and are made again."""
        self._under_way.clear()
        self._nothing_under_way.set()
        for place in self.destinations:
            while not place.waiting.empty():
                place.waiting.get_nowait()

    async def close(self) -> None:
        """Close what the adapters hold open."""
        for place in self.destinations:
            await place.outside.close()

    async def _call_one_by_one(self, place: Destination) -> None:
        while True:
            since_s, intent = await place.waiting.get()
            now_s = self._now_s()
            if self._finishing or now_s - since_s + place.outside.deadline_s >= LEASE_S:
                self._worker.refused([intent.id], RETRY_S)  # by the end of the call its lease could have run out
            elif place.breaker.admits(now_s):
                await self._call(place, intent)
            else:
                self._worker.refused([intent.id], max(self._backoff_s(intent), place.breaker.pause_s(now_s)))

    async def _call(self, place: Destination, intent: Message[Body]) -> None:
        outcome_id = derived_id(intent.id, self._service, "outcome", 0)
        self._under_way[outcome_id] = intent.id
        self._nothing_under_way.clear()
        began_s = self._now_s()
        calling.set(_onwards(intent, self._service))
        try:
            async with asyncio.timeout(place.outside.deadline_s):
                told = await place.outside.calls[type(intent.body)](intent)
        except Exception as failure:  # noqa: BLE001  whatever it raises: we know nothing, and ask again
            place.breaker.failed(self._now_s())
            self._over(outcome_id)
            self._worker.refused([intent.id], max(self._backoff_s(intent), place.breaker.pause_s(self._now_s())))
            log.warning(
                "outside call failed",
                service=self._service,
                destination=place.outside.name,
                type=intent.type,
                key=intent.key,
                error=f"{type(failure).__name__}: {failure}",
                breaker=place.breaker.state,
            )
            self._count(place, intent, began_s, answered=False)
        else:
            place.breaker.succeeded()
            self._count(place, intent, began_s, answered=True)
            if told is None:
                self._worker.arrived([self._over(outcome_id)])
                return
            outcome = self._message(outcome_id, intent, told)
            while not self._worker.room:  # noqa: ASYNC110  nobody tells when there is room
                await asyncio.sleep(RETRY_S)
            self._worker.offer_own([Arrival(outcome)])

    def _over(self, outcome_id: str) -> str:
        intent_id = self._under_way.pop(outcome_id)
        if not self._under_way:
            self._nothing_under_way.set()
        return intent_id

    def _count(self, place: Destination, intent: Message[Body], began_s: float, *, answered: bool) -> None:
        for count in self.on_call:
            count(place.outside.name, intent, answered, self._now_s() - began_s)

    def _message(self, outcome_id: str, intent: Message[Body], body: Body) -> Message[Body]:
        return Message(
            id=outcome_id,
            type=type(body).__name__,
            key=body.key,
            source=self._service,
            at=self._node.clock(),
            correlation=intent.correlation,
            body=body,
            cause=intent.id,
            node=self._node.name,
            schema=body.schema_version,
            trace=intent.trace,
        )

    def _backoff_s(self, intent: Message[Body]) -> float:
        return backoff_s(intent.at, self._node.clock()) * (0.75 + self._node.chance() / 2)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _onwards(intent: Message[Body], service: str) -> str | None:
    """The trace as whoever is called is to see it: this call's span is the parent of what happens there."""
    trace = intent.trace
    return trace if trace is None else f"{trace[:36]}{span_id(intent.id, service)}{trace[52:]}"


def backoff_s(made_at: datetime, now: datetime) -> float:
    """How long to wait after a failure: as long again as it has been tried, so that no row need count attempts."""
    return min(BACKOFF_S_MAX, max(BACKOFF_S, (now - made_at).total_seconds()))
