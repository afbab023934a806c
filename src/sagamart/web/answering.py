"""What every answer of the pages has: its cookies, and headers that leave scripts of others no way in.

Rules:
- Nothing in a page's own text may run or paint: scripts and styles are files of this site, and only those.
- Nobody may frame a page, or learn from a link where somebody was.
- A page that is sent whole travels packed.
"""

from collections.abc import Sequence
from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

from sagamart.web.packing import is_to_be_packed, packed
from sagamart.web.visit import VISIT

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)
VARY = (b"vary", b"Accept-Encoding")
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class Answering:
    """An ASGI application around the pages.  The shell around it adds what both pages and API have."""

    def __init__(self, inner: ASGIApp, *, https: bool) -> None:
        self._inner = inner
        self._added = (*HEADERS, HSTS) if https else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        one: Any = scope
        accepted = _value(one["headers"], b"accept-encoding") if one["type"] == "http" else b""
        head: Any = None

        async def send_with_headers(event: Any) -> None:
            nonlocal head
            if event["type"] == "http.response.start":
                head = {**event, "headers": self._headers(one, event.get("headers", ()))}
                if _value(head["headers"], b"content-type").startswith(b"text/html"):
                    return  # until it is known how long it is
                event, head = head, None
            elif head is not None:
                whole = not event.get("more_body")
                begin, event = _packed(head, event, accepted) if whole else (head, event)
                head = None
                await send(begin)
            await send(event)

        await self._inner(scope, receive, send_with_headers)

    def _headers(self, scope: Any, sent: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in sent}
        added = [header for header in self._added if header[0] not in names]
        return [*sent, *added, *(scope[VISIT].cookies.headers if VISIT in scope else ())]


def _packed(head: Any, event: Any, accepted: bytes) -> tuple[Any, Any]:
    """A page's head and body, packed where the browser can unpack it and it is worth it."""
    content, headers = event.get("body", b""), [*head["headers"], VARY]
    if not is_to_be_packed(_value(headers, b"content-type"), accepted, content):
        return {**head, "headers": headers}, event
    small = packed(content)
    kept = [header for header in headers if header[0].lower() != b"content-length"]
    size = (b"content-length", str(len(small)).encode())
    return {**head, "headers": [*kept, size, (b"content-encoding", b"gzip")]}, {**event, "body": small}


def _value(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    return next((value for name, value in headers if name.lower() == wanted), b"")
