"""Access tokens: JWT signed with Ed25519 (RFC 7519, 8037, 9068).

Rules:
- One algorithm, named here; the token's own word for it is compared, never obeyed.
- A header holds `alg`, `typ`, `kid` and nothing else, so no key comes with a token (`jku`, `jwk`, `x5c`).
- `kid` picks one of the keys that we already hold; there is no other look-up by it.
- `iss`, `aud`, `typ`, `exp` and `sub` are all required.
- A verified token is remembered until it expires, so that a request costs a look-up and not a signature.
- A token of another issuer, where there is one beside us, is verified by its rules (`openid.py`) and remembered alike.
- Only who holds the private key signs; a service that only verifies needs the public key set (JWKS).
"""

import base64
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import jwt
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.types import Options

ALGORITHM = "EdDSA"
TYPE = "at+jwt"
ACCESS_TOKEN_LIFETIME_S = 600
TOKEN_CHARS_MAX = 4096
VERIFIED_TOKENS_MAX = 20_000

CLOCK_SKEW_S_MAX = 60
"""So far may the clock of the process that signs be ahead of the one that verifies."""

KEY_FILES = "access-[0-9][0-9][0-9][0-9].pem"
"""The private keys of a folder: the highest number is the newest."""

# Times are compared with the object's own clock, in `_check_times`.
_CHECKS: Options = {
    "require": ["iss", "aud", "sub", "exp", "iat"],
    "strict_aud": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}
_HEADER = frozenset(("alg", "typ", "kid"))


_SEALED = b"sagamart seal\0"
"""Before each sealed text: no JWT begins so, and so no seal is the signature of a token."""


class Caller(msgspec.Struct, frozen=True):
    """Somebody who has logged in.  `session` is the refresh family that the token came from."""

    id: str
    roles: frozenset[str] = frozenset()
    session: str = ""


class _Said(msgspec.Struct, frozen=True):
    """What is read of a token before it is verified."""

    iss: str = ""


class TokenRefusedError(Exception):
    """The token is not accepted; the reason is for the log, never for the client."""


class KeysWantedError(TokenRefusedError):
    """The token can only be judged with keys that have to be read first: await `read`, and verify it again."""

    def __init__(self, read: Callable[[], Awaitable[None]]) -> None:
        super().__init__("its key is to be read first")
        self.read = read


class KeysAwayError(TokenRefusedError):
    """Nobody can say whether the token is good: the keys of its issuer cannot be read."""


class Issuer(Protocol):
    """Somebody else whose tokens are accepted."""

    issuer: str

    def verify(self, token: str) -> tuple[Caller, int]:
        """Who a token speaks for, and until when that may be remembered (seconds since 1970).

        Raises TokenRefusedError, jwt.PyJWTError, ValueError.
        """


