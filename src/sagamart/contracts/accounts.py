"""What accounts tells, and what may be asked of it.  Messages carry ids only: no names, no e-mail addresses, no tokens.

Whoever writes to a customer asks for the address when the letter goes out, through `Contacts`.
"""

from typing import Literal, Protocol

import msgspec

from sagamart.messaging.message import Body


class CustomerFact(Body, frozen=True):
    """Something about one customer, as of `version` of the account."""

    customer_id: str
    version: int

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id


class CustomerRegistered(CustomerFact, frozen=True):
    """Somebody has become a customer."""


class CustomerErased(CustomerFact, frozen=True):
    """Somebody wants to be forgotten: whoever keeps personal data of this customer erases it; ledgers keep the id."""


class PasswordChanged(CustomerFact, frozen=True):
    """Somebody has another password.  Whoever it was, the account's owner is told."""


class EmailChangeAnnounced(CustomerFact, frozen=True):
    """Somebody who knows the password wants the account at another e-mail address: the present one is told."""


class LetterRequested(Body, frozen=True):
    """A letter with a one-time link shall go out.  `token_id` names the token; `Contacts` gives its text."""

    customer_id: str
    token_id: str

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id


class EmailConfirmationRequested(LetterRequested, frozen=True):
    """Ask the customer to confirm the e-mail address."""


class PasswordResetRequested(LetterRequested, frozen=True):
    """Send the customer a link to choose a new password."""


class EmailChangeRequested(LetterRequested, frozen=True):
    """Ask at the address that the account shall move to whether it is the customer's: `Contact.new_email`."""


class PersonalPart(msgspec.Struct, frozen=True):
    """Where a customer gets, with the own access token, what a service keeps of it besides accounts."""

    service: str
    href: str
    holds: str


PERSONAL_PARTS: tuple[PersonalPart, ...] = (
    PersonalPart("orders", "/v1/orders", "orders: lines, delivery addresses, payments, promo codes, returns"),
    PersonalPart("orders", "/v1/basket", "the basket"),
    PersonalPart("shipping", "/v1/shipments", "shipments: addresses, carriers, tracking numbers"),
    PersonalPart("notifications", "/v1/notifications", "messages and how they went out"),
    PersonalPart("notifications", "/v1/notifications/preferences", "channels, and the number for SMS"),
    PersonalPart("payments", "/v1/payments", "payments through the bank, and top-ups"),
    PersonalPart("wallet", "/v1/wallet", "the wallet's balance"),
    PersonalPart("wallet", "/v1/wallet/entries", "what moved in the wallet"),
    PersonalPart("timeline", "/v1/orders/{order_id}/timeline", "what was said about an order, without its address"),
)
"""Every service that keeps rows of a customer is named; promotions counts codes by id, and the orders name them."""


CONTACTS_PATH = "/internal/contacts/"
LETTER_TOKENS_PATH = "/internal/letter-tokens/"
"""Where accounts answers other processes, on its internal listener: a customer's or a token's id follows."""


class Contact(msgspec.Struct, frozen=True):
    """How to write to somebody.  It is fetched for one letter and kept nowhere.

    `new_email` is an address that waits to be confirmed: only the letter that asks for that goes there.
    """

    customer_id: str
    email: str
    name: str
    language: Literal["en", "ru"]
    email_confirmed: bool
    new_email: str | None = None

    def __repr__(self) -> str:
        return f"Contact({self.customer_id})"  # representations end in logs


class Contacts(Protocol):
    """Who answers for accounts: its queries within the process, its internal HTTP interface between processes."""

    async def contact(self, customer_id: str) -> Contact | None:
        """How to write to this customer; None for who does not exist or was erased."""

    async def token(self, token_id: str) -> str | None:
        """What the one-time link of a letter holds, the same each time; None for a token that is not good any more."""
