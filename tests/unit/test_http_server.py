"""The server next to workers in one loop."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from litestar import get
from litestar.response import ServerSentEvent

from http_shop import TOKENS, Shop
from sagamart.platform.http import Mounted, build_app
from sagamart.platform.http.server import Server


@get("/v1/progress")
async def progress() -> ServerSentEvent:
    """Tell of an order's progress, which has none."""

    async def events() -> AsyncIterator[str]:
        yield "booked"
        await asyncio.Event().wait()

    return ServerSentEvent(events())


async def test_the_server_stops_within_two_seconds_though_somebody_listens_to_events() -> None:
    app = build_app([Mounted("orders", [progress], Shop().ask, None)], tokens=TOKENS)
    server = Server(app, host="127.0.0.1", port=0)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /v1/progress HTTP/1.1\r\nHost: shop\r\n\r\n")
    await reader.readuntil(b"booked")
    begun = time.monotonic()
    await server.stop()
    assert time.monotonic() - begun < 2
    await reader.read()
    writer.close()


async def test_an_address_that_is_taken_is_an_error_at_the_start() -> None:
    app = build_app([], tokens=TOKENS)
    async with Server(app, host="127.0.0.1", port=0) as first:
        second = Server(app, host="127.0.0.1", port=first.port)
        with pytest.raises(OSError, match="in use"):
            await second.start()
