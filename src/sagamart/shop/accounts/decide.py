"""The rules of accounts.  No reply carries a token: the HTTP layer adds what it minted once the message has committed.

Digests are compared with `==`: they are SHA-256 of secrets of 256 bits, so timing tells nothing that helps.
"""

from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from sagamart.contracts.accounts import CustomerRegistered
from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.accounts.messages import (
    ChangeProfile,
    ChangeRoles,
    CreateStaff,
    EndSession,
    RegisterCustomer,
    RotateSession,
    StartSession,
)
from sagamart.shop.accounts.records import Language, RefreshFamily, Role, User

SESSION_DAYS_MAX = 30
"""So long after logging in with the password it must be given again, however often the token was refreshed."""


class Profile(msgspec.Struct, frozen=True):
    """A user as that user and administrators see it."""

    id: str
    email: str
    name: str
    language: Language
    roles: tuple[Role, ...]
    registered_at: datetime
    version: int


class Session(msgspec.Struct, frozen=True):
    """What a log-in or a refresh has led to."""

    family_id: str
    customer_id: str
    roles: tuple[Role, ...]
    expires_at: datetime


class EmailTaken(Refusal, frozen=True):
    """An e-mail address belongs to one user."""

    title: ClassVar[str] = "Somebody has registered with this e-mail address already"


class UnknownUser(Refusal, frozen=True):
    """There is no such user."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such user"


class VersionChanged(Refusal, frozen=True):
    """The caller saw another version than there is now."""

    status: ClassVar[int] = 412
    title: ClassVar[str] = "The user has changed meanwhile"

    version: int


class OwnAdminRole(Refusal, frozen=True):
    """An administrator may not step down alone: so one always remains who can appoint others."""

    title: ClassVar[str] = "Another administrator has to take this role from you"


class SessionInvalid(Refusal, frozen=True):
    """The refresh token is unknown, spent, revoked or too old.  Which of these is nobody's business."""

    status: ClassVar[int] = 401
    title: ClassVar[str] = "Log in again"


def register(message: Message[RegisterCustomer], holder: User | None) -> Decision:
    """Become a customer, under an e-mail address that nobody else has."""
    return _admit(message, message.body, ("CUSTOMER",), holder)


def create_staff(message: Message[CreateStaff], holder: User | None) -> Decision:
    """Make an account with roles.  Staff who shop as well have CUSTOMER among theirs."""
    return _admit(message, message.body, tuple(sorted(set(message.body.roles))), holder)


def change_profile(message: ChangeProfile, user: User | None) -> Decision:
    """Change the name, the language, or both."""
    if user is None:
        return Decision(reply=UnknownUser())
    if message.expected_version not in (None, user.version):
        return Decision(reply=VersionChanged(user.version))
    name = user.name if message.name is None else message.name
    language = user.language if message.language is None else message.language
    if (name, language) == (user.name, user.language):
        return Decision(reply=Reply(200, profile(user)))

    after = msgspec.structs.replace(user, version=user.version + 1, name=name, language=language)
    return Decision(save=[after], reply=Reply(200, profile(after)))


def change_roles(message: ChangeRoles, user: User | None) -> Decision:
    """Give and take roles.  They are in force with the user's next access token."""
    if user is None:
        return Decision(reply=UnknownUser())
    if message.expected_version != user.version:
        return Decision(reply=VersionChanged(user.version))
    if message.by == user.customer_id and "ADMIN" not in message.roles:
        return Decision(reply=OwnAdminRole())
    roles = tuple(sorted(set(message.roles)))
    if roles == user.roles:
        return Decision(reply=Reply(200, profile(user)))

    after = msgspec.structs.replace(user, version=user.version + 1, roles=roles)
    became_customer = "CUSTOMER" in roles and "CUSTOMER" not in user.roles
    return Decision(
        save=[after],
        send=[CustomerRegistered(after.customer_id, after.version)] if became_customer else (),
        reply=Reply(200, profile(after)),
    )


def start_session(message: Message[StartSession], user: User | None) -> Decision:
    """The password was right: the first token of a new family is good."""
    if user is None:
        return Decision(reply=SessionInvalid())
    body = message.body
    expires_at = message.at + timedelta(days=SESSION_DAYS_MAX)
    family = RefreshFamily(1, body.family_id, body.customer_id, body.family_hash, body.token_hash, 1, expires_at)
    return Decision(save=[family], reply=Reply(201, _session(family, user)))


def rotate_session(message: Message[RotateSession], family: RefreshFamily | None, user: User | None) -> Decision:
    """Spend the present token for the next.

    A spent token that is shown again was stolen, from the customer or by the customer's side: the family ends for
    both holders (RFC 9700, 4.14.2).  A token with the wrong family secret is forged and ends nothing.
    """
    body = message.body
    if family is None or user is None or family.family_hash != body.family_hash:
        return Decision(reply=SessionInvalid())
    if family.revoked_for is not None or family.expires_at <= message.at:
        return Decision(reply=SessionInvalid())
    if family.token_hash != body.token_hash:
        return Decision(save=[family.revoked("token_reused")], reply=SessionInvalid())

    after = family.rotated(body.next_token_hash)
    return Decision(save=[after], reply=Reply(200, _session(after, user)))


def end_session(message: EndSession, family: RefreshFamily | None) -> Decision:
    """Log out.  The answer is the same whether there was a session or not (RFC 7009, 2.2)."""
    if family is None or family.family_hash != message.family_hash or family.revoked_for is not None:
        return Decision(reply=Reply(204))
    return Decision(save=[family.revoked("logged_out")], reply=Reply(204))


def profile(user: User) -> Profile:
    """A user without the password's hash."""
    return Profile(user.customer_id, user.email, user.name, user.language, user.roles, user.registered_at, user.version)


def _admit(
    message: Message[RegisterCustomer] | Message[CreateStaff],
    body: RegisterCustomer,
    roles: tuple[Role, ...],
    holder: User | None,
) -> Decision:
    if holder is not None:
        return Decision(reply=EmailTaken())
    user = User(1, body.customer_id, body.email, body.password_hash, body.name, body.language, roles, message.at)
    return Decision(
        save=[user],
        send=[CustomerRegistered(user.customer_id, 1)] if "CUSTOMER" in roles else (),
        reply=Reply(201, profile(user), "/v1/me"),
    )


def _session(family: RefreshFamily, user: User) -> Session:
    return Session(family.family_id, family.customer_id, user.roles, family.expires_at)
