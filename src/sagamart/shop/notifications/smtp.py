"""Handing one letter to a mail server, step by step, so that what is unknown can be told from what was refused.

Rules:
- Until the letter itself is under way, nothing has been sent: any failure there may be tried again.
- Once it is, silence means that nobody knows: a server may have taken it and died before it said so (RFC 5321,
  4.5.3.2.6).
- No error repeats what a server said: that may hold an address.
"""

import asyncio
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from sagamart.shop.notifications.settings import EmailSection

GREETING_S_MAX = 8.0
LETTER_S_MAX = 8.0
"""The waits for a server's greeting and its answers, and for its answer to a letter."""

PERMANENT = range(500, 600)


class LetterRefusedError(Exception):
    """The server will never take this letter for this address."""


class LetterNotSentError(Exception):
    """The server did not take the letter now."""


class LetterUnknownError(Exception):
    """The server fell silent while it had the letter."""


class MailServer:
    """A mail server, called once a letter."""

    def __init__(self, section: EmailSection) -> None:
        self._section = section

    async def send(self, letter: EmailMessage) -> None:
        """Hand over a letter.  Raises LetterRefusedError, LetterNotSentError, LetterUnknownError."""
        section = self._section
        client = SMTP(
            hostname=section.host,
            port=section.port,
            username=section.user or None,
            password=section.password or None,
            use_tls=section.tls == "tls",
            start_tls=section.tls == "starttls",
            local_hostname="localhost" if section.host in ("127.0.0.1", "localhost") else None,
            timeout=GREETING_S_MAX,
        )
        try:
            await self._announce(client, letter)
            await self._hand_over(client, letter)
        finally:
            client.close()

    async def _announce(self, client: SMTP, letter: EmailMessage) -> None:
        try:
            async with asyncio.timeout(GREETING_S_MAX):
                await client.connect()
                await client.mail(self._section.sender)
        except (SMTPException, OSError, TimeoutError) as error:
            raise LetterNotSentError(_told(error)) from None  # who may not log in, or be the sender, may later
        try:
            async with asyncio.timeout(GREETING_S_MAX):
                await client.rcpt(str(letter["To"]))
        except (SMTPException, OSError, TimeoutError) as error:
            raise _refusal(error) from None

    async def _hand_over(self, client: SMTP, letter: EmailMessage) -> None:
        try:
            async with asyncio.timeout(LETTER_S_MAX):
                await client.data(letter.as_bytes(policy=SMTP_LINES))
        except SMTPResponseException as error:
            raise _refusal(error) from None
        except (SMTPException, OSError, TimeoutError) as error:
            raise LetterUnknownError(_told(error)) from None


def _refusal(error: Exception) -> LetterRefusedError | LetterNotSentError:
    if isinstance(error, SMTPResponseException) and error.code in PERMANENT:
        return LetterRefusedError(_told(error))
    return LetterNotSentError(_told(error))


def _told(error: Exception) -> str:
    """What may be logged and kept of an error: its code or its name."""
    return f"smtp_{error.code}" if isinstance(error, SMTPResponseException) else type(error).__name__
