"""Accounts as notifications sees it: how to write to a few people, and the links that they were promised."""

from sagamart.contracts.accounts import Contact

ANN = Contact("cus_ann", "ann@example.com", "Ann <b>Lee</b>", "en", email_confirmed=True)
ANN_MOVING = Contact("cus_moving", "ann@old.example", "Ann", "en", email_confirmed=True, new_email="ann@new.example")
BORIS = Contact("cus_boris", "boris@example.com", "Борис", "ru", email_confirmed=True)


class ContactBook:
    """People and tokens by their ids."""

    def __init__(self) -> None:
        self.people = {one.customer_id: one for one in (ANN, ANN_MOVING, BORIS)}
        self.tokens = {"tok_1": "tok_1.sealed"}

    async def contact(self, customer_id: str) -> Contact | None:
        """Somebody's entry."""
        return self.people.get(customer_id)

    async def token(self, token_id: str) -> str | None:
        """A token's text."""
        return self.tokens.get(token_id)
