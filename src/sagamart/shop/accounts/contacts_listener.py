"""How accounts answers other processes that write to people, on the internal listener, beside the messages.

    GET /internal/contacts/<customer>       a Contact, or 404
    GET /internal/letter-tokens/<token>     what a one-time link holds, or 404

Only notifications may ask, with a service token of its own: what is answered here is personal, and opens accounts.
"""

from typing import Any

import msgspec

from sagamart.contracts.accounts import CONTACTS_PATH, LETTER_TOKENS_PATH, Contacts
from sagamart.platform.http.problems import PROBLEM_JSON, NotFound, Problem
from sagamart.platform.internal.listener import send_answer, source_of
from sagamart.platform.internal.service_tokens import ServiceTokens

ME = "accounts"
MAY_ASK = frozenset({"notifications"})
NOT_KEPT = {"Cache-Control": "no-store"}

_encode = msgspec.json.Encoder().encode


class ContactsListener:
    """The ASGI application: contacts are answered here, all else is `others`'."""

    def __init__(self, others: Any, contacts: Contacts, tokens: ServiceTokens) -> None:
        self._others = others
        self._contacts = contacts
        self._tokens = tokens

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith((CONTACTS_PATH, LETTER_TOKENS_PATH)):
            await self._others(scope, receive, send)
            return
        try:
            found = await self._answer(scope)
        except Problem as problem:
            await send_answer(send, problem.status, problem.content, PROBLEM_JSON, {**problem.headers, **NOT_KEPT})
        else:
            await send_answer(send, 200, found, "application/json", NOT_KEPT)

    async def _answer(self, scope: Any) -> bytes:
        source = source_of(scope["headers"], ME, self._tokens)
        if source not in MAY_ASK:
            raise Problem(403, "forbidden", f"{source} writes to nobody")
        if scope["method"] != "GET":
            raise Problem(405, "method_not_allowed", "Contacts are read", headers={"Allow": "GET"})
        path: str = scope["path"]
        if path.startswith(CONTACTS_PATH):
            contact = await self._contacts.contact(path.removeprefix(CONTACTS_PATH))
            found = None if contact is None else _encode(contact)
        else:
            token = await self._contacts.token(path.removeprefix(LETTER_TOKENS_PATH))
            found = None if token is None else _encode(token)
        if found is None:
            raise NotFound("There is none")
        return found
