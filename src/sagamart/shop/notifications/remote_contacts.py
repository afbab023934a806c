"""Accounts in another process, as letters see it: asked at its internal listener, for one letter at a time."""

from collections.abc import Callable, Sequence
from urllib.parse import quote

import msgspec

from sagamart.contracts.accounts import CONTACTS_PATH, LETTER_TOKENS_PATH, Contact
from sagamart.platform.http_client import Address, Connection, ConnectionBrokenError

ANSWER_BYTES_MAX = 65_536
FOUND, NOT_FOUND = 200, 404


class AccountsSilentError(Exception):
    """Nobody at accounts' addresses answers as it should: whoever asks may ask again."""


class RemoteContacts:
    """Contacts over HTTP.  `sign` gives the service token that is shown."""

    def __init__(self, addresses: Sequence[Address], sign: Callable[[], str]) -> None:
        self._addresses = addresses
        self._sign = sign

    async def contact(self, customer_id: str) -> Contact | None:
        """How to write to this customer.  Raises AccountsSilentError."""
        found = await self._ask(CONTACTS_PATH + quote(customer_id, safe=""))
        return None if found is None else msgspec.json.decode(found, type=Contact)

    async def token(self, token_id: str) -> str | None:
        """What a one-time link holds.  Raises AccountsSilentError."""
        found = await self._ask(LETTER_TOKENS_PATH + quote(token_id, safe=""))
        return None if found is None else msgspec.json.decode(found, type=str)

    async def _ask(self, path: str) -> bytes | None:
        trouble = "nobody says where accounts is"
        for address in self._addresses:
            try:
                return await self._ask_at(address, path)
            except (ConnectionBrokenError, AccountsSilentError) as error:
                trouble = str(error)
        raise AccountsSilentError(trouble)

    async def _ask_at(self, address: Address, path: str) -> bytes | None:
        connection = await Connection.open(address)
        try:
            answer = await connection.send("GET", path, ((b"authorization", f"Bearer {self._sign()}".encode()),))
            body = await connection.body(answer, ANSWER_BYTES_MAX)
        finally:
            connection.close()
        if answer.status == NOT_FOUND:
            return None
        if answer.status != FOUND:
            raise AccountsSilentError(f"{address.authority} says {answer.status}")
        return body
