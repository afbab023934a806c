"""The rules of accounts.  No reply carries a token: the HTTP layer adds what it minted once the message has committed.

Digests are compared with `==`: they are SHA-256 of secrets of 256 bits, so timing tells nothing that helps.
"""

from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from sagamart.contracts.accounts import CustomerRegistered, EmailConfirmationRequested
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
from sagamart.shop.accounts.one_time import confirmation_token
from sagamart.shop.accounts.records import (
    ADMINISTRATORS_NAME,
    Administrators,
    Language,
    RefreshFamily,
    Role,
    RoleChange,
    User,
)

SESSION_DAYS_MAX = 30
"""So long after logging in with the password it must be given again, however often the token was refreshed."""


class Profile(msgspec.Struct, frozen=True):
    """A user as that user and administrators see it.  `new_email` waits for its confirmation."""

    id: str
    email: str
    name: str
    language: Language
    roles: tuple[Role, ...]
    registered_at: datetime
    version: int
    email_confirmed: bool = False
    new_email: str | None = None


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


class LastAdmin(Refusal, frozen=True):
    """The shop keeps somebody who can appoint others."""

    title: ClassVar[str] = "This is the last administrator; appoint another one first"


class SessionInvalid(Refusal, frozen=True):
    """The refresh token is unknown, spent, revoked or too old.  Which of these is nobody's business."""

    status: ClassVar[int] = 401
    title: ClassVar[str] = "Log in again"


def register(message: Message[RegisterCustomer], holder: User | None) -> Decision:
    """Become a customer, under an e-mail address that nobody else has."""
    return _admit(message, message.body, ("CUSTOMER",), holder)


def create_staff(message: Message[CreateStaff], holder: User | None, admins: Administrators | None = None) -> Decision:
    """Make an account with roles.  Staff who shop as well have CUSTOMER among theirs."""
    body = message.body
    roles = tuple(sorted(set(body.roles)))
    decision = _admit(message, body, roles, holder)
    if holder is not None:
        return decision
    noted = [RoleChange(message.id, body.customer_id, message.source, (), roles, message.at)]
    listed = _listed(admins, body.customer_id, roles)
    return msgspec.structs.replace(decision, save=[*decision.save, *noted, *listed])


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


def change_roles(message: Message[ChangeRoles], user: User | None, admins: Administrators | None) -> Decision:
    """Give and take roles, and note who did.  They are in force with the user's next access token."""
    body = message.body
    if user is None:
        return Decision(reply=UnknownUser())
    if body.expected_version != user.version:
        return Decision(reply=VersionChanged(user.version))
    if body.by == user.customer_id and "ADMIN" not in body.roles:
        return Decision(reply=OwnAdminRole())
    roles = tuple(sorted(set(body.roles)))
    if roles == user.roles:
        return Decision(reply=Reply(200, profile(user)))
    if "ADMIN" not in roles and is_last(admins, user.customer_id):
        return Decision(reply=LastAdmin())

    after = msgspec.structs.replace(user, version=user.version + 1, roles=roles)
    noted = RoleChange(message.id, user.customer_id, body.by, user.roles, roles, message.at)
    became_customer = "CUSTOMER" in roles and "CUSTOMER" not in user.roles
    return Decision(
        save=[after, noted, *_listed(admins, user.customer_id, roles)],
        send=[CustomerRegistered(after.customer_id, after.version)] if became_customer else (),
        reply=Reply(200, profile(after)),
    )


def is_last(admins: Administrators | None, customer_id: str) -> bool:
    """Whether nobody else is an administrator."""
    return admins is not None and admins.ids == (customer_id,)


def _listed(admins: Administrators | None, customer_id: str, roles: tuple[Role, ...]) -> list[Administrators]:
    """The list of administrators, where these roles change it."""
    before = admins or Administrators(0, ADMINISTRATORS_NAME)
    others = tuple(one for one in before.ids if one != customer_id)
    ids = tuple(sorted((*others, customer_id))) if "ADMIN" in roles else others
    return [] if ids == before.ids else [msgspec.structs.replace(before, version=before.version + 1, ids=ids)]


def start_session(message: Message[StartSession], user: User | None) -> Decision:
    """The password was right: the first token of a new family is good, unless the password has changed since."""
    body = message.body
    if user is None or user.epoch != body.epoch:
        return Decision(reply=SessionInvalid())
    expires_at = message.at + timedelta(days=SESSION_DAYS_MAX)
    family = RefreshFamily(1, body.family_id, body.customer_id, body.family_hash, body.token_hash, 1, expires_at)
    family = msgspec.structs.replace(family, epoch=user.epoch)
    return Decision(save=[family], reply=Reply(201, _session(family, user)))


def rotate_session(message: Message[RotateSession], family: RefreshFamily | None, user: User | None) -> Decision:
    """Spend the present token for the next.

    A spent token that is shown again was stolen, from the customer or by the customer's side: the family ends for
    both holders (RFC 9700, 4.14.2).  A token with the wrong family secret is forged and ends nothing.
    """
    body = message.body
    if family is None or user is None or family.family_hash != body.family_hash:
        return Decision(reply=SessionInvalid())
    if family.revoked_for is not None or family.expires_at <= message.at or family.epoch != user.epoch:
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
    return Profile(
        user.customer_id,
        user.email,
        user.name,
        user.language,
        user.roles,
        user.registered_at,
        user.version,
        user.email_confirmed_at is not None,
        user.new_email,
    )


def _admit(
    message: Message[RegisterCustomer] | Message[CreateStaff],
    body: RegisterCustomer,
    roles: tuple[Role, ...],
    holder: User | None,
) -> Decision:
    if holder is not None:
        return Decision(reply=EmailTaken())
    user = User(1, body.customer_id, body.email, body.password_hash, body.name, body.language, roles, message.at)
    if "CUSTOMER" not in roles:
        return Decision(save=[user], reply=Reply(201, profile(user), "/v1/me"))
    token = confirmation_token(message.id, user.customer_id, message.at)
    return Decision(
        save=[user, token],
        send=[CustomerRegistered(user.customer_id, 1), EmailConfirmationRequested(user.customer_id, token.token_id)],
        reply=Reply(201, profile(user), "/v1/me"),
    )


def _session(family: RefreshFamily, user: User) -> Session:
    return Session(family.family_id, family.customer_id, user.roles, family.expires_at)
