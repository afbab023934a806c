"""Tokens of an OpenID provider beside ours: which are accepted, for whom, and how often its keys are read."""

import base64
import hmac
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from openid_provider import EDWARDS, ISSUER, RSA, PlayedProvider, public_key, signed
from sagamart.platform.keys import KeyFileError, accepted_tokens
from sagamart.platform.openid import OpenIdProvider, customer_id
from sagamart.platform.openid_keys import AGAIN_S, FRESH_S, KEPT_S, ProviderKeys, keys_in, reader_of
from sagamart.platform.settings import OpenIdSettings, Settings, load
from sagamart.platform.tokens import Caller, KeysAwayError, KeysWantedError, TokenRefusedError, Tokens, keys_by_id

NOW = 1_800_000_000
OURS = Ed25519PrivateKey.from_private_bytes(b"our own key, which has 32 bytes.")
SETTINGS = OpenIdSettings(
    issuer=ISSUER,
    jwks="https://login.example.com/keys",
    audiences=("shop-api", "shop"),
    roles_claim="realm_access.roles",
    roles=("shop-support=OPERATOR", "shop=admins=ADMIN"),
)
CLAIMS = {
    "iss": ISSUER,
    "aud": "shop-api",
    "sub": "anna",
    "iat": NOW - 1,
    "exp": NOW + 3600,
    "realm_access": {"roles": ["shop-support", "offline_access"]},
}
ANNA = Caller(customer_id(ISSUER, "anna"), frozenset({"OPERATOR"}))


class Clock:
    """A clock that is set by hand, in seconds since 1970."""

    now_s = float(NOW)

    def __call__(self) -> float:
        return self.now_s


class Door:
    """What lets requests in: our own tokens, and those of a provider."""

    def __init__(self, provider: PlayedProvider | None = None, settings: OpenIdSettings = SETTINGS) -> None:
        self.clock = Clock()
        self.provider = provider or PlayedProvider()
        self.tokens = Tokens(
            keys_by_id([OURS.public_key()]), issuer="shop", audience="shop", signer=OURS, now=self.clock
        )
        keys = ProviderKeys(self.provider.read, settings.algorithms, now=self.clock)
        self.tokens.accept(OpenIdProvider(settings, keys, now=self.clock))

    async def admits(self, token: str) -> Caller:
        """Who the token speaks for, as a guard finds it."""
        try:
            return self.tokens.verify(token)
        except KeysWantedError as wanted:
            await wanted.read()
            return self.tokens.verify(token)

    async def refuses(self, token: str) -> bool:
        with pytest.raises(TokenRefusedError):
            await self.admits(token)
        return True


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def handmade(header: dict[str, Any], sign: Any = lambda _content: b"") -> str:
    content = b".".join(_base64url(json.dumps(part).encode()) for part in (header, CLAIMS))
    return b".".join((content, _base64url(sign(content)))).decode()


@pytest.mark.parametrize("kid", ["rsa", "elliptic", "edwards"])
async def test_a_token_of_the_provider_says_who_is_calling_whatever_it_signs_with(kid: str) -> None:
    assert await Door().admits(signed(CLAIMS, kid)) == ANNA


async def test_our_own_tokens_are_accepted_beside_and_ask_the_provider_for_nothing() -> None:
    door = Door()
    boris = Caller("cus_boris", frozenset({"CUSTOMER"}), "fam_1")
    assert await door.admits(door.tokens.sign(boris)) == boris
    assert door.provider.reads == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.example.com/realms/another"},
        {"iss": ISSUER + "/"},
        {"iss": "shop"},
        {"iss": None},
        {"aud": "another-api"},
        {"aud": ["another-api", "account"]},
        {"aud": []},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a" * 256},
        {"exp": NOW},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": NOW + 61},
        {"nbf": NOW + 61},
        {"realm_access": {"roles": [["shop-support"]]}},
        {"realm_access": {"roles": {"shop-support": True}}},
    ],
    ids=str,
)
async def test_a_claim_that_is_wrong_or_missing_is_refused(claims: dict[str, Any]) -> None:
    assert await Door().refuses(signed({**CLAIMS, **claims}))


@pytest.mark.parametrize("audience", ["shop", ["account", "shop-api"]], ids=str)
async def test_one_audience_of_several_is_enough(audience: str | list[str]) -> None:
    assert await Door().admits(signed({**CLAIMS, "aud": audience})) == ANNA


