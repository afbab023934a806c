"""Which keys a process signs and verifies access tokens with, by its settings, and who else's tokens it accepts.

The newest file of the folder signs, all verify.  So a key can be replaced without logging anybody out: add a new one,
and remove the old one when its last token has expired.
"""

from pathlib import Path

import msgspec

from sagamart.platform.openid import OpenIdProvider
from sagamart.platform.settings import Settings, TokenSettings
from sagamart.platform.tokens import Tokens, add_key, keys_by_id, keys_of_jwks, load_keys

JWKS_FILE = "jwks.json"


class KeyFileError(Exception):
    """A key file cannot be used; the message names it."""


def add_token_key(folder: Path, settings: TokenSettings) -> tuple[Path, Path]:
    """Make a key that signs from the next start on, and write the public halves of all keys there (JWKS) beside it.

    Gives both paths.  Raises KeyFileError.
    """
    try:
        made = add_key(folder)
        public = keys_by_id(key.public_key() for key in load_keys(folder))
        shown = folder / JWKS_FILE
        jwks = Tokens(public, issuer=settings.issuer, audience=settings.audience).jwks()
        shown.write_bytes(msgspec.json.encode(jwks))
    except (OSError, ValueError) as error:
        raise KeyFileError(f"no key can be made in {folder}: {error}") from error
    return made, shown


def accepted_tokens(settings: Settings) -> Tokens:
    """The tokens that this process accepts: our own, and those of an OpenID provider where the settings name one.

    Raises KeyFileError.
    """
    tokens = tokens_from_files(settings.tokens, Path(settings.data))
    if settings.openid.issuer:
        try:
            tokens.accept(OpenIdProvider.of(settings.openid))
        except (OSError, ValueError) as error:
            raise KeyFileError(f"tokens of {settings.openid.issuer} cannot be verified: {error}") from error
    return tokens


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
    try:
        keys = load_keys(Path(settings.keys) if settings.keys else data / "keys")
    except (OSError, ValueError) as error:
        raise KeyFileError(f"the private keys cannot be used: {error}") from error
    public = keys_by_id(key.public_key() for key in keys)
    return Tokens(public, issuer=settings.issuer, audience=settings.audience, signer=keys[-1])
