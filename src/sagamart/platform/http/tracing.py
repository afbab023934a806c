"""W3C Trace Context (Level 2): which trace a request belongs to.

Rules:
- A client's `traceparent` goes on as it is; without a valid one the request begins a trace of its own, not sampled.
  Where traces are made (`traces.py`), the request is a span of its own in it, and sampled or not.
- It travels in `Message.trace` to everything that the request causes, and is told to the client in `traceresponse`.
- Logs name the trace by its id alone.
"""

import os
from collections.abc import Iterable
from typing import Any

from sagamart.messaging.message import new_trace
from sagamart.platform.traceparent import TRACE, sent_trace

RESPONSE_HEADER = b"traceresponse"


def begin_trace(scope: Any) -> str:
    """Give a request its trace, kept in its scope."""
    trace = scope[TRACE] = trace_of(scope["headers"])
    return trace


def trace_in(scope: Any) -> str | None:
    """The trace of a request with this scope; None where nothing gave it one."""
    trace: str | None = scope.get(TRACE)
    return trace


def trace_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The trace of a request with these headers (names in lower case): its client's, or a new one."""
    return sent_trace(headers) or new_trace(os.urandom(24))
