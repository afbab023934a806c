"""The API in this very process, as a transport of httpx: no socket, and answers come part by part as they are sent.

httpx has such a transport too; it waits for the whole answer, which the events of an order never are.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
from litestar.types import ASGIApp

CLIENT = "sagamart_client"
"""The extension of a request in which the visitor's address travels: the API limits visitors, not the pages."""

PARTS_MAX = 16
"""Parts of an answer that wait to be read."""


class InProcess(httpx.AsyncBaseTransport):
    """Requests answered by an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer as soon as it begins.  Raises httpx.RemoteProtocolError where none does."""
        exchange = _Exchange(await request.aread())
        running = asyncio.create_task(exchange.run(self._app, _scope(request)), name="page asks the API")
        try:
            head = await exchange.sent.get()
        except BaseException:
            running.cancel()
            raise
        if head is None:
            raise httpx.RemoteProtocolError("the API gave no answer", request=request)
        return httpx.Response(head["status"], headers=head.get("headers", ()), stream=_Body(exchange, running))


class _Exchange:
    """One request and what comes back; None after the last part."""

    def __init__(self, body: bytes) -> None:
        self.sent: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(PARTS_MAX)
        self._body: bytes | None = body
        self._gone = asyncio.Event()

    async def run(self, app: ASGIApp, scope: Any) -> None:
        try:
            await app(scope, self._receive, self._send)
        finally:
            await self.sent.put(None)

    def leave(self) -> None:
        self._gone.set()

    async def _receive(self) -> Any:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Any) -> None:
        await self.sent.put(event)


class _Body(httpx.AsyncByteStream):
    def __init__(self, exchange: _Exchange, running: asyncio.Task[None]) -> None:
        self._exchange = exchange
        self._running = running

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more and (event := await self._exchange.sent.get()) is not None:
            more = event.get("more_body", False)
            yield event.get("body", b"")

    async def aclose(self) -> None:
        self._exchange.leave()
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)


def _scope(request: httpx.Request) -> Any:
    target = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": target[0],
        "query_string": target[2],
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": (request.extensions.get(CLIENT, ""), 0),
        "server": (request.url.host, request.url.port),
        "state": {},
    }
