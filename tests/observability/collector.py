"""A collector of traces: a small HTTP server that takes OTLP, as protobuf, and remembers every span."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from spans import SeenSpan

PATH = "/v1/traces"


class Collector:
    """What was sent, and where to."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}{PATH}"
        self._spans: list[SeenSpan] = []
        self._lock = Lock()

    def take(self, body: bytes) -> None:
        """Remember what one request told.  Raises DecodeError."""
        told = ExportTraceServiceRequest.FromString(body)
        with self._lock:
            self._spans += [span for one in told.resource_spans for span in _spans_of(one)]

    def of(self, trace_id: str) -> list[SeenSpan]:
        """The spans of a trace, so far."""
        with self._lock:
            return [span for span in self._spans if span.trace_id == trace_id]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == PATH, self.path
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_what: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(server.server_port)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _spans_of(told: ResourceSpans) -> Iterator[SeenSpan]:
    resource = {one.key: one.value.string_value for one in told.resource.attributes}
    for scope in told.scope_spans:
        for span in scope.spans:
            about = {one.key: one.value.string_value for one in span.attributes}
            yield SeenSpan(
                span.name,
                Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex() or None,
                about.get("sagamart.service", ""),
                about.get("sagamart.key", ""),
                resource["service.instance.id"],
            )
