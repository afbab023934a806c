"""The shell around the application: what every request passes, in plain ASGI because it costs least.

It refuses addresses that are too long or hold a NUL, limits each client and the bytes of all bodies at once, adds the
security headers, tells how long each request took to be answered, and gives it its trace.

- What counts of a body is what has come of it, until its request is answered: a client that announces much and sends
  nothing takes no room from others.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from sagamart.platform.http.limits import Buckets, Clients
from sagamart.platform.http.problems import PROBLEM_JSON, Malformed, Problem, too_many_requests
from sagamart.platform.http.tracing import RESPONSE_HEADER, begin_trace

PATH_CHARS_MAX = 1000
QUERY_BYTES_MAX = 4000
UNLIMITED_PATHS = frozenset(("/healthz", "/readyz"))

SECURITY_HEADERS: Mapping[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}
"""Added where a handler has not set its own."""

READ_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
"""Nobody reads a body of theirs."""

ROOM_AGAIN_S = 1
"""When a client that found no room for its body may try again: bodies are read and answered faster than that."""

_HEADERS = tuple(SECURITY_HEADERS.items())


OnAnswer = Callable[[Mapping[str, Any], int, float], None]
"""Is told of the beginning of each answer: the request's ASGI scope, the status, and the seconds since it came."""


class Shell:
    """An ASGI application around another."""

    def __init__(  # noqa: PLR0913  all that the process has to say of requests
        self,
        inner: ASGIApp,
        clients: Clients,
        limit: Buckets | None,
        bodies_bytes_max: int = 64 * 1024 * 1024,
        *,
        begin: Callable[[Any], str] = begin_trace,
        on_answer: Sequence[OnAnswer] = (),
    ) -> None:
        self._begin = begin
        self._inner = inner
        self._clients = clients
        self._limit = limit
        self._bodies_bytes_max = bodies_bytes_max
        self.bodies_bytes = 0
        """So much has come of the bodies of requests that are not answered yet."""
        self._on_answer = on_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._inner(scope, receive, send)
            return

        began_s = time.perf_counter()
        trace = self._begin(scope)

        async def send_with_headers(event: Any) -> None:
            if event["type"] == "http.response.start":
                for tell in self._on_answer:
                    tell(scope, event["status"], time.perf_counter() - began_s)
                event["headers"] = _secured(event.get("headers", ()), trace)
            await send(event)

        refusal = self._refusal(scope)
        if refusal is not None:
            await _send_problem(refusal, send_with_headers)
        elif scope["method"] in READ_METHODS:
            await self._inner(scope, receive, send_with_headers)
        else:
            await self._serve_with_body(scope, receive, send_with_headers)

    async def _serve_with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose body counts among those that are being read."""
        came_bytes = 0

        async def receive_counted() -> Any:
            nonlocal came_bytes
            event = await receive()
            size = len(event.get("body", b"")) if event["type"] == "http.request" else 0
            if self.bodies_bytes + size > self._bodies_bytes_max:
                raise _no_room()
            came_bytes += size
            self.bodies_bytes += size
            return event

        try:
            await self._inner(scope, receive_counted, send)
        finally:
            self.bodies_bytes -= came_bytes

    def _refusal(self, scope: Any) -> Problem | None:
        if len(scope["path"]) > PATH_CHARS_MAX or len(scope["query_string"]) > QUERY_BYTES_MAX:
            return Problem(414, "too_long", "The address is too long")
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return Malformed("address", "the character U+0000 is not text")
        if self._limit is None or scope["path"] in UNLIMITED_PATHS:
            return None
        wait_s = self._limit.take(self._clients.client((scope.get("client") or ("",))[0], _forwarded(scope["headers"])))
        return too_many_requests(wait_s) if wait_s else None


def _no_room() -> Problem:
    headers = {"Retry-After": str(ROOM_AGAIN_S)}
    return Problem(503, "too_many_bodies", "Too many request bodies are being read; try again", headers=headers)


def _forwarded(headers: list[tuple[bytes, bytes]]) -> str | None:
    """All `X-Forwarded-For` lines as one list, as RFC 9110 joins them."""
    lines = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    return ",".join(lines) if lines else None


def _secured(headers: Any, trace: str) -> list[tuple[bytes, bytes]]:
    own = dict(headers)
    added = _HEADERS if own.keys().isdisjoint(SECURITY_HEADERS) else [one for one in _HEADERS if one[0] not in own]
    return [*headers, *added, (RESPONSE_HEADER, trace.encode())]


def client_of(request: Any) -> str:
    """The client that a request comes from: its address, or the network of its subscriber."""
    clients: Clients = request.app.state["clients"]
    return clients.client((request.scope.get("client") or ("",))[0], _forwarded(request.scope["headers"]))


async def _send_problem(problem: Problem, send: Any) -> None:
    content = problem.content
    headers = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(content)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
