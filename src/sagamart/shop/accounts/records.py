"""The rows that accounts owns."""

from datetime import datetime
from typing import Literal

import msgspec

from sagamart.messaging.records import Record, Table

Role = Literal["CUSTOMER", "OPERATOR", "STOCK_OPERATOR", "SHIPPING_OPERATOR", "ADMIN"]

Language = Literal["en", "ru"]


class User(Record, frozen=True):
    """A person who can log in.  `email` is lower-cased; `password_hash` is argon2id in its encoded form."""

    customer_id: str
    email: str
    password_hash: str
    name: str
    language: Language
    roles: tuple[Role, ...]
    registered_at: datetime


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

    def rotated(self, token_hash: str) -> "RefreshFamily":
        """The next generation."""
        return msgspec.structs.replace(
            self, version=self.version + 1, generation=self.generation + 1, token_hash=token_hash
        )

    def revoked(self, reason: RevokedFor) -> "RefreshFamily":
        """The same family, none of its tokens good any more."""
        return msgspec.structs.replace(self, version=self.version + 1, revoked_for=reason)


REFRESH_FAMILIES = Table(RefreshFamily, "refresh_families", key="family_id")
USERS = Table(User, "users", key="customer_id", unique=("email",))
