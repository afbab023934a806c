"""SMS as a destination outside: a gateway that takes signed JSON, `{"id", "to", "text"}`, once an `id`.

The number and the language are asked for when the message goes out.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from sagamart.contracts.accounts import Contacts
from sagamart.messaging.message import Body, Message
from sagamart.messaging.outside import Outside
from sagamart.platform.authorities import trusted
from sagamart.platform.http import Queries
from sagamart.shop.notifications.messages import MessageNotSent, MessageSent, SmsRequested
from sagamart.shop.notifications.settings import SmsSection
from sagamart.shop.notifications.signing import signed_headers
from sagamart.shop.notifications.words import words

ANSWER_S_MAX = 8.0
REFUSED = frozenset((400, 404, 410, 413, 422))
"""Statuses by which a gateway says that it will never take this message."""


class GatewayError(Exception):
    """The gateway did not take the message now; the status that it answered with."""


class Texting(msgspec.Struct, frozen=True):
    """The shop's SMS: the call that the outside machinery makes for each."""

    section: SmsSection
    client: httpx.AsyncClient
    queries: Queries
    contacts: Contacts
    clock: Callable[[], datetime]

    async def call(self, message: Message[SmsRequested]) -> Body:
        """Send one SMS and say what came of it.  Raises what may be tried again, until it is given up."""
        try:
            return await self._send(message)
        except Exception:
            if (self.clock() - message.at).total_seconds() >= self.section.give_up_s:
                return MessageNotSent(message.body.dispatch_id, "given_up")
            raise

    async def _send(self, message: Message[SmsRequested]) -> Body:
        asked = message.body
        if not self.section.url:
            return MessageNotSent(asked.dispatch_id, "no_sms_configured")
        preferences = await self.queries.preferences_of(customer_id=asked.customer_id)
        contact = await self.contacts.contact(asked.customer_id)
        if contact is None or preferences is None or preferences["phone"] is None:
            return MessageNotSent(asked.dispatch_id, "no_number")
        said = words(asked.kind, asked.facts, contact.language)
        body = msgspec.json.encode({"id": asked.dispatch_id, "to": preferences["phone"], "text": said.text})
        headers = signed_headers([self.section.secret], asked.dispatch_id, int(self.clock().timestamp()), body)
        answer = await self.client.post(self.section.url, content=body, headers=headers)
        if answer.is_success:
            return MessageSent(asked.dispatch_id)
        if answer.status_code in REFUSED:
            return MessageNotSent(asked.dispatch_id, f"gateway_{answer.status_code}")
        raise GatewayError(answer.status_code)


def sms(
    section: SmsSection, queries: Queries, contacts: Contacts, clock: Callable[[], datetime] | None = None
) -> Outside:
    """SMS by the gateway of these settings."""
    client = httpx.AsyncClient(timeout=ANSWER_S_MAX, follow_redirects=False, trust_env=False, verify=trusted())
    texting = Texting(section, client, queries, contacts, clock or _now)
    calls: dict[type[Body], Any] = {SmsRequested: texting.call}
    return Outside(name="sms", calls=calls, close=client.aclose)


def _now() -> datetime:
    return datetime.now(UTC)
