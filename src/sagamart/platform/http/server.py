"""The server: uvicorn in a loop that is already running, next to the workers.

Rules:
- Signals are the process's business: whoever runs it calls `stop`.
- Stopping takes at most `STOP_WAIT_S` for what is in flight; open event streams are cut then.
- The forwarded-for headers are read by our own limits, never by the server.
- What is written in one turn of the loop leaves as one packet: the server itself sends an answer's head and body apart,
  which costs both sides twice as many system calls.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STOP_WAIT_S = 1
KEEP_ALIVE_S = 30
BACKLOG_MAX = 2048
CONNECTIONS_MAX = 10_000


class Line:
    """A connection's transport that gathers what is written in one turn of the loop."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._call_soon = asyncio.get_running_loop().call_soon
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send this with whatever else is written in this turn."""
        if not self._written:
            self._call_soon(self.flush)
        self._written.append(data)

    def close(self) -> None:
        """Send what is written, and end."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Send what is written."""
        if self._written:
            self._transport.write(b"".join(self._written))
            self._written.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 over such a line."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin with a connection."""
        self._line = Line(transport)
        super().connection_made(self._line)  # type: ignore[arg-type]  # a transport in all that is asked of it

    def on_response_complete(self) -> None:
        """Send the answer: nothing more comes to it."""
        self._line.flush()
        super().on_response_complete()


class Server(uvicorn.Server):
    """One listener.

    async with Server(app, host="127.0.0.1", port=0) as server:
        server.port
    """

    def __init__(self, app: Any, *, host: str, port: int, share_port: bool = False) -> None:
        """`app` speaks ASGI, its lifespan included.  `port` 0 takes a free one.

        With `share_port` other processes of this account may listen on it too.
        """
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                http=Protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG_MAX,
                limit_concurrency=CONNECTIONS_MAX,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=STOP_WAIT_S,
            )
        )
        self._share_port = share_port
        self._running: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    @property
    def port(self) -> int:
        """The port that it listens on."""
        address: tuple[Any, ...] = self.servers[0].sockets[0].getsockname()
        return int(address[1])

    async def start(self) -> None:
        """Listen.  Raises OSError where the address is taken, RuntimeError where the application does not start."""
        family = socket.AF_INET6 if ":" in self.config.host else socket.AF_INET
        address = (self.config.host, self.config.port)
        listener = socket.create_server(address, family=family, backlog=BACKLOG_MAX, reuse_port=self._share_port)
        self._running = asyncio.create_task(self.serve([listener]), name="http server")
        while not self.started:
            if self._running.done():
                listener.close()
                await self._running
                raise RuntimeError("the HTTP application did not start; the log says why")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Take no more connections, let what is in flight end within STOP_WAIT_S, cut the rest."""
        self.should_exit = True
        if self._running is not None:
            await self._running

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()
