"""The header `traceparent` of W3C Trace Context (Level 2), as a client sent it."""

import re
from collections.abc import Iterable
from typing import Any

TRACE = "sagamart_trace"
"""Where a request's scope keeps its trace."""

_TRACEPARENT = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})(?P<rest>-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"
)


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
