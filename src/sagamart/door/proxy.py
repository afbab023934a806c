"""The front door: requests go to a replica of the service that offers their path; answers come back as they arrive.

Rules:
- A replica that cannot be reached has seen nothing: the next one is asked, whatever the request is.
- A request whose answer broke off before it began is asked again only where that is safe: it reads, or it names an
  `Idempotency-Key`, so that the shop answers it the same way; and its body is short enough to be kept.
- No replica: 503.  No answer: 502.  Each is a problem with Retry-After.
- A list that is joined of all services is made of those that answer within `JOIN_S_MAX`, and names the others.
- Who is asking (Authorization) is the services' business.  The client's address goes on in X-Forwarded-For, behind what
  a proxy that the settings trust says there; what others say there is dropped.
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
import structlog

from sagamart.audit import AUDIT
from sagamart.door.figures import ALL, Relays
from sagamart.door.operations import JOINED, decode, named_service
from sagamart.door.replicas import Replica, Replicas
from sagamart.door.routes import RouteTable
from sagamart.platform.http.limits import Clients
from sagamart.platform.http.problems import PROBLEM_JSON, Problem
from sagamart.platform.http_client import Answer, Connection, ConnectionBrokenError, Headers

BUFFERED_BYTES_MAX = 65_536
"""A body up to this size is kept, so that it can be sent a second time."""

ANSWER_S_MAX = 65.0
"""So long a service may take to begin its answer; it may be told to wait 30 s for an order."""

JOIN_S_MAX = 10.0
"""So long a service may take to answer for a list that is joined of all of them."""

FAILED_FROM = 500
"""Statuses from this on say that a service could not answer (RFC 9110)."""

ASKED_AGAIN_MAX = 2
RETRY_AFTER_S = 1
READING = frozenset(("GET", "HEAD", "OPTIONS"))
HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"proxy-connection",
    )
)
DROPPED = HOP_BY_HOP | {b"date"}
"""The door has a date of its own."""

REPLACED = frozenset((b"host", b"content-length", b"x-forwarded-for", b"x-forwarded-proto", b"x-request-id", b"expect"))

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,100}")

log = structlog.get_logger()

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
Join = Callable[[Sequence[dict[str, Any]], bytes], dict[str, Any]]


class Request(msgspec.Struct, frozen=True):
    """A request on its way through."""

    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes | AsyncIterator[bytes]
    repeatable: bool


class Door:
    """The ASGI application.  `own` answers what belongs to no service: documents, operations."""

    def __init__(
        self, routes: RouteTable, replicas: Replicas, own: Asgi, relays: Relays, clients: Clients | None = None
    ) -> None:
        self._clients = clients or Clients()
        self._routes = routes
        self._replicas = replicas
        self._services = [name for name in replicas.services if name != AUDIT]
        self._own = own
        self._relays = relays

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._own(scope, receive, send)
            return
        path = scope["path"]
        service = self._routes.service_of(path) or named_service(path)
        joined = JOINED.get(path) if scope["method"] == "GET" else None
        if joined is None and service not in self._replicas.services:
            await self._own(scope, receive, send)
            return
        send = self._counted(send, service if joined is None and service is not None else ALL)
        request_id = request_id_of(scope["headers"])
        try:
            request = await _request(scope, receive, request_id, self._clients)
            if joined is not None:
                await self._join(joined, request, scope["query_string"], send, request_id)
            elif service is not None:
                await self._relay(service, request, receive, send, request_id)
        except Problem as problem:
            await _send_problem(send, problem, request_id)

    def _counted(self, send: Any, service: str) -> Any:
        began_s = time.perf_counter()

        async def send_counted(event: Any) -> None:
            if event["type"] == "http.response.start":
                self._relays.answered(service, event["status"], time.perf_counter() - began_s)
            await send(event)

        return send_counted

    async def _relay(self, service: str, request: Request, receive: Any, send: Any, request_id: bytes) -> None:
        replica, connection, answer = await self._answer(service, request)
        headers = [*_forwarded(answer.headers), (b"x-request-id", request_id)]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        gone = None if answer.complete else asyncio.create_task(_cut_when_gone(receive, connection))
        try:
            async with aclosing(connection.parts(answer)) as parts:
                async for part in parts:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        except ConnectionBrokenError as error:
            if gone is not None and gone.done():
                return
            log.warning("an answer broke off", service=service, error=str(error))
            raise  # its head is with the client: all that is left is to break off, too
        finally:
            if gone is not None:
                gone.cancel()
            replica.keep(connection)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _join(self, joined: Join, request: Request, query: bytes, send: Any, request_id: bytes) -> None:
        """Ask every service, and make one list of what those say that answer; the first refusal is the answer.

        Raises Problem where none of them answers.
        """
        answers = await asyncio.gather(*(self._told(service, request) for service in self._services))
        told = [one for one in answers if one is not None]
        if not told:
            raise _problem(503, "unavailable", "No service can be reached now")
        for answer, body in told:
            if answer.status != 200:  # noqa: PLR2004  RFC 9110
                await _send(send, answer.status, _forwarded(answer.headers), body, request_id)
                return
        missing = [service for service, one in zip(self._services, answers, strict=True) if one is None]
        page = {**joined([decode(body) for _, body in told], query), "missing": missing}
        content = msgspec.json.encode(page)
        length = str(len(content)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await _send(send, 200, headers, content, request_id)

    async def _told(self, service: str, request: Request) -> tuple[Answer, bytes] | None:
        """What a service says in time; None where it cannot be reached, or fails."""
        try:
            async with asyncio.timeout(JOIN_S_MAX):
                answer, body = await self._whole(service, request)
        except (Problem, TimeoutError) as error:
            log.warning("missing in a list", service=service, error=str(error))
            return None
        return None if answer.status >= FAILED_FROM else (answer, body)

    async def _whole(self, service: str, request: Request) -> tuple[Answer, bytes]:
        replica, connection, answer = await self._answer(service, request)
        try:
            return answer, await connection.body(answer)
        except ConnectionBrokenError as error:
            raise _problem(502, "bad_gateway", f"{service} broke off before it answered") from error
        finally:
            replica.keep(connection)

    async def _answer(self, service: str, request: Request) -> tuple[Replica, Connection, Answer]:
        """The answer's head from one of the replicas.  Raises Problem 502, 503, 504."""
        lost = 0
        async with aclosing(self._replicas.reachable(service)) as reachable:
            async for replica, connection in reachable:
                try:
                    async with asyncio.timeout(ANSWER_S_MAX):
                        answer = await connection.send(request.method, request.target, request.headers, request.body)
                except TimeoutError as error:
                    raise _problem(504, "gateway_timeout", f"{service} takes too long to answer") from error
                except ConnectionBrokenError as error:
                    log.warning("no answer", service=service, replica=replica.address.authority, error=str(error))
                    lost += 1
                    if not request.repeatable or lost > ASKED_AGAIN_MAX:
                        break
                else:
                    return replica, connection, answer
        if lost:
            raise _problem(502, "bad_gateway", f"{service} broke off before it answered")
        raise _problem(503, "unavailable", f"{service} cannot be reached now")


