"""How to write to somebody, for who sends letters: accounts' answer to `contracts.accounts.Contacts` within a process.

A one-time token's text is made here, each time the same, from the token's id and the key that signs access tokens: it
is nowhere kept, and neither messages nor backups hold it.
"""

import re

from sagamart.contracts.accounts import Contact
from sagamart.platform.http import Queries
from sagamart.platform.tokens import Tokens

ONE_TIME_TOKEN_CHARACTERS_MAX = 200
_FORM = re.compile(r"(?P<token_id>tok_[0-9a-f]{32})\.(?P<seal>[\w-]{86})", re.ASCII)


class AccountContacts:
    """Contacts out of accounts' own database."""

    def __init__(self, queries: Queries, tokens: Tokens) -> None:
        self._queries = queries
        self._tokens = tokens

    async def contact(self, customer_id: str) -> Contact | None:
        """How to write to this customer; None for who does not exist or was erased."""
        return await contact_of(self._queries, customer_id)

    async def token(self, token_id: str) -> str | None:
        """What the one-time link holds; None for a token that is not good any more."""
        found = await self._queries.token_of(token_id=token_id)
        return None if found is None else f"{token_id}.{self._tokens.seal(_sealed(token_id))}"


async def contact_of(queries: Queries, customer_id: str) -> Contact | None:
    """How to write to this customer; None for who does not exist or was erased."""
    found = await queries.user_of(customer_id=customer_id)
    if found is None:
        return None
    confirmed, new_email = found["email_confirmed"], found["new_email"]
    return Contact(found["id"], found["email"], found["name"], found["language"], confirmed, new_email)


def token_id_in(text: str, tokens: Tokens) -> str | None:
    """The id in a token's text, or None where the seal is not ours."""
    form = _FORM.fullmatch(text)
    return form["token_id"] if form and tokens.is_sealed(_sealed(form["token_id"]), form["seal"]) else None


def _sealed(token_id: str) -> str:
    return f"one-time token {token_id}"
