"""The server: uvicorn in a loop that is already running, next to the workers.

Rules:
- Signals are the process's business: whoever runs it calls `stop`.
- Stopping takes at most `STOP_WAIT_S` for what is in flight; open event streams are cut then.
- The forwarded-for headers are read by our own limits, never by the server.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Self

import uvicorn

STOP_WAIT_S = 1
KEEP_ALIVE_S = 30
BACKLOG_MAX = 2048
CONNECTIONS_MAX = 10_000


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
                http="httptools",
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
