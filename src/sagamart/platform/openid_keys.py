"""The public keys of an OpenID provider: a JSON Web Key Set (RFC 7517) in a file or at an address.

Rules:
- The set is read when a token needs it: the first time, when it is older than `FRESH_S`, and for a `kid` that is not in
  it; but no sooner than `AGAIN_S` after the last time, however many tokens ask.  All wait for the same reading.
- Where it cannot be read, the keys that are held go on for `KEPT_S`, and not longer: one of them may have been revoked.
- A key is good for one algorithm, which follows from its kind.  Secrets, private and small keys are left out.
- An address is https, or on this machine; redirects are not followed.
"""

import asyncio
import math
import ssl
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

FRESH_S = 300.0
AGAIN_S = 30.0
KEPT_S = 86_400.0
READ_S_MAX = 3.0
SET_BYTES_MAX = 262_144
KEYS_MAX = 100
RSA_BITS_MIN = 2048
LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
Read = Callable[[], Awaitable[bytes]]
"""Gives the set as it is written down.  Raises OSError, httpx.HTTPError, ValueError."""

log = structlog.get_logger("sagamart.http")


class ProviderKey(msgspec.Struct, frozen=True):
    """A key, and the one algorithm that it verifies."""

    public: PublicKey
    algorithm: str


class ProviderKeys:
    """Those of one provider."""

    def __init__(self, read: Read, algorithms: Collection[str], *, now: Callable[[], float] = time.monotonic) -> None:
        """Nothing is read yet.  `now` is in seconds and never goes back."""
        self._read = read
        self._algorithms = frozenset(algorithms)
        self._now = now
        self._held: Mapping[str, ProviderKey] = {}
        self._read_at = self._asked_at = -math.inf
        self._asking: asyncio.Task[None] | None = None

    def get(self, kid: str) -> ProviderKey | None:
        """The key of this name."""
        return None if self.are_away else self._held.get(kid)

    @property
    def are_away(self) -> bool:
        """Whether there is none to be used: none was ever read, or too long ago."""
        return self._now() - self._read_at > KEPT_S

    def should_be_read(self, kid: str) -> bool:
        """Whether `read` would help a token signed with this key."""
        now = self._now()
        wanted = kid not in self._held or now - self._read_at > FRESH_S
        return wanted and (self._asking is not None or now - self._asked_at > AGAIN_S)

    async def read(self) -> None:
        """Read the set, once for all who wait for it.  What goes wrong is logged, and the old keys stay."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._renew(), name="keys of the OpenID provider")
        await asyncio.shield(self._asking)  # whoever waits may go away; the others wait on

    async def _renew(self) -> None:
        self._asked_at = self._now()
        try:
            async with asyncio.timeout(READ_S_MAX):
                document = await self._read()
            found = keys_in(document, self._algorithms)
        except (OSError, httpx.HTTPError, ValueError) as error:
            log.warning("the keys of the OpenID provider cannot be read", reason=str(error) or type(error).__name__)
        else:
            if set(found) != set(self._held):
                log.info("keys of the OpenID provider", kids=sorted(found))
            self._held, self._read_at = found, self._now()
        finally:
            self._asking = None


def keys_in(document: bytes, algorithms: Collection[str]) -> dict[str, ProviderKey]:
    """The keys of a set that verify one of these algorithms, by `kid`.  Raises ValueError where there is none."""
    try:
        listed = msgspec.json.decode(document)["keys"][:KEYS_MAX]
        found = {jwk["kid"]: key for jwk in listed if (key := _key_of(jwk)) is not None and key.algorithm in algorithms}
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("this is no JSON Web Key Set") from error
    if not found:
        raise ValueError(f"the key set holds no public key with a kid for {', '.join(sorted(algorithms))}")
    return found


_KINDS: Mapping[str, tuple[Any, str]] = {
    "RSA": (RSAAlgorithm, "RS256"),
    "EC": (ECAlgorithm, "ES256"),
    "OKP": (OKPAlgorithm, "EdDSA"),
}


def _key_of(jwk: Mapping[str, Any]) -> ProviderKey | None:
    """One key of a set; None for one that verifies no token."""
    family, algorithm = _KINDS.get(jwk.get("kty", ""), (None, ""))
    named = isinstance(jwk.get("kid"), str) and jwk.get("alg", algorithm) == algorithm
    if family is None or not named or jwk.get("use", "sig") != "sig" or "d" in jwk:
        return None
    try:
        public = family.from_jwk(dict(jwk))
    except (jwt.InvalidKeyError, ValueError):
        return None
    return ProviderKey(public, algorithm) if _is_strong(public) else None


def _is_strong(public: Any) -> bool:
    match public:
        case RSAPublicKey():
            return public.key_size >= RSA_BITS_MIN
        case EllipticCurvePublicKey():
            return isinstance(public.curve, SECP256R1)
        case _:
            return isinstance(public, Ed25519PublicKey)


def is_file(place: str) -> bool:
    """Whether this is a path, and no address."""
    return "://" not in place


def reader_of(place: str) -> Read:
    """What reads the set at a path or an address.  Raises ValueError for an address that nobody should trust."""
    if is_file(place):
        return lambda: asyncio.to_thread(Path(place).read_bytes)
    parts = urlsplit(place)
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in LOOPBACK):
        raise ValueError(f"{place} is neither a file nor an https address")
    trusted = ssl.create_default_context()

    async def fetch() -> bytes:
        async with (
            httpx.AsyncClient(verify=trusted, trust_env=False, follow_redirects=False, timeout=READ_S_MAX) as http,
            http.stream("GET", place, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise ValueError(f"{place} answers {answer.status_code}")
            return await _body(answer)

    return fetch


async def _body(answer: httpx.Response) -> bytes:
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > SET_BYTES_MAX:
            raise ValueError(f"the key set is longer than {SET_BYTES_MAX} bytes")
    return body
