"""The rows that accounts owns."""

from datetime import datetime
from typing import Literal

import msgspec

from sagamart.messaging.records import Entry, Record, Table

Role = Literal["CUSTOMER", "OPERATOR", "STOCK_OPERATOR", "SHIPPING_OPERATOR", "ADMIN"]

Language = Literal["en", "ru"]


NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FnYW1hcnQtbm9ib2R5IQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""No password has this hash; finding that out takes as long as for any other."""


class User(Record, frozen=True):
    """A person who can log in.  `email` is lower-cased; `password_hash` is argon2id in its encoded form.

    `epoch` counts what ends all log-ins at once: a family of an earlier one is good no more.  `new_email` waits to be
    confirmed by the token of `new_email_token`, and by no earlier one.  Whoever was erased keeps the id, for ledgers
    and journals, and nothing else.
    """

    customer_id: str
    email: str
    password_hash: str
    name: str
    language: Language
    roles: tuple[Role, ...]
    registered_at: datetime
    epoch: int = 0
    email_confirmed_at: datetime | None = None
    letter_asked_at: datetime | None = None
    erased_at: datetime | None = None
    new_email: str | None = None
    new_email_token: str | None = None

    def with_password(self, password_hash: str) -> "User":
        """The same with another password: every log-in ends, and so does what was asked for with the former one."""
        return msgspec.structs.replace(
            self,
            version=self.version + 1,
            password_hash=password_hash,
            epoch=self.epoch + 1,
            new_email=None,
            new_email_token=None,
        )


RevokedFor = Literal["logged_out", "token_reused"]


class RefreshFamily(Record, frozen=True):
    """One log-in and all refresh tokens that follow from it; exactly one of them, the latest, is good.

    A token has two secrets, kept as SHA-256 only: one is common to the family, so that a spent token can be told from
    a forged one; the other is new in each `generation`.
    """

    family_id: str
    customer_id: str
    family_hash: str
    token_hash: str
    generation: int
    expires_at: datetime
    revoked_for: RevokedFor | None = None
    epoch: int = 0

    def rotated(self, token_hash: str) -> "RefreshFamily":
        """The next generation."""
        return msgspec.structs.replace(
            self, version=self.version + 1, generation=self.generation + 1, token_hash=token_hash
        )

    def revoked(self, reason: RevokedFor) -> "RefreshFamily":
        """The same family, none of its tokens good any more."""
        return msgspec.structs.replace(self, version=self.version + 1, revoked_for=reason)

    def of_epoch(self, epoch: int) -> "RefreshFamily":
        """The same log-in, good in this epoch of its user."""
        return msgspec.structs.replace(self, version=self.version + 1, epoch=epoch)


Purpose = Literal["confirmation", "password_reset", "email_change"]


class OneTimeToken(Record, frozen=True):
    """Leave to do one thing once.  Its text is the id under a seal, so that nothing secret is kept.

    One with an `epoch` is good as long as its user has that one: a link to choose a password ends with the password and
    the address that it was asked for with.
    """

    token_id: str
    customer_id: str
    purpose: Purpose
    expires_at: datetime
    used_at: datetime | None = None
    epoch: int | None = None


class Address(msgspec.Struct, frozen=True):
    """Where parcels go.  `country` is ISO 3166-1 alpha-2."""

    id: str
    recipient: str
    phone: str
    country: str
    postal_code: str
    city: str
    street: str
    default: bool = False


class AddressBook(Record, frozen=True):
    """All addresses of a customer; one of them, if there are any, is the default."""

    customer_id: str
    addresses: tuple[Address, ...] = ()


class Administrators(Record, frozen=True):
    """Who may appoint others, as one record: two who remove each other at once cannot leave the shop without any."""

    name: str
    ids: tuple[str, ...] = ()


ADMINISTRATORS_NAME = "administrators"


class RoleChange(Entry, frozen=True):
    """Who gave or took which roles, and when.  `by` is a user, or the command line."""

    change_id: str
    customer_id: str
    by: str
    before: tuple[Role, ...]
    after: tuple[Role, ...]
    at: datetime


MachineRole = Literal["OPERATOR", "STOCK_OPERATOR", "SHIPPING_OPERATOR"]


class Machine(Record, frozen=True):
    """A program that logs in by itself (a client of OAuth 2.0).  Of its secret, 256 random bits, SHA-256 is kept."""

    client_id: str
    name: str
    secret_hash: str
    roles: tuple[MachineRole, ...]
    made_by: str
    made_at: datetime
    revoked_at: datetime | None = None


class FailedLogIns(Record, frozen=True):
    """How far an account or a client has used up its failures: the moment at which all are forgiven (GCRA).

    `origin` is a digest: it tells neither the e-mail address nor the network address.
    """

    origin: str
    forgiven_at: datetime


ADDRESS_BOOKS = Table(AddressBook, "address_books", key="customer_id")
ADMINISTRATORS = Table(Administrators, "administrators", key="name")
FAILED_LOG_INS = Table(FailedLogIns, "failed_log_ins", key="origin", expires="forgiven_at")
MACHINES = Table(Machine, "machines", key="client_id")
ONE_TIME_TOKENS = Table(OneTimeToken, "one_time_tokens", key="token_id", expires="expires_at")
REFRESH_FAMILIES = Table(RefreshFamily, "refresh_families", key="family_id", expires="expires_at")
ROLE_CHANGES = Table(RoleChange, "role_changes", key="change_id")
USERS = Table(User, "users", key="customer_id", unique=("email",))
