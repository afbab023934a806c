"""A real mail server (aiosmtpd) for tests: it takes letters, refuses them, or hangs up on them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP

SAID_MAX_S = 60


class Mailbox:
    """What the server took.  `answers` are given to the next letters, one each; None hangs up after the final dot."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: list[str | None] = []
        self.unknown_people: set[str] = set()
        self.busy = False

    async def handle_MAIL(  # noqa: N802  aiosmtpd looks for this name
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if self.busy:
            return "451 not now, ann@example.com"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  the same
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if address in self.unknown_people:
            return f"550 there is no {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802  the same
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        self.recipients += envelope.rcpt_tos
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer is None:
            cast("asyncio.Transport", server.transport).abort()
            return "421 never heard"
        return answer

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until this holds."""
        async with asyncio.timeout(SAID_MAX_S):
            while not holds():  # noqa: ASYNC110  a condition on what another party does
                await asyncio.sleep(0.02)


@asynccontextmanager
async def open_mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    """A server with an empty mailbox, and its port."""
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, enable_SMTPUTF8=False, loop=loop, hostname="mail.test"), "127.0.0.1", 0
    )
    try:
        yield mailbox, server.sockets[0].getsockname()[1]
    finally:
        server.close()
