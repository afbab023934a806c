"""Service tokens: which service is calling another one's internal listener.

Rules:
- They are JWT as access tokens are (see `tokens.py`), of a type of their own: neither kind passes for the other.
- The subject is the service that calls, the audience the service that is called.
- Each service has a key of its own, and a token counts only where the key is its subject's: who holds the key of stock
  cannot speak as wallet.
- `<service>.pem` is a private key, which only the processes of that service need; `<service>.pub` is its public half,
  which everybody needs.  While a key is being replaced, the other one's public half is `<service>.<anything>.pub`.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from sagamart.platform.tokens import Caller, TokenRefusedError, Tokens, key_id

TYPE = "service+jwt"
ISSUER = "sagamart-internal"
LIFETIME_S = 300
RENEWED_BEFORE_S = 60
"""A token is replaced so long before it expires: the other side's clock may be ahead."""


class ServiceKeyError(Exception):
    """A service's key is missing or cannot be used; the message names the file and how to make one."""


class ServiceKeys(msgspec.Struct, frozen=True):
    """Private keys of the services that run here, public keys of all, by service."""

    private: Mapping[str, Ed25519PrivateKey]
    public: Mapping[str, tuple[Ed25519PublicKey, ...]]


class _Tokens(Tokens):
    kind = TYPE


class ServiceTokens:
    """Signs as each service that runs here; verifies what others have signed for them."""

    def __init__(self, keys: ServiceKeys, *, now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._now = now
        self._owners = {key_id(key): service for service, some in keys.public.items() for key in some}
        self._known = {key_id(key): key for some in keys.public.values() for key in some}
        self._verifiers: dict[str, _Tokens] = {}
        self._signed: dict[tuple[str, str], tuple[str, float]] = {}

    def sign(self, source: str, destination: str) -> str:
        """A token with which `source` calls `destination`.  Raises KeyError where this process is not `source`."""
        token, until = self._signed.get((source, destination), ("", 0.0))
        if until <= self._now():
            signer = self._keys.private[source]
            tokens = _Tokens({}, issuer=ISSUER, audience=destination, signer=signer, now=self._now)
            token = tokens.sign(Caller(source), lifetime_s=LIFETIME_S)
            self._signed[source, destination] = token, self._now() + LIFETIME_S - RENEWED_BEFORE_S
        return token

    def verify(self, token: str, destination: str) -> str:
        """The service that calls `destination`.  Raises TokenRefusedError."""
        verifier = self._verifiers.get(destination)
        if verifier is None:
            verifier = _Tokens(self._known, issuer=ISSUER, audience=destination, now=self._now)
            self._verifiers[destination] = verifier
        source = verifier.verify(token).id
        if self._owners[jwt.get_unverified_header(token)["kid"]] != source:
            raise TokenRefusedError("signed with the key of another service")
        return source


def load_service_keys(folder: Path, here: Iterable[str], everybody: Iterable[str]) -> ServiceKeys:
    """The keys in a folder: private ones of the services `here`, public ones of everybody.  Raises ServiceKeyError."""
    private = {service: _private(folder / f"{service}.pem") for service in here}
    public = {service: tuple(_public(folder, service)) for service in everybody}
    return ServiceKeys(private, public)


def make_service_keys(folder: Path, services: Iterable[str]) -> list[Path]:
    """Make the keys that are missing; the paths of those made.  Private ones are readable by their owner only.

    Raises ServiceKeyError.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceKeyError(
            f"the folder {folder} for the services' keys cannot be made: {error.strerror}; choose another, or set"
            " SAGAMART_DATA or SAGAMART_INTERNAL_KEYS to one"
        ) from error
    made = []
    for service in services:
        path = folder / f"{service}.pem"
        if not path.exists():
            key = Ed25519PrivateKey.generate()
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem)
            made.append(path)
        public = _private(path).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        path.with_suffix(".pub").write_bytes(public)
    return made


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise ServiceKeyError(_advice(path, error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ServiceKeyError(_advice(path, "is no Ed25519 key"))
    return key


def _public(folder: Path, service: str) -> Iterable[Ed25519PublicKey]:
    for path in (folder / f"{service}.pub", *sorted(folder.glob(f"{service}.*.pub"))):
        try:
            key = load_pem_public_key(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ServiceKeyError(_advice(path, error)) from error
        if not isinstance(key, Ed25519PublicKey):
            raise ServiceKeyError(_advice(path, "is no Ed25519 key"))
        yield key


def _advice(path: Path, why: object) -> str:
    return (
        f"the service key {path} cannot be used: {why}. Make keys with `sagamart service-keys FOLDER`, give every"
        " process the .pub files and its own .pem, and name the folder in SAGAMART_INTERNAL_KEYS"
    )
