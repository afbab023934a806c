"""W3C Trace Context (Level 2): which trace a request belongs to.

Rules:
- A client's `traceparent` goes on as it is; without a valid one the request begins a trace of its own, not sampled.
  Where traces are made (`traces.py`), the request is a span of its own in it, and sampled or not.
- It travels in `Message.trace` to everything that the request causes, and is told to the client in `traceresponse`.
- Logs name the trace by its id alone.
"""

import os
import re
from collections.abc import Iterable
from typing import Any

from sagamart.messaging.message import new_trace

RESPONSE_HEADER = b"traceresponse"

TRACE = "sagamart_trace"
"""Where a request's scope keeps its trace."""

_TRACEPARENT = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})(?P<rest>-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"
)


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


def sent_trace(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The trace that a client has sent, in the form of version 00; None without a valid one.

    Of a later version what version 00 knows is read; a header that comes twice counts as none.
    """
    sent = [value for name, value in headers if name == b"traceparent"]
    found = _TRACEPARENT.match(sent[0]) if len(sent) == 1 else None
    if found is None or not _ends_well(found):
        return None
    return "00" + found["rest"].decode()


def _ends_well(found: re.Match[Any]) -> bool:
    more = found.string[found.end() :]
    return not more or (found["version"] != b"00" and more.startswith(b"-"))
