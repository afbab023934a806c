"""What every answer of the pages has: its cookies, and headers that leave scripts of others no way in.

Rules:
- Nothing in a page's own text may run or paint: scripts and styles are files of this site, and only those.
- Nobody may frame a page, or learn from a link where somebody was.
"""

from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

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
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class Answering:
    """An ASGI application around the pages.  The shell around it adds what both pages and API have."""

    def __init__(self, inner: ASGIApp, *, https: bool) -> None:
        self._inner = inner
        self._added = (*HEADERS, HSTS) if https else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        one: Any = scope

        async def send_with_headers(event: Any) -> None:
            if event["type"] == "http.response.start":
                headers = list(event.get("headers", ()))
                names = {name.lower() for name, _ in headers}
                headers.extend(header for header in self._added if header[0] not in names)
                if VISIT in one:
                    headers.extend(one[VISIT].cookies.headers)
                event = {**event, "headers": headers}
            await send(event)

        await self._inner(scope, receive, send_with_headers)
