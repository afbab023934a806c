"""Access tokens of an OpenID provider, beside our own (RFC 9068, OpenID Connect Core).

Rules:
- `iss` says whose token it is; one of the provider's is never tried with our keys, nor one of ours with the provider's.
- The algorithm is that of the key that `kid` names.  A header that brings a key, or says what must be understood
  (`crit`), is refused.
- `iss`, `aud`, `exp` and `sub` are required; one of the token's audiences must be one of ours.
- The provider's roles mean nothing here but for what the settings make of them.
- Somebody's id is derived from issuer and subject: the same for ever, in every process, and no two share one.
- A token is verified again after `FRESH_S`: what a key had signed that the provider has dropped is refused twice that
  time later at most.
"""

import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import jwt
from jwt.types import Options

from sagamart.platform.openid_keys import FRESH_S, ProviderKeys, is_file, keys_in, reader_of
from sagamart.platform.settings import OpenIdSettings
from sagamart.platform.tokens import Caller, KeysAwayError, KeysWantedError, TokenRefusedError, check_times

SUBJECT_CHARS_MAX = 255
ROLES_MAX = 1_000
TYPES = frozenset(("at+jwt", "application/at+jwt", "jwt"))
_BRINGS = frozenset(("jwk", "jku", "x5c", "x5u", "crit"))

# Times are compared with the object's own clock, in `check_times`.
_CHECKS: Options = {
    "require": ["iss", "aud", "sub", "exp"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class OpenIdProvider:
    """Verifies the tokens of one provider."""

    def __init__(self, settings: OpenIdSettings, keys: ProviderKeys, *, now: Callable[[], float] = time.time) -> None:
        """`now` is in seconds since 1970."""
        self.issuer = settings.issuer
        self._keys = keys
        self._audiences = list(settings.audiences)
        self._roles_claim = settings.roles_claim
        self._roles = {theirs: ours for theirs, _, ours in (pair.rpartition("=") for pair in settings.roles)}
        self._now = now

    @classmethod
    def of(cls, settings: OpenIdSettings) -> Self:
        """The provider of these settings; a file of keys is looked at now.

        Raises OSError, and ValueError for settings by which no token could be verified.
        """
        if not settings.jwks or not settings.audiences:
            raise ValueError("set SAGAMART_OPENID_JWKS and SAGAMART_OPENID_AUDIENCES too")
        if is_file(settings.jwks):
            keys_in(Path(settings.jwks).read_bytes(), settings.algorithms)
        return cls(settings, ProviderKeys(reader_of(settings.jwks), settings.algorithms))

    def verify(self, token: str) -> tuple[Caller, int]:
        """Who this token speaks for, and until when that may be remembered (seconds since 1970).

        Raises KeysWantedError where its key should be read first, KeysAwayError, TokenRefusedError.
        """
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        if not isinstance(kid, str) or _BRINGS & set(header) or str(header.get("typ", "JWT")).lower() not in TYPES:
            raise TokenRefusedError("the header is not one of the provider's")
        if self._keys.should_be_read(kid):
            raise KeysWantedError(self._keys.read)
        if self._keys.are_away:
            raise KeysAwayError
        key = self._keys.get(kid)
        if key is None:
            raise TokenRefusedError("signed with a key that is not the provider's")
        claims = jwt.decode(
            token,
            key.public,
            algorithms=[key.algorithm],
            issuer=self.issuer,
            audience=self._audiences,
            options=_CHECKS,
        )
        now = self._now()
        check_times(claims, now)
        return self._caller(claims), min(claims["exp"], int(now + FRESH_S))

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        subject = claims["sub"]
        if not subject or len(subject) > SUBJECT_CHARS_MAX:
            raise TokenRefusedError("the subject is empty or too long")
        theirs = _names(_claim(claims, self._roles_claim))
        ours = frozenset(self._roles[role] for role in theirs if role in self._roles)
        return Caller(customer_id(self.issuer, subject), ours)


def customer_id(issuer: str, subject: str) -> str:
    """The id that this subject of a provider has here."""
    return "cus_" + sha256(f"{issuer}\0{subject}".encode()).hexdigest()[:32]


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, which may have dots in it, or by the way to it (`realm_access.roles`)."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _names(value: Any) -> list[str]:
    """Roles as providers write them: a list, or words with spaces between; nothing is none."""
    names = value.split() if isinstance(value, str) else value or []
    if not isinstance(names, list) or len(names) > ROLES_MAX or not all(isinstance(name, str) for name in names):
        raise TokenRefusedError("roles are not a list of names")
    return names
