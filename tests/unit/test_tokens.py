"""Each way in which a token may be forged, and keys that come and go."""

import base64
import hmac
import json
import stat
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sagamart.platform import tokens
from sagamart.platform.tokens import Caller, TokenRefusedError, Tokens, add_key, key_id, keys_by_id, load_keys

OURS = Ed25519PrivateKey.from_private_bytes(b"our own key, which has 32 bytes.")
THEIRS = Ed25519PrivateKey.from_private_bytes(b"a thief's key, it has 32 bytes..")
ANNA = Caller("cus_anna", frozenset({"CUSTOMER"}), "fam_1")
NOW = 1_800_000_000
HEADER = {"typ": "at+jwt", "kid": key_id(OURS.public_key())}
CLAIMS = {"iss": "shop", "aud": "shop", "sub": "cus_anna", "iat": NOW - 1, "exp": NOW + 600, "roles": ["CUSTOMER"]}


class Clock:
    """A clock that is set by hand, in seconds since 1970."""

    now_s = float(NOW)

    def __call__(self) -> float:
        return self.now_s


def shop(clock: Clock | None = None) -> Tokens:
    return Tokens(keys_by_id([OURS.public_key()]), issuer="shop", audience="shop", signer=OURS, now=clock or Clock())


def forged(
    claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, key: Ed25519PrivateKey = OURS
) -> str:
    """A token as ours but for the changes; None takes a claim or header away."""
    kept = {name: value for name, value in {**CLAIMS, **(claims or {})}.items() if value is not None}
    named = {name: value for name, value in {**HEADER, **(header or {})}.items() if value is not None}
    return jwt.encode(kept, key, algorithm="EdDSA", headers=named)


def unsigned(header: dict[str, Any], sign: Any = lambda _content: b"") -> str:
    content = b".".join(_base64url(json.dumps(part).encode()) for part in (header, CLAIMS))
    return b".".join((content, _base64url(sign(content)))).decode()


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def refuses(token: str) -> bool:
    with pytest.raises(TokenRefusedError):
        shop().verify(token)
    return True


def test_a_token_of_ours_says_who_is_calling() -> None:
    assert shop().verify(shop().sign(ANNA)) == ANNA
    assert shop().verify(forged()) == Caller("cus_anna", frozenset({"CUSTOMER"}))


def test_a_token_without_signature_is_refused() -> None:
    for algorithm in ("none", "None", "NONE", ""):
        assert refuses(unsigned({**HEADER, "alg": algorithm}))


def test_the_public_key_is_no_password_to_sign_with() -> None:
    public = OURS.public_key()
    for secret in (
        public.public_bytes_raw(),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ):
        assert refuses(
            unsigned({**HEADER, "alg": "HS256"}, lambda content, key=secret: hmac.digest(key, content, "sha256"))
        )


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "another shop"},
        {"iss": None},
        {"aud": "another shop"},
        {"aud": ["shop", "another shop"]},
        {"aud": None},
        {"sub": None},
        {"sub": 7},
        {"exp": NOW},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": None},
        {"iat": NOW + 61},
        {"nbf": NOW + 61},
        {"roles": "ADMIN"},
        {"roles": [["ADMIN"]]},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_or_missing_is_refused(claims: dict[str, Any]) -> None:
    assert refuses(forged(claims))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"kid": None},
        {"kid": "another key"},
        {"kid": "../../dev/null"},
        {"kid": "' or 1=1 --"},
        {"jku": "https://thief.example/keys.json"},
        {"x5u": "https://thief.example/key.pem"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
    ],
    ids=str,
)
def test_a_header_that_is_not_ours_is_refused(header: dict[str, Any]) -> None:
    assert refuses(forged(header=header))


def test_a_key_that_comes_with_the_token_is_not_used() -> None:
    thieves = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(THEIRS.public_key()))
    assert refuses(forged(header={"jwk": thieves}, key=THEIRS))
    assert refuses(forged(header={"kid": key_id(THEIRS.public_key())}, key=THEIRS))
    assert refuses(forged(key=THEIRS))


