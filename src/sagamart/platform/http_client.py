"""A client of HTTP/1.1 that costs little: one connection, one exchange at a time, kept alive between them.

It is for talking between our own processes: a post to the internal listener takes 50 µs of both sides with it, 830 µs
with a full client.  There are no redirects, cookies or retries: whoever asks decides what an answer means, and whether
a lost one may be asked for again.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from typing import Self
from urllib.parse import urlsplit

import httptools
import msgspec

CONNECT_S_MAX = 5.0
READ_BYTES = 65_536
ANSWER_BYTES_MAX = 4 * 1024 * 1024
HEAD_BYTES_MAX = 65_536

Headers = Sequence[tuple[bytes, bytes]]


class ConnectionBrokenError(Exception):
    """The other side cannot be reached, broke off, or does not speak HTTP.  It may have done what it was asked."""


class Address(msgspec.Struct, frozen=True):
    """Where a server listens.  `host` and `port` as in the URL; `path` is put before every path that is asked for."""

    host: str
    port: int
    tls: bool = False
    path: str = ""

    @classmethod
    def of(cls, url: str) -> Self:
        """Read `http://stock:9000`.  Raises ValueError for what is no such URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError(f"{url!r} is no URL such as http://stock:9000")
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), tls, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Answer:
    """What came back: the head at once, the body as it arrives."""

    def __init__(self, *, bodiless: bool = False) -> None:
        """`bodiless` is the answer to HEAD, which tells of a body and has none."""
        self.status = 0
        self._bodiless = bodiless
        self.headers: list[tuple[bytes, bytes]] = []
        self.keeps_alive = False
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._head_bytes = 0
        self.headed = self.complete = False

    # -- called by the parser -----------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX:
            raise ValueError("the head of the answer is too long")
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole; what went before a final answer (100 Continue) is forgotten."""
        self.status = self._parser.get_status_code()
        self.headed = self.status >= 200  # noqa: PLR2004  RFC 9110: 1xx are interim
        if not self.headed:
            self.headers.clear()
        elif self._bodiless:
            self.complete = True

    def on_body(self, part: bytes) -> None:
        """Some of the body."""
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self.headed:
            self.complete = True
            self.keeps_alive = self._parser.should_keep_alive()

    # -- called by the connection -------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take in what was read.  Raises ConnectionBrokenError for what is no HTTP."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise ConnectionBrokenError(f"no HTTP came back: {error}") from error

    def end(self) -> None:
        """The other side has closed: right where that is how it ends its answer."""
        framed = any(name in (b"content-length", b"transfer-encoding") for name, _ in self.headers)
        if not self.headed or framed:
            raise ConnectionBrokenError("the answer broke off")
        self.complete = True

    def take(self) -> list[bytes]:
        """The parts of the body that have come since the last time."""
        parts, self._parts = self._parts, []
        return parts


class Connection:
    """One connection.  After an exception it is closed and of no further use."""

    def __init__(self, address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.address = address
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: Address, tls: ssl.SSLContext | None = None) -> Self:
        """Connect.  Raises ConnectionBrokenError."""
        context = (tls or ssl.create_default_context()) if address.tls else None
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
        except (OSError, TimeoutError) as error:
            raise ConnectionBrokenError(f"{address.authority} cannot be reached: {error}") from error
        return cls(address, reader, writer)

    @property
    def is_open(self) -> bool:
        """Whether, as far as is known, it can be used."""
        return not (self._writer.is_closing() or self._reader.at_eof())

    async def send(
        self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]], body: bytes | AsyncIterator[bytes] = b""
    ) -> Answer:
        """Send a request and read the head of its answer.  A body that is an iterator is sent in chunks.

        Raises ConnectionBrokenError.
        """
        framing = f"content-length: {len(body)}" if isinstance(body, bytes) else "transfer-encoding: chunked"
        target = self.address.path + path
        head = f"{method} {target} HTTP/1.1\r\nhost: {self.address.authority}\r\n{framing}\r\n".encode("latin-1")
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        try:
            self._writer.write(head + lines + b"\r\n" + (body if isinstance(body, bytes) else b""))
            if not isinstance(body, bytes):
                await self._send_chunks(body)
            await self._writer.drain()
            answer = Answer(bodiless=method == "HEAD")
            while not answer.headed:
                await self._read(answer)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise ConnectionBrokenError(f"{self.address.authority} broke off: {error}") from error
            raise
        return answer

    async def parts(self, answer: Answer) -> AsyncGenerator[bytes]:
        """The body, as it arrives.  Raises ConnectionBrokenError where it breaks off."""
        try:
            while True:
                for part in answer.take():
                    yield part
                if answer.complete:
                    break
                await self._read(answer)
        finally:
            if not (answer.complete and answer.keeps_alive):
                self.close()

    async def body(self, answer: Answer, bytes_max: int = ANSWER_BYTES_MAX) -> bytes:
        """The whole body.  Raises ConnectionBrokenError where it breaks off or is longer than that."""
        parts, length = [], 0
        async for part in self.parts(answer):
            length += len(part)
            if length > bytes_max:
                self.close()
                raise ConnectionBrokenError(f"{self.address.authority} answers more than {bytes_max} bytes")
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close it."""
        self._writer.close()

    async def _send_chunks(self, body: AsyncIterator[bytes]) -> None:
        async for part in body:
            if part:
                self._writer.write(b"%x\r\n%s\r\n" % (len(part), part))
                await self._writer.drain()
        self._writer.write(b"0\r\n\r\n")

    async def _read(self, answer: Answer) -> None:
        try:
            data = await self._reader.read(READ_BYTES)
        except OSError as error:
            raise ConnectionBrokenError(f"{self.address.authority} broke off: {error}") from error
        if data:
            answer.feed(data)
        else:
            answer.end()
