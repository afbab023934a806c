"""What a batch of messages means: each decision follows on the ones before it, in memory.

Rules:
- Pure: no clock but the batch's, no I/O.  `worker.py` loads before and writes after.
- A message is deduplicated by id, within the batch and against the inbox.
- A decision is taken whole or not at all; one that raises poisons its message only.
- A message whose needs became known only by an earlier one of the same batch is deferred to the next batch.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sagamart.messaging.database import Changes, KnownRequest, Loaded, Wanted
from sagamart.messaging.dead_letters import DeadLetter
from sagamart.messaging.decision import NOTHING, Arm, Decision
from sagamart.messaging.inbox import oldest_remembered
from sagamart.messaging.message import Body, Message, derived_id, encode
from sagamart.messaging.outbox import packed
from sagamart.messaging.records import Need, NotLoadedError, Records, WorkingSet
from sagamart.messaging.requests import (
    NOTHING_MORE,
    KeyReused,
    Request,
    StoredReply,
    answering,
    problem,
    stored,
)
from sagamart.messaging.service import Handler, Service
from sagamart.messaging.timers import ArmedTimer


class Arrival(msgspec.Struct, eq=False):
    """A message as it reached the worker: asked by a caller, fired by a timer, released from the dead letters."""

    message: Message[Any]
    request: Request | None = None
    timer: str | None = None
    released: bool = False
    needs: Sequence[Need] = ()
    error: Exception | None = None
    counted: bool = False


class Batch:
    """One pass over the messages of one transaction: `wanted`, `wanted_more`, then `decide`."""

    def __init__(self, service: Service, arrivals: Sequence[Arrival], *, node: str, now: datetime) -> None:
        self.service = service
        self.arrivals = arrivals
        self.node = node
        self.now = now
        self.working = WorkingSet(service.tables)
        self.changes = Changes()
        self.replies: dict[str, StoredReply] = {}
        self.sent: list[Message[Body]] = []
        self.deferred: list[Arrival] = []
        self.duplicates = 0
        self.stale = 0
        self.failures: list[DeadLetter] = []
        self._timers: dict[tuple[str, str], ArmedTimer | None] = {}
        self._oldest = oldest_remembered(now)

    def wanted(self) -> Wanted:
        """All that must be read, for the whole batch at once."""
        asked: list[Need] = []
        for arrival in self.arrivals:
            handler = self.service.handlers.get(arrival.message.type)
            try:
                arrival.needs = handler.needs(arrival.message) if handler and arrival.error is None else ()
            except Exception as error:  # noqa: BLE001  a bug in one handler poisons one message
                arrival.error = error
            asked.extend(arrival.needs)
        self._asked = self._merged(asked)
        return Wanted(
            message_ids=[a.message.id for a in self.arrivals],
            keys=[a.message.key for a in self.arrivals if a.request is None],
            timers=[a.message.id for a in self.arrivals if a.timer],
            requests=[a.request.key for a in self.arrivals if a.request],
            needs=self._asked,
        )

    def take(self, loaded: Loaded) -> None:
        """Take in what was read."""
        self.loaded = loaded
        self.working.load(self._asked, loaded.records)

    def wanted_more(self) -> list[Need]:
        """Records that can only be named now.  Empty for most batches."""
        asked: list[Need] = []
        for arrival in self.arrivals:
            handler = self.service.handlers.get(arrival.message.type)
            if handler is not None and handler.then is not None and arrival.error is None:
                try:
                    asked.extend(handler.then(arrival.message, Records(self.working, arrival.needs)))
                except Exception as error:  # noqa: BLE001  as above
                    arrival.error = error
        self._asked = self._merged(need for need in asked if not self.working.knows(need))
        return self._asked

    def take_more(self, records: Mapping[type, list[Any]]) -> None:
        """Take in what was read for `wanted_more`."""
        self.working.load(self._asked, records)

    def decide(self) -> Changes:
        """Fold all decisions into one set of changes."""
        seen: set[str] = set()
        handled = self.loaded.handled
        for arrival in self.arrivals:
            message = arrival.message
            if message.id in seen or message.id in handled:
                self.duplicates += 1
                if not self._answer_again(arrival) and arrival.request is not None:
                    self.replies[message.id] = stored(NOTHING_MORE)
                if arrival.released:
                    self.changes.revived.append(message.id)
            elif self._concerns_nobody(arrival) or self._answer_again(arrival) or self._waits(arrival):
                pass
            else:
                self._handle(arrival)
            seen.add(message.id)
        return self._collected()

    @property
    def saved(self) -> list[Any]:
        """The records as this batch leaves them."""
        changes = self.changes
        return [row for rows in changes.new.values() for row in rows] + [
            row for pairs in changes.changed.values() for row, _ in pairs
        ]

    @property
    def is_doubtful(self) -> bool:
        """Whether a handler failed: on what was read without locks that need not be its fault."""
        return bool(self.failures) or any(letter.status == "dead" for letter in self.changes.dead)

    def _concerns_nobody(self, arrival: Arrival) -> bool:
        """Whether a firing was disarmed or armed anew meanwhile."""
        if arrival.timer is None or arrival.released:
            return False
        place = (arrival.message.key, arrival.timer)
        if arrival.message.id not in self.loaded.timers or place in self._timers:
            return True
        self._timers[place] = None
        return False

    def _answer_again(self, arrival: Arrival) -> bool:
        """Answer a request that was handled before, as it was answered then."""
        request = arrival.request
        known = self.loaded.requests.get(request.key) if request else None
        if request is None or known is None:
            return False
        same = known.fingerprint == request.fingerprint
        self.replies[arrival.message.id] = known.reply if same else stored(KeyReused())
        return True

    def _waits(self, arrival: Arrival) -> bool:
        """Whether the message must go aside: its key is parked, or it is older than our memory."""
        message = arrival.message
        if arrival.request is not None or arrival.released:
            return False
        if message.key in self.loaded.parked:
            self.changes.dead.append(DeadLetter(message, "an earlier message of this key is dead", "waiting"))
            return True
        if message.id < self._oldest:
            self._bury(arrival, "too_old: whether it was handled before is no longer known")
            return True
        return False

    def _handle(self, arrival: Arrival) -> None:
        try:
            if arrival.error is not None:
                raise arrival.error
            handler = self.service.handlers.get(arrival.message.type)
            if handler is None:
                raise LookupError(f"{self.service.name} does not handle {arrival.message.type}")
            records = Records(self.working, self._all_needs(handler, arrival))
            decision = handler.decide(arrival.message, records)
            if arrival.request is not None and arrival.request.answers is not None:
                decision = answering(decision, arrival.request.answers)
            self._check(handler, arrival, decision, records)
        except NotLoadedError:
            self.deferred.append(arrival)
            if arrival.timer is not None:
                del self._timers[arrival.message.key, arrival.timer]
        except Exception as error:  # noqa: BLE001  whatever a handler raises is a bug of that handler
            self._bury(arrival, f"{type(error).__name__}: {error}")
        else:
            self._take_decision(arrival, decision)

    def _all_needs(self, handler: Handler[Any], arrival: Arrival) -> Sequence[Need]:
        if handler.then is None:
            return arrival.needs
        more = handler.then(arrival.message, Records(self.working, arrival.needs))
        if not all(self.working.knows(need) for need in more):
            raise NotLoadedError
        return [*arrival.needs, *more]

    def _check(self, handler: Handler[Any], arrival: Arrival, decision: Decision, records: Records) -> None:
        """Raise before anything is taken, so that a decision is taken whole or not at all."""
        self.working.check(decision.save, records)
        armed = [timer.body for timer in decision.timers if isinstance(timer, Arm)]
        for body in (*decision.send, *armed):
            if type(body) not in handler.emits:
                raise AssertionError(f"{arrival.message.type} may not say {type(body).__name__}: not in its `emits`")
        if arrival.request is not None and decision.reply is None:
            raise AssertionError(f"{arrival.message.type} left its caller without a reply")

    def _take_decision(self, arrival: Arrival, decision: Decision) -> None:
        """From here nothing may fail."""
        message, request = arrival.message, arrival.request
        self.working.save(decision.save)
        for position, body in enumerate(decision.send):
            self.sent.append(self._message(message, body, position))
        for position, timer in enumerate(decision.timers, len(decision.send)):
            place = (timer.body.key if isinstance(timer, Arm) else message.key, timer.name)
            if isinstance(timer, Arm):
                firing = self._message(message, timer.body, position, self.now + timedelta(seconds=timer.after_s))
                self._timers[place] = ArmedTimer(*place, firing.id, timer.after_s, encode(firing))
            else:
                self._timers[place] = None
        self.changes.handled.append(message.id)
        if decision is NOTHING:
            self.stale += 1
        if arrival.released:
            self.changes.revived.append(message.id)
        if request is not None and decision.reply is not None:
            reply = stored(decision.reply)
            known = KnownRequest(request.key, request.fingerprint, message.id, reply)
            self.loaded.requests[request.key] = known
            self.changes.requests.append(known)
            self.replies[message.id] = reply

    def _message(self, cause: Message[Any], body: Body, position: int, due: datetime | None = None) -> Message[Body]:
        kind = type(body).__name__
        return Message(
            id=derived_id(cause.id, self.service.name, kind, position, due),
            type=kind,
            key=body.key,
            source=self.service.name,
            at=self.now,
            correlation=cause.correlation,
            body=body,
            cause=cause.id,
            node=self.node,
            schema=body.schema_version,
            trace=cause.trace,
        )

    def _bury(self, arrival: Arrival, error: str) -> None:
        """A request that fails is answered and forgotten; anything else goes to the dead letters and parks its key."""
        message = arrival.message
        if arrival.request is not None:
            reply = problem(500, "The request failed by a fault of ours", "internal_error", {"message_id": message.id})
            self.replies[message.id] = StoredReply(500, msgspec.json.encode(reply), refused=True)
            self.failures.append(DeadLetter(message, error))
            return
        self.loaded.parked.add(message.key)
        self.changes.dead.append(DeadLetter(message, error))

    def _collected(self) -> Changes:
        self.changes.new, self.changes.changed = self.working.changes()
        changed = self.changes.changed.items()
        self.changes.often = {kind for kind, pairs in changed if not self.working.changed_seldom(kind, pairs)}
        self.changes.outbox = packed(self.sent, alone=self.service.outside)
        self.changes.handled.sort()
        self.changes.requests.sort(key=lambda known: known.key)
        for place in sorted(self._timers):
            timer = self._timers[place]
            if timer is None:
                self.changes.disarmed.append(place)
            else:
                self.changes.armed.append(timer)
        return self.changes

    def _merged(self, needs: Iterable[Need]) -> list[Need]:
        """One need per table and column, in the order of the service's tables, keys sorted: the order of locks."""
        wanted: defaultdict[tuple[type, str | None], set[str]] = defaultdict(set)
        for need in needs:
            wanted[need.kind, need.column].update(need.values)
        order = {table.record: place for place, table in enumerate(self.service.tables)}
        places = sorted(wanted, key=lambda place: (order[place[0]], place[1] or ""))
        return [Need(kind, sorted(found), column) for kind, column in places if (found := wanted[kind, column])]
