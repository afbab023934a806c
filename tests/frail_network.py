"""Lines between programs that do what networks do: delay, slice, fall silent one way, break off in an answer.

with Network() as network:
    line = network.line("/run/postgresql/.s.PGSQL.5432")     # or a port of this machine
    connect to 127.0.0.1:line.port
    line.cuts.extend([0, 40])      # the next connections to answer are reset after so many bytes
    line.fired["reset"]            # how often each fault has happened

All lines live on a thread of their own: they carry on while whoever talks over them waits.
"""

import asyncio
import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Literal, Self, TypeVar

T = TypeVar("T")
Way = Literal["questions", "answers"]

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 65_536
LOOK_S = 0.01
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing sends RST, as who dies or forgets a connection does."""


class Line:
    """From a port of its own to a Unix socket or another port; its faults are set and healed while it is in use."""

    def __init__(self, target: str | int) -> None:
        self.target = target
        self.port = 0
        self.fired: Counter[str] = Counter()
        self.heal()

    def heal(self) -> None:
        """Be a good line from now on.  What was held back is passed on, however late that is."""
        self.slice_bytes = 0
        self.pause_s = 0.0
        self.silent: Way | None = None
        self.cuts: deque[int] = deque()

    async def open(self, port: int = 0) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._carry, LOOPBACK, port, reuse_port=bool(port))
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Take none any more."""
        self._server.close()

    async def _carry(self, from_near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        try:
            from_far, to_far = await self._dial()
        except OSError:
            _reset(to_near)
            return
        ends = (to_near, to_far)
        ways = [
            asyncio.create_task(self._pass_on("questions", from_near, to_far, ends)),
            asyncio.create_task(self._pass_on("answers", from_far, to_near, ends)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in ends:
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(LOOPBACK, self.target)

    async def _pass_on(
        self, way: Way, source: asyncio.StreamReader, sink: asyncio.StreamWriter, ends: Sequence[asyncio.StreamWriter]
    ) -> None:
        left: int | None = None
        with suppress(OSError):
            while data := await source.read(CHUNK_BYTES):
                await self._while_silent(way, source)
                if way == "answers" and left is None and self.cuts:
                    left = self.cuts.popleft()
                if left is not None:
                    if len(data) > left:
                        await self._break_off(data[:left], sink, ends)
                        return
                    left -= len(data)
                await self._write(data, sink)

    async def _while_silent(self, way: Way, source: asyncio.StreamReader) -> None:
        if self.silent != way:
            return
        self.fired["silent"] += 1
        has_gone = False
        try:
            while self.silent == way:
                await asyncio.sleep(LOOK_S)
                if not has_gone and (source.at_eof() or source.exception() is not None):
                    has_gone = True
                    self.fired["given up"] += 1
        except asyncio.CancelledError:  # who waits for these answers has gone
            self.fired["given up"] += 1
            raise

    async def _break_off(self, said: bytes, sink: asyncio.StreamWriter, ends: Sequence[asyncio.StreamWriter]) -> None:
        sink.write(said)
        await sink.drain()
        await asyncio.sleep(LOOK_S)  # so that it is read before the end comes
        self.fired["reset"] += 1
        for end in ends:
            _reset(end)

    async def _write(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        size, pause_s = self.slice_bytes or len(data), self.pause_s
        for start in range(0, len(data), size):
            if pause_s:
                await asyncio.sleep(pause_s)
                self.fired["late"] += 1
            sink.write(data[start : start + size])
            await sink.drain()
        self.fired["sliced"] += len(data) > size


class Network:
    """Lines, and the thread that carries what goes over them."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._lines: list[Line] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="frail network")
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done(_end_all(self._lines))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def line(self, target: str | int, *, port: int = 0) -> Line:
        """A good line; `port` is one that is kept for it (`Ports`), 0 takes a free one."""
        made = Line(target)
        self._done(made.open(port))
        self._lines.append(made)
        return made

    def _done(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _end_all(lines: Sequence[Line]) -> None:
    for line in lines:
        line.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for one in others:
        one.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _reset(end: asyncio.StreamWriter) -> None:
    own: socket.socket | None = end.get_extra_info("socket")
    if own is not None and own.family != socket.AF_UNIX:
        with suppress(OSError):
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    end.transport.abort()
