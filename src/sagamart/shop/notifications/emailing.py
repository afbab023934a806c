"""E-mail as a destination outside: whom to, in which language, and what came of it.

The address and the link's token are asked for when the letter goes out, and kept nowhere.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from sagamart.contracts.accounts import Contacts
from sagamart.messaging.message import Body, Message
from sagamart.messaging.outside import Outside
from sagamart.shop.notifications.letters import letter, link_of
from sagamart.shop.notifications.messages import EmailRequested, MessageNotSent, MessageSent, SendingUnknown
from sagamart.shop.notifications.settings import EmailSection
from sagamart.shop.notifications.smtp import LetterRefusedError, LetterUnknownError, MailServer

EMAIL_S_MAX = 26.0
"""A letter's whole call: a server's greeting, its answers, the letter, and the question for the address."""


class Mailing(msgspec.Struct, frozen=True):
    """The shop's e-mail: the call that the outside machinery makes for each letter."""

    section: EmailSection
    server: MailServer
    contacts: Contacts
    clock: Callable[[], datetime]

    async def call(self, message: Message[EmailRequested]) -> Body:
        """Send one letter and say what came of it.  Raises what may be tried again, until it is given up."""
        asked = message.body
        try:
            return await self._send(message)
        except LetterRefusedError as refused:
            return MessageNotSent(asked.dispatch_id, str(refused))
        except LetterUnknownError:
            return SendingUnknown(asked.dispatch_id, asked.customer_id, asked.kind, asked.facts)
        except Exception:
            if (self.clock() - message.at).total_seconds() >= self.section.give_up_s:
                return MessageNotSent(asked.dispatch_id, "given_up")
            raise

    async def _send(self, message: Message[EmailRequested]) -> Body:
        asked = message.body
        if not self.section.host:
            return MessageNotSent(asked.dispatch_id, "no_email_configured")
        contact = await self.contacts.contact(asked.customer_id)
        if contact is None:
            return MessageNotSent(asked.dispatch_id, "no_such_customer")
        if asked.kind == "email_change":
            if contact.new_email is None:
                return MessageNotSent(asked.dispatch_id, "link_not_good_any_more")
            contact = msgspec.structs.replace(contact, email=contact.new_email)
        link = None
        if asked.facts.token_id is not None:
            token = await self.contacts.token(asked.facts.token_id)
            if token is None:
                return MessageNotSent(asked.dispatch_id, "link_not_good_any_more")
            link = link_of(asked.kind, self.section.pages, token)
        await self.server.send(letter(message, contact, self.section.sender, link))
        return MessageSent(asked.dispatch_id)


def email(section: EmailSection, contacts: Contacts, clock: Callable[[], datetime] | None = None) -> Outside:
    """E-mail by the mail server of these settings."""
    mailing = Mailing(section, MailServer(section), contacts, clock or _now)
    calls: dict[type[Body], Any] = {EmailRequested: mailing.call}
    return Outside(name="email", calls=calls, deadline_s=EMAIL_S_MAX)


def _now() -> datetime:
    return datetime.now(UTC)
