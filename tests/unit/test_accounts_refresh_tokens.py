"""Refresh tokens: their form, and what is kept of them."""

from hashlib import sha256

import pytest

from sagamart.shop.accounts.refresh_tokens import REFRESH_TOKEN_CHARACTERS_MAX, RefreshToken, new_family, parse

TEXT = f"ses_{'0' * 31}a.{'F' * 43}.{'s' * 43}"


def test_a_token_is_read_back_as_it_was_given() -> None:
    assert parse(TEXT) == RefreshToken(f"ses_{'0' * 31}a", "F" * 43, "s" * 43)
    token = new_family()
    assert parse(token.text) == token
    assert len(token.text) <= REFRESH_TOKEN_CHARACTERS_MAX


@pytest.mark.parametrize("text", ["", "ses_1.a.b", TEXT + "x", TEXT + "\n", TEXT.replace(".", ":"), "é" + TEXT[1:]])
def test_what_has_not_the_form_of_a_token_is_none(text: str) -> None:
    assert parse(text) is None


def test_the_next_token_keeps_the_family_and_nothing_else() -> None:
    token = parse(TEXT)
    assert token is not None
    following = token.next()
    assert (following.family_id, following.family_secret) == (token.family_id, token.family_secret)
    assert following.secret != token.secret


def test_only_digests_are_kept() -> None:
    token = parse(TEXT)
    assert token is not None
    assert token.family_hash == sha256(b"F" * 43).hexdigest()
    assert token.token_hash == sha256(b"s" * 43).hexdigest()


def test_a_printed_token_shows_no_secret() -> None:
    assert repr(parse(TEXT)) == f"RefreshToken(ses_{'0' * 31}a)"
