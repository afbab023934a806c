"""The key files that sign and verify access tokens.

Rules:
- A folder holds one PEM file a key, readable by its owner only.  The last by name signs, all verify.  So a key can be
  replaced without logging anybody out: add a new file, and remove the old one when its last token has expired.
- The first start makes the first key.
"""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sagamart.platform.settings import TokenSettings
from sagamart.platform.tokens import Tokens, keys_by_id, keys_of_jwks


class KeyFileError(Exception):
    """A key file cannot be used; the message names it."""


def tokens_from_files(settings: TokenSettings, data: Path) -> Tokens:
    """The tokens of this process: signing where it has private keys, verifying only where it has a JWKS file.

    Raises KeyFileError.
    """
    if settings.jwks:
        try:
            public = keys_of_jwks(Path(settings.jwks).read_bytes())
        except (OSError, ValueError, KeyError) as error:
            raise KeyFileError(f"{settings.jwks} is no file of public keys (JWKS): {error}") from error
        return Tokens(public, issuer=settings.issuer, audience=settings.audience)
    keys = private_keys(Path(settings.keys) if settings.keys else data / "keys")
    public = keys_by_id(key.public_key() for key in keys)
    return Tokens(public, issuer=settings.issuer, audience=settings.audience, signer=keys[-1])


def private_keys(folder: Path) -> list[Ed25519PrivateKey]:
    """All keys of a folder by file name, the newest last; one is made where there is none.  Raises KeyFileError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = sorted(folder.glob("*.pem"))
    return [_read(path) for path in found] or [_make(folder / "0001.pem")]


def _read(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileError(f"{path} is no private key in PEM: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} is no Ed25519 key")
    return key


def _make(path: Path) -> Ed25519PrivateKey:
    """Write it beside and rename it: a crash leaves no half key."""
    key = Ed25519PrivateKey.generate()
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        os.fsync(file.fileno())
    draft.rename(path)
    return key
