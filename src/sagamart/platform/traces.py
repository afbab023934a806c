"""Traces: what happened to one request, from the door through every service that it touched, as spans.

A span is made when what it tells of is over: a batch handles the messages of many traces at once, and only those that
are sampled are looked at.  So there is no current span, and a trace that nobody wants costs a look at one character.

Rules:
- A request's span is named in `Message.trace`, which goes to all that the request causes, over any transport.
- The span of a message's handling has an id derived from the message and the service.  Its parent is the handling of
  its cause by its source, or the request's span where it has no cause: the envelope is all that is needed to know that.
- A message that was handled before makes no span: whatever comes twice is in its trace once.
- Where messages of several traces shared a transaction, each span is linked with the first one's: what holds one up
  holds up all.
- Who is sampled is decided at the door, once.
"""

import importlib.util
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import msgspec

from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.message import Message, is_sampled, span_id
from sagamart.platform.metrics import UNMATCHED
from sagamart.platform.settings import SettingsError, TraceSettings
from sagamart.platform.traceparent import TRACE, sent_trace

SPANS_OF_A_BATCH_MAX = 50
"""A sampled batch tells of so many of its messages; a ratio of 1 under load would drown the collector."""

Kind = Literal["server", "consumer", "internal", "client"]
Attributes = Mapping[str, str | int | float | bool]

_PARENT = "sagamart_parent"


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is over.  Ids are in hexadecimal, times in nanoseconds of Unix time."""

    name: str
    kind: Kind
    trace_id: str
    span_id: str
    parent_id: str | None
    began_ns: int
    ended_ns: int
    attributes: Attributes = {}
    error: str | None = None
    link: tuple[str, str] | None = None


class Traces:
    """Makes the spans of a process and tells each to `export`.

    `ratio` of the requests are sampled; a client's own wish goes before it where `follow_clients`.
    """

    def __init__(
        self,
        export: Callable[[Span], None],
        *,
        ratio: float,
        follow_clients: bool = True,
        clock_ns: Callable[[], int] = time.time_ns,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._export = export
        self._ratio = ratio
        self._follow_clients = follow_clients
        self._clock_ns = clock_ns
        self._chance = chance

    def begin(self, scope: Any) -> str:
        """Give a request with this ASGI scope its trace: its client's, with a span of ours, or a new one."""
        sent = sent_trace(scope["headers"])
        fresh = os.urandom(24).hex()
        wanted = is_sampled(sent) if sent and self._follow_clients else self._chance() < self._ratio
        trace_id = sent[3:35] if sent else fresh[:32]
        trace = scope[TRACE] = f"00-{trace_id}-{fresh[32:]}-{int(wanted):02x}"
        scope[_PARENT] = sent[36:52] if sent else None
        return trace

    def answered(self, scope: Mapping[str, Any], status: int, seconds: float) -> None:
        """A request began to be answered."""
        trace: str = scope.get(TRACE, "")
        if not is_sampled(trace):
            return
        route = scope.get("path_template") or UNMATCHED
        known = {"http.request.method": scope["method"], "http.route": route, "http.response.status_code": status}
        ended = self._clock_ns()
        self._export(
            Span(
                name=f"{scope['method']} {route}",
                kind="server",
                trace_id=trace[3:35],
                span_id=trace[36:52],
                parent_id=scope.get(_PARENT),
                began_ns=ended - int(seconds * 1e9),
                ended_ns=ended,
                attributes=known,
                error=str(status) if status >= 500 else None,  # noqa: PLR2004  RFC 9110: the server's fault
            )
        )

    def handled(self, service: str, batch: Batch, seconds: float) -> None:
        """A batch was committed."""
        sampled = [arrival for arrival in batch.arrivals if is_sampled(arrival.message.trace)]
        if sampled:
            self._tell(service, batch, sampled, seconds)

    def called(self, service: str, destination: str, intent: Message[Any], answered: bool, seconds: float) -> None:  # noqa: FBT001  called by position
        """A call outside was answered, or failed and is made again: only the last one is the parent of more."""
        if not is_sampled(intent.trace):
            return
        ended = self._clock_ns()
        own = span_id(intent.id, service) if answered else os.urandom(8).hex()
        self._export(
            Span(
                name=f"{destination} {intent.type}",
                kind="client",
                trace_id=str(intent.trace)[3:35],
                span_id=own,
                parent_id=_parent(intent),
                began_ns=ended - int(seconds * 1e9),
                ended_ns=ended,
                attributes=_about(service, intent) | {"server.address": destination},
                error=None if answered else "the call failed",
            )
        )

    def _tell(self, service: str, batch: Batch, sampled: Sequence[Arrival], seconds: float) -> None:
        done = set(batch.changes.handled)
        died = {letter.message.id: letter.error for letter in batch.changes.dead if letter.status == "dead"}
        ended = self._clock_ns()
        first: tuple[str, str] | None = None
        for arrival in sampled[:SPANS_OF_A_BATCH_MAX]:
            message = arrival.message
            if message.id not in done and message.id not in died:
                continue
            own = span_id(message.id, service) if message.id in done else os.urandom(8).hex()
            done.discard(message.id)
            place = (str(message.trace)[3:35], own)
            waited_s = (batch.now - message.at).total_seconds()
            more = {"messaging.batch.message_count": len(batch.arrivals), "sagamart.waited_ms": int(waited_s * 1000)}
            self._export(
                Span(
                    name=f"{service} {message.type}",
                    kind="consumer" if arrival.request is None else "internal",
                    trace_id=place[0],
                    span_id=own,
                    parent_id=_parent(message, called=arrival.request is not None),
                    began_ns=ended - int(seconds * 1e9),
                    ended_ns=ended,
                    attributes=_about(service, message) | more,
                    error=died.get(message.id),
                    link=first,
                )
            )
            first = first or place


def _parent(message: Message[Any], *, called: bool = False) -> str:
    """Where a message comes from: a call of another service, its cause's handling by its source, or the request."""
    if message.cause is None:
        return str(message.trace)[36:52]
    return span_id(message.id if called else message.cause, message.source)


def _about(service: str, message: Message[Any]) -> dict[str, str | int | float | bool]:
    return {
        "messaging.system": "sagamart",
        "messaging.operation.type": "process",
        "messaging.message.id": message.id,
        "messaging.message.conversation_id": message.correlation,
        "sagamart.service": service,
        "sagamart.type": message.type,
        "sagamart.key": message.key,
        "sagamart.source": message.source,
    }


@asynccontextmanager
async def traced(settings: TraceSettings, node: str, version: str) -> AsyncIterator[Traces | None]:
    """Traces that go where the settings say; None where they say nothing.  Raises SettingsError."""
    if not settings.endpoint:
        yield None
        return
    if importlib.util.find_spec("opentelemetry.sdk") is None:
        raise SettingsError(
            "SAGAMART_TRACES_ENDPOINT needs the SDK of OpenTelemetry; install it: pip install 'sagamart[otel]'"
        )
    from sagamart.platform.otel import sending_to  # noqa: PLC0415  an extra that need not be there

    sending = sending_to(settings.endpoint, version=version, node=node)
    with sending as export:
        yield Traces(export, ratio=settings.ratio, follow_clients=settings.follow_clients)