def request_id_of(headers: Any) -> bytes:
    """The client's X-Request-Id if it is one, else a new one."""
    sent = next((value for name, value in headers if name == b"x-request-id"), b"")
    return sent if _REQUEST_ID.fullmatch(sent) else os.urandom(12).hex().encode()


async def _request(scope: Any, receive: Any, request_id: bytes, clients: Clients) -> Request:
    headers = [header for header in _forwarded(scope["headers"]) if header[0] not in REPLACED]
    headers += [
        (b"x-request-id", request_id),
        (b"x-forwarded-for", _way(scope, clients)),
        (b"x-forwarded-proto", scope["scheme"].encode()),
    ]
    query = scope["query_string"]
    target = scope["raw_path"].decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
    first, ended = await _first_part(receive)
    body: bytes | AsyncIterator[bytes] = first if ended else _rest(first, receive)
    safe = scope["method"] in READING or any(name == b"idempotency-key" for name, _ in headers)
    return Request(scope["method"], target, tuple(headers), body, repeatable=ended and safe)


def _way(scope: Any, clients: Clients) -> bytes:
    """Who asked, the nearest last: the peer, behind what it says of others where it is a proxy that is trusted."""
    peer = (scope.get("client") or ("",))[0]
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-for"] if clients.trusts(peer) else []
    return b", ".join([*said, peer.encode()])


def _forwarded(headers: Any) -> list[tuple[bytes, bytes]]:
    """Headers without those that are about one connection only (RFC 9110, 7.6.1)."""
    named = {
        one.strip().lower() for name, value in headers if name == b"connection" for one in value.split(b",") if one
    }
    return [header for header in headers if header[0] not in DROPPED and header[0] not in named]


async def _first_part(receive: Any) -> tuple[bytes, bool]:
    """The body up to BUFFERED_BYTES_MAX, and whether that is all of it.  Raises Problem where the client went away."""
    parts: list[bytes] = []
    length = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise _problem(400, "malformed", "The request broke off")
        parts.append(event.get("body", b""))
        length += len(parts[-1])
        if not event.get("more_body"):
            return b"".join(parts), True
        if length > BUFFERED_BYTES_MAX:
            return b"".join(parts), False


async def _rest(first: bytes, receive: Any) -> AsyncGenerator[bytes]:
    yield first
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionBrokenError("the client went away")
        yield event.get("body", b"")
        if not event.get("more_body"):
            return


async def _cut_when_gone(receive: Any, connection: Connection) -> None:
    """Close a stream of events whose reader has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
    connection.close()


def _problem(status: int, code: str, title: str) -> Problem:
    return Problem(status, code, title, headers={"Retry-After": str(RETRY_AFTER_S)})


async def _send_problem(send: Any, problem: Problem, request_id: bytes) -> None:
    content = problem.content
    named = {"content-type": PROBLEM_JSON, "content-length": str(len(content)), **problem.headers}
    headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]
    await _send(send, problem.status, headers, content, request_id)


async def _send(send: Any, status: int, headers: Headers, content: bytes, request_id: bytes) -> None:
    lines = [*headers, (b"x-request-id", request_id)]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": content})
