"""Spans on their way out: OpenTelemetry's SDK, the extra `[otel]`.

Spans are sent by OTLP over HTTP from a thread of the SDK's own, in batches; what its bounded queue cannot hold is
dropped, never waited for.  Authorisation and compression are set as OpenTelemetry has it
(`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_COMPRESSION`).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from sagamart.platform.traces import Kind, Span

SEND_EVERY_MS = 1_000
EXPORT_S_MAX = 5
CLOSE_S_MAX = 1.0
LAST_SPANS = "last spans"

_KINDS: dict[Kind, SpanKind] = {
    "server": SpanKind.SERVER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
}


class _GivenIds(IdGenerator):
    """Ids that were chosen before: ours are derived from messages."""

    def __init__(self) -> None:
        self.span = self.trace = 0

    def generate_span_id(self) -> int:
        return self.span

    def generate_trace_id(self) -> int:
        return self.trace


class Exporter:
    """Takes spans to this processor.  For one thread."""

    def __init__(self, processor: SpanProcessor, *, version: str, node: str) -> None:
        self._ids = _GivenIds()
        about = {"service.name": "sagamart", "service.version": version, "service.instance.id": node}
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=Resource.create(about), id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("sagamart", version)

    def __call__(self, span: Span) -> None:
        """Take one span."""
        self._ids.trace, self._ids.span = int(span.trace_id, 16), int(span.span_id, 16)
        parent = _context(span.trace_id, span.parent_id) if span.parent_id else None
        told = self._tracer.start_span(
            span.name,
            context=Context() if parent is None else set_span_in_context(NonRecordingSpan(parent), Context()),
            kind=_KINDS[span.kind],
            attributes=span.attributes,
            links=[Link(_context(*span.link))] if span.link else None,
            start_time=span.began_ns,
        )
        if span.error is not None:
            told.set_status(Status(StatusCode.ERROR, span.error))
        told.end(span.ended_ns)

    def close(self) -> None:
        """Send what is left, within `CLOSE_S_MAX`: a collector that is away does not keep the process from ending."""
        sending = Thread(target=self._provider.shutdown, name=LAST_SPANS, daemon=True)
        sending.start()
        sending.join(CLOSE_S_MAX)


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


@contextmanager
def sending_to(endpoint: str, *, version: str, node: str) -> Iterator[Exporter]:
    """Send spans to this collector until the end of the block."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its warnings repeat what the exporter says itself
    sending = BatchSpanProcessor(
        OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_S_MAX), schedule_delay_millis=SEND_EVERY_MS
    )
    exporter = Exporter(sending, version=version, node=node)
    try:
        yield exporter
    finally:
        exporter.close()
