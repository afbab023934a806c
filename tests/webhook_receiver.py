"""A real HTTP server that receives webhooks: it answers as a test says, late, never, or is down."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal

import msgspec

from sagamart.shop.payments.signatures import is_signed, keys_of

WAIT_S_MAX = 60

Answer = int | Literal["silence"]


class Post(msgspec.Struct, frozen=True):
    """One request as it came; header names in lower case."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """What its receiver knows it by."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        """What it says."""
        return msgspec.json.decode(self.body)

    def is_signed_with(self, secret: str, now: datetime) -> bool:
        """Whether it is from who has this secret, as the shop itself judges the bank's."""
        return is_signed(keys_of([secret]), self.headers, self.body, now)


class Receiver:
    """What has come.  `answers` are given to the next posts, one each, then `always`; 302 leads to `elsewhere`."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answers: list[Answer] = []
        self.always: Answer = 204
        self.elsewhere = "/"
        self.port = 0
        self._server: asyncio.Server | None = None
        self._ended = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/news"

    async def open(self) -> None:
        """Listen, on the same port as before."""
        self._ended.clear()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Be down."""
        self._ended.set()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.posts.append(Post(head[0].split()[1], headers, body))
            answer = self.answers.pop(0) if self.answers else self.always
            if answer == "silence":
                await self._ended.wait()
            else:
                located = f"location: {self.elsewhere}\r\n" if answer == 302 else ""
                writer.write(f"HTTP/1.1 {answer} So\r\n{located}content-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # whoever posted has hung up
        finally:
            writer.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until this holds."""
        async with asyncio.timeout(WAIT_S_MAX):
            while not holds():  # noqa: ASYNC110  a condition on what another party does
                await asyncio.sleep(0.02)


@asynccontextmanager
async def open_receiver() -> AsyncIterator[Receiver]:
    """A receiver that takes everything."""
    receiver = Receiver()
    await receiver.open()
    try:
        yield receiver
    finally:
        receiver.close()
