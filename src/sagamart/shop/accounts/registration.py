"""Registration: from what somebody typed to a command that carries no password.

An e-mail address is kept in lower case and in ASCII (an international domain comes as `xn--…`), so that code and
database agree on what lower case is.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec

from sagamart.platform.http import Problem, RequestBody
from sagamart.shop.accounts.messages import CreateStaff, RegisterCustomer
from sagamart.shop.accounts.passwords import (
    PASSWORD_CHARACTERS_MAX,
    PASSWORD_CHARACTERS_MIN,
    Passwords,
    is_guessable,
)
from sagamart.shop.accounts.records import Language, Role

EMAIL_CHARACTERS_MAX = 254
NAME_CHARACTERS_MAX = 100

# `$(?!\n)`, since `$` alone lets a newline follow in Python; JSON Schema has no other word for the end.
Email = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[!-?A-~]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}$(?!\n)",
        max_length=EMAIL_CHARACTERS_MAX,
        examples=["ann@example.com"],
    ),
]
Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", min_length=1, max_length=NAME_CHARACTERS_MAX, examples=["Ann Lee"]
    ),
]


Password = Annotated[
    str,
    msgspec.Meta(
        min_length=PASSWORD_CHARACTERS_MIN, max_length=PASSWORD_CHARACTERS_MAX, examples=["otter counts nine reeds"]
    ),
]


class NewCustomer(RequestBody, frozen=True):
    """Somebody who registers.  Without a language the one that the client reads is taken."""

    email: Email
    password: Password
    name: Name
    language: Language | None = None

    def __repr__(self) -> str:
        return "NewCustomer()"  # it holds a password, and representations end in logs


def customer_id(message_id: str) -> str:
    """The id of the user that a message makes."""
    return "cus_" + message_id.replace("-", "")


async def registration(
    data: NewCustomer, passwords: Passwords, language: Language
) -> Callable[[str], RegisterCustomer]:
    """What makes the command from its message's id.

    Raises Problem `password_guessable` (400), Overloaded when too many passwords are being hashed.
    """
    password_hash = await password_hash_of(data.password, data.email, passwords)
    return lambda message_id: RegisterCustomer(
        customer_id(message_id), data.email.lower(), password_hash, data.name, data.language or language
    )


async def staff_registration(
    data: NewCustomer, roles: Sequence[Role], passwords: Passwords
) -> Callable[[str], CreateStaff]:
    """The same for somebody who gets these roles at once: how the first administrator is made.

    Raises Problem `password_guessable` (400).
    """
    password_hash = await password_hash_of(data.password, data.email, passwords)
    return lambda message_id: CreateStaff(
        customer_id(message_id), data.email.lower(), password_hash, data.name, data.language or "en", tuple(roles)
    )


async def password_hash_of(password: str, email: str, passwords: Passwords) -> str:
    """The password's hash.  Raises Problem `password_guessable` (400), Overloaded."""
    if is_guessable(password, email):
        raise Problem(400, "password_guessable", "This password is among the first that anybody would try")
    return await passwords.hash(password)