@pytest.mark.parametrize(
    "header",
    [
        {"kid": None},
        {"kid": "../../dev/null"},
        {"typ": "dpop+jwt"},
        {"jku": "https://thief.example/keys.json"},
        {"jwk": public_key("edwards")},
        {"x5u": "https://thief.example/key.pem"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
    ],
    ids=lambda header: next(iter(header)),
)
async def test_a_header_that_brings_a_key_or_names_none_is_refused(header: dict[str, Any]) -> None:
    assert await Door().refuses(signed(CLAIMS, header=header))


async def test_no_other_algorithm_will_do_than_that_of_the_key() -> None:
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for algorithm in ("none", "None", "", "HS256"):
        forged = handmade(
            {"alg": algorithm, "typ": "JWT", "kid": "rsa"},
            lambda content, named=algorithm: hmac.digest(public, content, "sha256") if named == "HS256" else b"",
        )
        assert await Door().refuses(forged)
    assert await Door().refuses(jwt.encode(CLAIMS, RSA, algorithm="RS512", headers={"kid": "rsa"}))
    assert await Door().refuses(jwt.encode(CLAIMS, RSA, algorithm="PS256", headers={"kid": "rsa"}))
    assert await Door().refuses(jwt.encode(CLAIMS, EDWARDS, algorithm="EdDSA", headers={"kid": "rsa"}))


async def test_an_algorithm_that_the_settings_leave_out_is_refused() -> None:
    only = OpenIdSettings(issuer=ISSUER, jwks="keys", audiences=("shop-api",), algorithms=("ES256",))
    assert await Door(settings=only).refuses(signed(CLAIMS, "rsa"))
    assert await Door(settings=only).admits(signed(CLAIMS, "elliptic"))


async def test_neither_signs_for_the_other() -> None:
    door = Door()
    header = jwt.get_unverified_header(door.tokens.sign(ANNA))
    as_provider = jwt.encode(CLAIMS, OURS, algorithm="EdDSA", headers={"kid": header["kid"]})
    as_we = jwt.encode({**CLAIMS, "iss": "shop", "aud": "shop"}, EDWARDS, algorithm="EdDSA", headers=header)
    assert await door.refuses(as_provider)
    assert await door.refuses(as_we)


async def test_an_algorithm_or_a_bit_that_is_changed_is_refused() -> None:
    head, claims, signature = signed(CLAIMS, "edwards").split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[0] ^= 1
    assert await Door().refuses(f"{head}.{claims}.{_base64url(bytes(raw)).decode()}")
    assert await Door().refuses(f"{head}.{claims}.{signature}=")


async def test_somebody_has_the_same_id_each_time_and_nobody_else_has_it() -> None:
    door = Door()
    anna = await door.admits(signed(CLAIMS))
    again = await Door().admits(signed({**CLAIMS, "iat": NOW - 5}))
    other = await door.admits(signed({**CLAIMS, "sub": "boris"}))
    assert anna.id == again.id != other.id
    assert anna.id == "cus_8d90121f79438de4a0268c1c123e8ab7"
    assert customer_id("https://a", "b/c") != customer_id("https://a/b", "c")


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({"realm_access": {"roles": ["shop-support"]}}, ["OPERATOR"]),
        ({"realm_access": {"roles": ["shop=admins", "shop-support"]}}, ["ADMIN", "OPERATOR"]),
        ({"realm_access": {"roles": ["ADMIN", "OPERATOR"]}}, []),
        ({"realm_access.roles": "openid shop-support"}, ["OPERATOR"]),
        ({"realm_access": ["ADMIN"]}, []),
        ({"realm_access": None}, []),
        ({"roles": ["shop-support"], "realm_access": None}, []),
    ],
    ids=str,
)
async def test_the_providers_roles_are_what_the_settings_make_of_them(claims: dict[str, Any], roles: list[str]) -> None:
    assert sorted((await Door().admits(signed({**CLAIMS, **claims}))).roles) == roles


async def test_keys_are_read_once_for_many_tokens_and_anew_when_they_are_old() -> None:
    door = Door()
    for number in range(5):
        await door.admits(signed({**CLAIMS, "jti": str(number)}))
    assert door.provider.reads == 1
    door.clock.now_s += FRESH_S + 1
    await door.admits(signed({**CLAIMS, "jti": "6"}))
    assert door.provider.reads == 2


async def test_a_key_that_the_provider_has_just_begun_to_use_is_read_for_its_first_token() -> None:
    door = Door(PlayedProvider("rsa"))
    await door.admits(signed(CLAIMS))
    door.provider.kids = ["rotated"]
    door.clock.now_s += AGAIN_S + 1
    assert await door.admits(signed(CLAIMS, "rotated")) == ANNA
    assert await door.refuses(signed({**CLAIMS, "jti": "of the old key"}))


async def test_however_many_unknown_keys_come_the_provider_is_asked_within_bounds() -> None:
    door = Door(PlayedProvider("rsa"))
    await door.admits(signed(CLAIMS))
    for number in range(50):
        assert await door.refuses(signed(CLAIMS, header={"kid": f"invented {number}"}))
    assert door.provider.reads == 1
    door.clock.now_s += AGAIN_S + 1
    for number in range(50):
        assert await door.refuses(signed(CLAIMS, header={"kid": f"invented {number}"}))
    assert door.provider.reads == 2


async def test_what_a_dropped_key_had_signed_is_refused_when_its_token_is_looked_at_again() -> None:
    door = Door(PlayedProvider("rsa", "edwards"))
    token = signed(CLAIMS)
    await door.admits(token)
    door.provider.kids = ["edwards"]
    door.clock.now_s += FRESH_S - 1
    assert await door.admits(token) == ANNA
    door.clock.now_s += 2
    assert await door.refuses(token)


