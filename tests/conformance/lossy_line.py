"""A line to PostgreSQL that can be cut at the worst moment: a question has been carried out, its answer is lost.

line = LossyLine("postgresql://me@/shop?host=/run/postgresql")
await line.open()
await asyncpg.connect(line.dsn)
line.loses_answer_to = b"commit"       # the next question with these bytes in it
"""

import asyncio
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

CHUNK_BYTES = 65_536
SOCKET = ".s.PGSQL.5432"
READY = b"Z\0\0\0\5I"
"""ReadyForQuery outside a transaction: what was asked for is committed (PostgreSQL's documentation, 54.7)."""


class LossyLine:
    """Between clients and a server on Unix sockets."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        self._server = Path(parse_qs(parts.query)["host"][0]) / SOCKET
        self._folder = Path(tempfile.mkdtemp(prefix="sagamart-test-"))
        self.dsn = urlunsplit(parts._replace(query=f"host={quote(str(self._folder))}"))
        self.loses_answer_to = b""
        self.goes_silent = False
        """Whether the line stays open then, and nothing more comes out of it."""

    async def open(self) -> None:
        """Take connections."""
        self._listener = await asyncio.start_unix_server(self._carry, self._folder / SOCKET)

    async def close(self) -> None:
        """Take none any more, after clients have closed theirs."""
        self._listener.close()
        await self._listener.wait_closed()
        shutil.rmtree(self._folder)

    async def _carry(self, questions: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        answers, to_server = await asyncio.open_unix_connection(self._server)
        answering = asyncio.create_task(_pass_on(answers, to_client))
        try:
            while question := await questions.read(CHUNK_BYTES):
                is_last = self.loses_answer_to and self.loses_answer_to in question
                if is_last:
                    answering.cancel()
                    await asyncio.wait([answering])
                to_server.write(question)
                if is_last:
                    self.loses_answer_to = b""
                    await answers.readuntil(READY)
                    if self.goes_silent:
                        await questions.read()
                    break
        finally:
            answering.cancel()
            await asyncio.wait([answering])
            for writer in (to_server, to_client):
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()


async def _pass_on(answers: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
    """Until the server hangs up, and then hang up too."""
    while answer := await answers.read(CHUNK_BYTES):
        to_client.write(answer)
    to_client.close()
