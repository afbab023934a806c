"""How to write to people, for adapters that are made before accounts is opened, or that ask it in another process."""

from sagamart.contracts.accounts import Contact, Contacts


class KnownContacts:
    """Who answers for accounts, once accounts is there: adapters are made before."""

    def __init__(self) -> None:
        self.answering: Contacts | None = None

    async def contact(self, customer_id: str) -> Contact | None:
        """How to write to this customer."""
        return await self._known().contact(customer_id)

    async def token(self, token_id: str) -> str | None:
        """What a one-time link holds."""
        return await self._known().token(token_id)

    def _known(self) -> Contacts:
        if self.answering is None:
            raise LookupError(
                "accounts, which knows the addresses, is neither in this process nor to be asked over HTTP"
            )
        return self.answering