class Tokens:
    """Signs (with a private key) and verifies (with all public keys that it holds)."""

    kind: ClassVar[str] = TYPE
    """The `typ` of its tokens: those of another kind are refused, whoever signed them."""

    def __init__(
        self,
        keys: Mapping[str, Ed25519PublicKey],
        *,
        issuer: str,
        audience: str,
        signer: Ed25519PrivateKey | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` is in seconds since 1970."""
        self.issuer = issuer
        self.audience = audience
        self._keys = dict(keys)
        self._signer = signer
        self._beside: Issuer | None = None
        self._now = now
        self._verified: OrderedDict[str, tuple[Caller, int]] = OrderedDict()

    def sign(self, caller: Caller, *, lifetime_s: int = ACCESS_TOKEN_LIFETIME_S) -> str:
        """An access token for this caller.  Raises RuntimeError where this process holds no private key."""
        if self._signer is None:
            raise RuntimeError("this process holds no private key: it verifies tokens only")
        now = int(self._now())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": caller.id,
            "iat": now,
            "exp": now + lifetime_s,
            "roles": sorted(caller.roles),
            "sid": caller.session,
        }
        kid = key_id(self._signer.public_key())
        return jwt.encode(claims, self._signer, algorithm=ALGORITHM, headers={"typ": self.kind, "kid": kid})

    def seal(self, text: str) -> str:
        """A signature over a text that goes out by itself, such as the name of a one-time link; the same each time.

        Raises RuntimeError where this process holds no private key.
        """
        if self._signer is None:
            raise RuntimeError("this process holds no private key: it verifies only")
        return _base64url(self._signer.sign(_SEALED + text.encode()))

    def is_sealed(self, text: str, seal: str) -> bool:
        """Whether one of our keys has sealed this text."""
        try:
            signature = base64.urlsafe_b64decode(seal + "=" * (-len(seal) % 4))
        except ValueError:
            return False
        return _base64url(signature) == seal and any(_signed(key, signature, text) for key in self._keys.values())

    def verify(self, token: str) -> Caller:
        """Who this token speaks for.  Raises TokenRefusedError."""
        known = self._verified.get(token)
        if known is None:
            return self._verify(token)
        caller, until = known
        if until <= self._now():
            del self._verified[token]
            return self._verify(token)
        return caller

    def _verify(self, token: str) -> Caller:
        if len(token) > TOKEN_CHARS_MAX:
            raise TokenRefusedError("too long")
        try:
            _check_spelling(token)
            if self._beside is not None and issuer_of(token) == self._beside.issuer:
                caller, until = self._beside.verify(token)
            else:
                caller, until = self._own(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise TokenRefusedError(str(error)) from error
        self._verified[token] = (caller, until)
        if len(self._verified) > VERIFIED_TOKENS_MAX:
            self._verified.popitem(last=False)
        return caller

    def _own(self, token: str) -> tuple[Caller, int]:
        """Who a token that we have signed speaks for, and until when."""
        key = self._key_of(jwt.get_unverified_header(token))
        claims = jwt.decode(
            token, key, algorithms=[ALGORITHM], issuer=self.issuer, audience=self.audience, options=_CHECKS
        )
        check_times(claims, self._now())
        roles = claims.get("roles", [])
        if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
            raise TokenRefusedError("roles are not a list of names")
        return Caller(claims["sub"], frozenset(roles), str(claims.get("sid", ""))), claims["exp"]

    def _key_of(self, header: Mapping[str, Any]) -> Ed25519PublicKey:
        if set(header) != _HEADER or header["alg"] != ALGORITHM or header["typ"] != self.kind:
            raise TokenRefusedError("the header is not one of ours")
        kid = header["kid"]
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenRefusedError("signed with a key that is not ours")
        return key

    @classmethod
    def of_folder(cls, folder: Path, *, issuer: str, audience: str) -> Self:
        """Sign with the newest key of a folder, verify with all.  The first start makes the first key."""
        keys = load_keys(folder)
        known = keys_by_id(key.public_key() for key in keys)
        return cls(known, issuer=issuer, audience=audience, signer=keys[-1])

    @classmethod
    def of_jwks(cls, file: Path, *, issuer: str, audience: str) -> Self:
        """Verify only, with the public keys of a file."""
        return cls(keys_of_jwks(file.read_bytes()), issuer=issuer, audience=audience)

    def trust(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        """Verify with these keys from now on.  What a dropped key had signed is refused at once."""
        if set(self._keys) - set(keys):
            self._verified.clear()
        self._keys = dict(keys)

    def accept(self, issuer: Issuer) -> None:
        """Accept the tokens of another issuer too.  Raises ValueError for one that is called as we are."""
        if issuer.issuer == self.issuer:
            raise ValueError(f"both call themselves {self.issuer}")
        self._beside = issuer

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 7517), for who verifies elsewhere."""
        return {"keys": [_jwk(kid, key) for kid, key in self._keys.items()]}


def load_keys(folder: Path) -> list[Ed25519PrivateKey]:
    """The private keys of a folder, the newest last; the first one is made where there is none.

    Raises ValueError for a file that holds no Ed25519 key.
    """
    files = sorted(folder.glob(KEY_FILES)) if folder.is_dir() else []
    if not files:
        add_key(folder)
        files = sorted(folder.glob(KEY_FILES))
    return [_private_key(file) for file in files]


def _private_key(file: Path) -> Ed25519PrivateKey:
    key = load_pem_private_key(file.read_bytes(), password=None)
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise ValueError(f"{file} holds no Ed25519 key")


def add_key(folder: Path) -> Path:
    """Make a key, which signs from the next start on; what older keys have signed stays good while they lie there.

    The file is readable by its owner only, and appears whole.  Where two processes make the first key at the same
    time, one wins and both use it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    numbers = [int(file.stem.rpartition("-")[2]) for file in folder.glob(KEY_FILES)]
    made = folder / f"access-{max(numbers, default=0) + 1:04d}.pem"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = folder / f".{made.name}.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
        os.fsync(file.fileno())
    try:
        os.link(draft, made)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return made


def key_id(key: Ed25519PublicKey) -> str:
    """A key's name: its thumbprint (RFC 7638), so that two processes name a key alike."""
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{_base64url(key.public_bytes_raw())}"}}'
    return _base64url(sha256(canonical.encode()).digest())


def keys_by_id(keys: Iterable[Ed25519PublicKey]) -> dict[str, Ed25519PublicKey]:
    """Keys under their names."""
    return {key_id(key): key for key in keys}


def keys_of_jwks(document: bytes) -> dict[str, Ed25519PublicKey]:
    """The Ed25519 keys of a JSON Web Key Set, by `kid`.  Raises ValueError where there is none."""
    found = {}
    for jwk in msgspec.json.decode(document)["keys"]:
        if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519" and jwk.get("kid"):
            raw = base64.urlsafe_b64decode(jwk["x"] + "=" * (-len(jwk["x"]) % 4))
            found[jwk["kid"]] = Ed25519PublicKey.from_public_bytes(raw)
    if not found:
        raise ValueError("the key set holds no Ed25519 key with a kid")
    return found


def check_times(claims: Mapping[str, Any], now: float) -> None:
    """Compare a token's times with this moment.  Only `exp` is taken to the second: the signer's clock may be ahead.

    Raises TokenRefusedError.
    """
    if not isinstance(claims["exp"], int) or claims["exp"] <= now:
        raise TokenRefusedError("expired")
    for name in ("iat", "nbf"):
        begins = claims.get(name, 0)
        if not isinstance(begins, int) or begins > now + CLOCK_SKEW_S_MAX:
            raise TokenRefusedError(f"{name} lies in the future")


def issuer_of(token: str) -> str:
    """Whose token it says to be, which proves nothing.  Raises ValueError for what is no token."""
    _, _, rest = token.partition(".")
    claims, _, _ = rest.partition(".")
    return msgspec.json.decode(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)), type=_Said).iss


def _check_spelling(token: str) -> None:
    """Refuse a second way to write the same token: the last letter of a part may hide bits that nobody reads."""
    for part in token.split("."):
        if _base64url(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) != part:
            raise TokenRefusedError("not written as base64url has it")


def _signed(key: Ed25519PublicKey, signature: bytes, text: str) -> bool:
    try:
        key.verify(signature, _SEALED + text.encode())
    except InvalidSignature:
        return False
    return True


def _jwk(kid: str, key: Ed25519PublicKey) -> dict[str, str]:
    x = _base64url(key.public_bytes_raw())
    return {"kty": "OKP", "crv": "Ed25519", "alg": ALGORITHM, "use": "sig", "kid": kid, "x": x}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
