"""Refresh tokens: what a client keeps of its log-in.

A token is `family_id.family_secret.secret`.  Both secrets are 256 random bits; the second one is new with each
rotation.  Only SHA-256 of them is ever kept: of random secrets that long it needs neither salt nor stretching.
"""

import re
import secrets
from hashlib import sha256

import msgspec

_FORM = re.compile(r"(?P<family_id>ses_[0-9a-f]{32})\.(?P<family_secret>[\w-]{43})\.(?P<secret>[\w-]{43})", re.ASCII)

FAMILY_ID_BYTES = 16
SECRET_BYTES = 32
REFRESH_TOKEN_CHARACTERS_MAX = 200


class RefreshToken(msgspec.Struct, frozen=True):
    """A token in its parts.  It shows no secret when it is printed."""

    family_id: str
    family_secret: str
    secret: str

    @property
    def text(self) -> str:
        """What the client gets."""
        return f"{self.family_id}.{self.family_secret}.{self.secret}"

    @property
    def family_hash(self) -> str:
        """The digest of what all tokens of the family share."""
        return _digest(self.family_secret)

    @property
    def token_hash(self) -> str:
        """The digest of what this token alone has."""
        return _digest(self.secret)

    def next(self) -> "RefreshToken":
        """The token that this one is spent for."""
        return msgspec.structs.replace(self, secret=secrets.token_urlsafe(SECRET_BYTES))

    def __repr__(self) -> str:
        return f"RefreshToken({self.family_id})"


def new_family() -> RefreshToken:
    """The first token of a new family."""
    return RefreshToken(
        f"ses_{secrets.token_hex(FAMILY_ID_BYTES)}",
        secrets.token_urlsafe(SECRET_BYTES),
        secrets.token_urlsafe(SECRET_BYTES),
    )


def parse(text: str) -> RefreshToken | None:
    """The token that a client has sent, or None where it is none at all."""
    form = _FORM.fullmatch(text)
    return RefreshToken(**form.groupdict()) if form else None


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
