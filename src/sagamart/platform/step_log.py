"""The log of steps: a line for a message that was handled, where somebody wants to read it.

Rules:
- `slow` writes a line for a batch whose oldest message took longer than `slow_s` from its making to its commit, and no
  more than one every `EVERY_S` for a service: under overload everything is slow.
- `sampled` adds a line for each message of a sampled trace, `all` for every message: the whole log of each order, at
  about half the throughput.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Literal

import structlog

from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.message import is_sampled, names_of_trace, span_id

EVERY_S = 1.0

Steps = Literal["slow", "sampled", "all"]

log = structlog.get_logger("sagamart.steps")


class StepLog:
    """Of one service; `handled` hangs in its worker."""

    def __init__(
        self, service: str, steps: Steps, slow_s: float, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._service = service
        self._steps = steps
        self._slow_s = slow_s
        self._clock_s = clock_s
        self._quiet_until_s = 0.0

    def handled(self, batch: Batch, seconds: float) -> None:
        """A batch was committed."""
        first = batch.arrivals[0]
        if first.timer is None and _waited_s(batch, first) + seconds > self._slow_s:
            self._slow(batch, first, seconds)
        if self._steps != "slow":
            for arrival in self._wanted(batch):
                self._write(log.info, "step", batch, arrival, seconds)

    def _slow(self, batch: Batch, first: Arrival, seconds: float) -> None:
        now_s = self._clock_s()
        if not first.released and now_s >= self._quiet_until_s:
            self._quiet_until_s = now_s + EVERY_S
            self._write(log.warning, "slow step", batch, first, seconds, messages=len(batch.arrivals))

    def _wanted(self, batch: Batch) -> Iterable[Arrival]:
        done = set(batch.changes.handled)
        every = self._steps == "all"
        return (one for one in batch.arrivals if (every or is_sampled(one.message.trace)) and one.message.id in done)

    def _write(
        self, write: Callable[..., Any], text: str, batch: Batch, arrival: Arrival, seconds: float, **more: int
    ) -> None:
        message = arrival.message
        about = {name: value for name in ("order_id", "customer_id") if (value := getattr(message.body, name, None))}
        write(
            text,
            service=self._service,
            type=message.type,
            key=message.key,
            message_id=message.id,
            correlation=message.correlation,
            source=message.source,
            waited_ms=max(0, int(_waited_s(batch, arrival) * 1000)),
            **about,
            **more,
            **names_of_trace(message.trace),
            **{
                "span.id": span_id(message.id, self._service),
                "event.action": message.type,
                "event.duration": int(seconds * 1e9),
                "event.outcome": "success",
            },
        )


def _waited_s(batch: Batch, arrival: Arrival) -> float:
    return (batch.now - arrival.message.at).total_seconds()