async def test_a_token_ends_with_its_time_though_it_was_remembered() -> None:
    door = Door()
    token = signed({**CLAIMS, "exp": NOW + 60})
    door.clock.now_s += 59
    assert await door.admits(token) == ANNA
    door.clock.now_s += 1
    assert await door.refuses(token)


async def test_the_keys_that_are_held_go_on_for_a_day_while_the_provider_is_away() -> None:
    door = Door()
    lasting = {**CLAIMS, "exp": NOW + 10 * int(KEPT_S)}
    await door.admits(signed(lasting))
    door.provider.away = True
    door.clock.now_s += KEPT_S - 1
    assert await door.admits(signed({**lasting, "jti": "2"})) == ANNA
    door.clock.now_s += AGAIN_S + 1
    with pytest.raises(KeysAwayError):
        await door.admits(signed({**lasting, "jti": "3"}))
    door.provider.away = False
    door.clock.now_s += AGAIN_S + 1
    assert await door.admits(signed({**lasting, "jti": "3"})) == ANNA


async def test_a_provider_that_was_never_reached_is_away_and_our_own_tokens_are_good() -> None:
    door = Door()
    door.provider.away = True
    for _ in range(10):
        with pytest.raises(KeysAwayError):
            await door.admits(signed(CLAIMS))
    assert door.provider.reads == 1
    assert await door.admits(door.tokens.sign(ANNA)) == ANNA


@pytest.mark.parametrize(
    "jwk",
    [
        public_key("rsa", n=_base64url(b"\x80" + bytes(126) + b"\x01").decode()),
        public_key("rsa", use="enc"),
        public_key("rsa", alg="RS512"),
        public_key("rsa", kid=7),
        public_key("elliptic", crv="P-384"),
        public_key("edwards", x="AAAA"),
        public_key("edwards", d="AAAA"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256"},
        {"kty": "RSA", "kid": "half"},
    ],
    ids=["small", "use", "alg", "kid", "curve", "short", "private", "secret", "half"],
)
def test_a_key_that_is_weak_or_for_something_else_is_left_out(jwk: dict[str, Any]) -> None:
    good = public_key("elliptic")
    assert set(keys_in(json.dumps({"keys": [jwk, good]}).encode(), SETTINGS.algorithms)) == {"elliptic"}


@pytest.mark.parametrize("document", [b"", b"no JSON", b"[]", b"{}", b'{"keys": 7}', b'{"keys": []}', b'{"keys": [7]}'])
def test_what_is_no_key_set_is_said_to_be_none(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"key set|Key Set"):
        keys_in(document, SETTINGS.algorithms)


@pytest.mark.parametrize("place", ["http://login.example.com/keys", "ftp://login.example.com/keys", "file:///keys"])
def test_keys_are_read_from_https_or_a_file_and_nowhere_else(place: str) -> None:
    with pytest.raises(ValueError, match="https"):
        reader_of(place)


def environment(tmp_path: Path, **changed: str) -> dict[str, str]:
    jwks = tmp_path / "provider.json"
    jwks.write_text(json.dumps(PlayedProvider().key_set))
    return {
        "SAGAMART_DATA": str(tmp_path),
        "SAGAMART_OPENID_ISSUER": ISSUER,
        "SAGAMART_OPENID_JWKS": str(jwks),
        "SAGAMART_OPENID_AUDIENCES": "shop-api",
        **changed,
    }


async def test_a_file_of_keys_is_read_by_the_settings_and_again_when_it_changes(tmp_path: Path) -> None:
    tokens = accepted_tokens(load(Settings, environment(tmp_path)))
    token = signed({**CLAIMS, "iat": 1, "exp": 2**40})
    with pytest.raises(KeysWantedError) as wanted:
        tokens.verify(token)
    await wanted.value.read()
    assert tokens.verify(token).id == ANNA.id


@pytest.mark.parametrize(
    "changed",
    [
        {"SAGAMART_OPENID_JWKS": ""},
        {"SAGAMART_OPENID_AUDIENCES": ""},
        {"SAGAMART_OPENID_JWKS": "/nowhere/keys.json"},
        {"SAGAMART_OPENID_JWKS": "http://login.example.com/keys"},
        {"SAGAMART_OPENID_ISSUER": "sagamart"},
        {"SAGAMART_OPENID_ALGORITHMS": "ES256", "SAGAMART_OPENID_JWKS": "only-edwards.json"},
    ],
    ids=str,
)
def test_a_provider_that_could_never_be_verified_stops_the_start(
    tmp_path: Path, changed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "only-edwards.json").write_text(json.dumps(PlayedProvider("edwards").key_set))
    settings = load(Settings, environment(tmp_path, **changed))
    with pytest.raises(KeyFileError, match="cannot be verified"):
        accepted_tokens(settings)