def test_no_bit_of_a_token_can_be_changed() -> None:
    token = forged()
    parts = [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]
    for number, part in enumerate(parts):
        for bit in range(len(part) * 8):
            flipped = bytearray(part)
            flipped[bit // 8] ^= 1 << bit % 8
            changed = [*parts[:number], bytes(flipped), *parts[number + 1 :]]
            assert refuses(b".".join(map(_base64url, changed)).decode())


def test_a_token_is_written_in_one_way_only() -> None:
    token = forged()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert sum(refuses(token[:-1] + letter) for letter in letters if letter != token[-1]) == 63
    assert refuses(token + "=")


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "ж.ж.ж", "e30.e30.", "[" * 4000, "a" * 5000])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refuses(token)


def test_a_token_ends_with_its_time_though_it_was_remembered() -> None:
    clock = Clock()
    verifier = shop(clock)
    token = verifier.sign(ANNA)
    clock.now_s += 599
    assert verifier.verify(token) == ANNA
    clock.now_s += 1
    with pytest.raises(TokenRefusedError):
        verifier.verify(token)


def test_remembered_tokens_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "VERIFIED_TOKENS_MAX", 2)
    verifier = shop()
    for name in ("anna", "boris", "clara"):
        verifier.verify(verifier.sign(Caller(name)))
    assert len(verifier._verified) == 2


def test_a_process_that_only_verifies_cannot_sign() -> None:
    keys = tokens.keys_of_jwks(json.dumps(shop().jwks()).encode())
    verifier = Tokens(keys, issuer="shop", audience="shop", now=Clock())
    assert verifier.verify(shop().sign(ANNA)) == ANNA
    with pytest.raises(RuntimeError, match="no private key"):
        verifier.sign(ANNA)


def test_the_key_set_holds_no_private_part() -> None:
    (key,) = shop().jwks()["keys"]
    assert sorted(key) == ["alg", "crv", "kid", "kty", "use", "x"]


def test_the_first_start_makes_a_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    (key,) = load_keys(folder)
    (file,) = folder.iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("access-0001.pem", 0o600)
    assert key_id(load_keys(folder)[0].public_key()) == key_id(key.public_key())


def test_a_new_key_signs_and_nobody_is_logged_out(tmp_path: Path) -> None:
    before = Tokens.of_folder(tmp_path, issuer="shop", audience="shop")
    old = before.sign(ANNA)
    add_key(tmp_path)
    after = Tokens.of_folder(tmp_path, issuer="shop", audience="shop")
    assert jwt.get_unverified_header(after.sign(ANNA))["kid"] != jwt.get_unverified_header(old)["kid"]
    assert after.verify(old) == ANNA
    assert len(after.jwks()["keys"]) == 2


def test_what_a_dropped_key_had_signed_is_refused_at_once() -> None:
    verifier = shop()
    token = verifier.sign(ANNA)
    verifier.verify(token)
    verifier.trust(keys_by_id([THEIRS.public_key()]))
    with pytest.raises(TokenRefusedError):
        verifier.verify(token)


def test_a_file_that_is_no_key_of_ours_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "access-0001.pem").write_text("nonsense")
    with pytest.raises(ValueError, match="pem"):
        load_keys(tmp_path)


def test_a_seal_is_ours_the_same_each_time_and_over_this_text_alone() -> None:
    seal = shop().seal("a link")
    assert seal == shop().seal("a link")
    assert shop().is_sealed("a link", seal)
    assert not shop().is_sealed("another link", seal)
    assert not shop().is_sealed("a link", shop().seal("another link"))
    assert not shop().is_sealed("a link", "no signature")
    assert not shop().is_sealed("a link", seal + "=")


def test_a_seal_outlives_the_key_that_made_it_as_long_as_that_key_is_known(tmp_path: Path) -> None:
    seal = Tokens.of_folder(tmp_path, issuer="shop", audience="shop").seal("a link")
    add_key(tmp_path)
    assert Tokens.of_folder(tmp_path, issuer="shop", audience="shop").is_sealed("a link", seal)


def test_the_signature_of_a_token_is_no_seal() -> None:
    signed, _, signature = shop().sign(ANNA).rpartition(".")
    assert not shop().is_sealed(signed, signature)
