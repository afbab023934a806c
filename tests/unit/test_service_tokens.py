"""Each way in which a process may pretend to be another service."""

import stat
from collections.abc import Sequence
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sagamart.platform.internal.service_tokens import (
    LIFETIME_S,
    RENEWED_BEFORE_S,
    ServiceKeyError,
    ServiceKeys,
    ServiceTokens,
    load_service_keys,
    make_service_keys,
)
from sagamart.platform.tokens import Caller, TokenRefusedError, Tokens, key_id, keys_by_id

NOW = 1_800_000_000
SERVICES = ("orders", "stock", "wallet")
PRIVATE = {name: Ed25519PrivateKey.generate() for name in SERVICES}
PUBLIC = {name: (key.public_key(),) for name, key in PRIVATE.items()}


class Clock:
    """A clock that is set by hand, in seconds since 1970."""

    now_s = float(NOW)

    def __call__(self) -> float:
        return self.now_s


def process_of(services: Sequence[str], clock: Clock | None = None) -> ServiceTokens:
    """What a process that runs these services holds."""
    return ServiceTokens(ServiceKeys({name: PRIVATE[name] for name in services}, PUBLIC), now=clock or Clock())


def forged(*, key: str = "orders", typ: str = "service+jwt", subject: str = "orders", audience: str = "stock") -> str:
    claims = {"iss": "sagamart-internal", "aud": audience, "sub": subject, "iat": NOW - 1, "exp": NOW + 60}
    headers = {"typ": typ, "kid": key_id(PRIVATE[key].public_key())}
    return jwt.encode(claims, PRIVATE[key], algorithm="EdDSA", headers=headers)


def test_a_service_is_known_by_its_token() -> None:
    assert process_of(["stock"]).verify(process_of(["orders"]).sign("orders", "stock"), "stock") == "orders"
    assert process_of(["stock"]).verify(forged(), "stock") == "orders"


def test_a_service_cannot_speak_as_another_one() -> None:
    with pytest.raises(TokenRefusedError, match="key of another service"):
        process_of(["stock"]).verify(forged(key="wallet"), "stock")
    with pytest.raises(KeyError):
        process_of(["orders"]).sign("wallet", "stock")


@pytest.mark.parametrize(
    "token",
    [forged(audience="wallet"), forged(typ="at+jwt"), forged(typ="JWT"), forged() + "A", "", "a.b.c"],
)
def test_a_token_for_another_service_or_of_another_kind_is_refused(token: str) -> None:
    with pytest.raises(TokenRefusedError):
        process_of(["stock"]).verify(token, "stock")


def test_a_token_of_a_customer_is_no_service_token_and_the_other_way_round() -> None:
    public = keys_by_id(key for some in PUBLIC.values() for key in some)
    people = Tokens(public, issuer="sagamart-internal", audience="stock", signer=PRIVATE["orders"], now=Clock())
    with pytest.raises(TokenRefusedError):
        process_of(["stock"]).verify(people.sign(Caller("orders", frozenset({"ADMIN"}))), "stock")
    with pytest.raises(TokenRefusedError):
        people.verify(process_of(["orders"]).sign("orders", "stock"))


def test_a_token_is_used_until_it_nears_its_end_and_is_refused_after_it() -> None:
    clock = Clock()
    orders, stock = process_of(["orders"], clock), process_of(["stock"], clock)
    token = orders.sign("orders", "stock")
    clock.now_s = NOW + LIFETIME_S - RENEWED_BEFORE_S - 1
    assert orders.sign("orders", "stock") == token
    clock.now_s = NOW + LIFETIME_S - RENEWED_BEFORE_S
    assert orders.sign("orders", "stock") != token
    clock.now_s = NOW + LIFETIME_S
    with pytest.raises(TokenRefusedError):
        stock.verify(token, "stock")


def test_keys_are_made_once_and_private_ones_are_for_their_owner_only(tmp_path: Path) -> None:
    made = make_service_keys(tmp_path / "keys", SERVICES)
    assert [path.name for path in made] == ["orders.pem", "stock.pem", "wallet.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    assert make_service_keys(tmp_path / "keys", SERVICES) == []


def test_a_process_needs_only_its_own_private_key(tmp_path: Path) -> None:
    make_service_keys(tmp_path, SERVICES)
    (tmp_path / "wallet.pem").unlink()
    (tmp_path / "stock.pem").unlink()
    orders = ServiceTokens(load_service_keys(tmp_path, ["orders"], SERVICES))
    assert orders.verify(orders.sign("orders", "orders"), "orders") == "orders"


def test_while_a_key_is_replaced_both_count(tmp_path: Path) -> None:
    make_service_keys(tmp_path, SERVICES)
    before = ServiceTokens(load_service_keys(tmp_path, ["orders"], SERVICES)).sign("orders", "stock")
    (tmp_path / "orders.pub").rename(tmp_path / "orders.before.pub")
    (tmp_path / "orders.pem").unlink()
    make_service_keys(tmp_path, ["orders"])
    now = ServiceTokens(load_service_keys(tmp_path, ["orders"], SERVICES))
    assert {now.verify(token, "stock") for token in (before, now.sign("orders", "stock"))} == {"orders"}


def test_a_key_that_is_missing_is_named_with_what_to_do(tmp_path: Path) -> None:
    make_service_keys(tmp_path, SERVICES)
    (tmp_path / "stock.pub").write_text("no key")
    with pytest.raises(ServiceKeyError, match=r"stock\.pub.*sagamart service-keys.*SAGAMART_INTERNAL_KEYS"):
        load_service_keys(tmp_path, ["orders"], SERVICES)
    with pytest.raises(ServiceKeyError, match=r"payments\.pem"):
        load_service_keys(tmp_path, ["payments"], SERVICES)
