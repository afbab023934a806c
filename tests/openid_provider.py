"""An OpenID provider as the shop sees it: somebody who signs tokens, and a set of public keys to be read."""

import json
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://login.example.com/realms/shop"
RSA = generate_private_key(65537, 2048)
ELLIPTIC = derive_private_key(7, SECP256R1())
EDWARDS = Ed25519PrivateKey.from_private_bytes(b"the provider's key has 32 bytes.")
ALGORITHMS = {"rsa": "RS256", "elliptic": "ES256", "edwards": "EdDSA", "rotated": "RS256"}
PRIVATE: Mapping[str, Any] = {
    "rsa": RSA,
    "elliptic": ELLIPTIC,
    "edwards": EDWARDS,
    "rotated": RSA,
}


class PlayedProvider:
    """It publishes the keys of these names, and counts how often they are read; `away` it answers nothing."""

    def __init__(self, *kids: str) -> None:
        self.kids = list(kids or ("rsa", "elliptic", "edwards"))
        self.reads = 0
        self.away = False

    async def read(self) -> bytes:
        self.reads += 1
        if self.away:
            raise OSError("no route to the provider")
        return json.dumps(self.key_set).encode()

    @property
    def key_set(self) -> dict[str, Any]:
        return {"keys": [public_key(kid) for kid in self.kids]}


def public_key(kid: str, /, **changed: Any) -> dict[str, Any]:
    """A key as providers publish it."""
    family: Any = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}[ALGORITHMS[kid]]
    jwk = json.loads(family.to_jwk(PRIVATE[kid].public_key()))
    jwk.pop("key_ops", None)
    return {**jwk, "kid": kid, "use": "sig", "alg": ALGORITHMS[kid], **changed}


def signed(claims: Mapping[str, Any], kid: str = "rsa", header: Mapping[str, Any] | None = None) -> str:
    """A token of the provider; None takes a claim or a header away."""
    kept = {name: value for name, value in claims.items() if value is not None}
    named = {name: value for name, value in {"typ": "JWT", "kid": kid, **(header or {})}.items() if value is not None}
    return jwt.encode(kept, PRIVATE[kid], algorithm=ALGORITHMS[kid], headers=named)
