"""Passwords: which are refused, and how they are hashed."""

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from sagamart.messaging.requests import Overloaded
from sagamart.shop.accounts.passwords import COMMON, HASHING_THREADS_MAX, Passwords, _argon2, is_guessable
from sagamart.shop.accounts.records import NOBODYS_HASH


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    pool = Passwords()
    yield pool
    pool.close()


async def test_a_password_matches_its_hash_and_no_other(passwords: Passwords) -> None:
    kept = await passwords.hash("otter counts nine reeds")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await passwords.matches("otter counts nine reeds", kept)
    assert not await passwords.matches("otter counts ten reeds", kept)


async def test_two_users_with_one_password_have_different_hashes(passwords: Passwords) -> None:
    assert await passwords.hash("otter counts nine reeds") != await passwords.hash("otter counts nine reeds")


async def test_a_password_does_not_depend_on_how_the_keyboard_composes_letters(passwords: Passwords) -> None:
    kept = await passwords.hash("caf\u00e9 au lait")
    assert await passwords.matches("cafe\u0301 au lait", kept)


async def test_nobody_has_a_password(passwords: Passwords) -> None:
    assert not await passwords.matches("", None)
    assert not await passwords.matches("otter counts nine reeds", None)


def test_comparing_with_nobodys_hash_takes_as_long_as_with_anybodys() -> None:
    assert not _argon2.check_needs_rehash(NOBODYS_HASH)


async def test_more_hashes_than_are_admitted_are_refused_at_once() -> None:
    with closing(Passwords(admitted_max=2)) as pool:
        wanted = [pool.matches("x", None) for _ in range(3)]
        first, second, third = await asyncio.gather(*wanted, return_exceptions=True)
    assert (first, second) == (False, False)
    assert isinstance(third, Overloaded)


async def test_who_hangs_up_in_the_queue_leaves_the_place_to_others() -> None:
    with closing(Passwords(admitted_max=HASHING_THREADS_MAX + 1)) as pool:
        for _ in range(3 * HASHING_THREADS_MAX):
            waiting = asyncio.ensure_future(pool.matches("x", None))
            asyncio.get_running_loop().call_soon(waiting.cancel)
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert await pool.matches("x", None) is False


@pytest.mark.parametrize(
    "password",
    ["password1", "PassWord1", "12345678", "йцукенгш", "ann@example.com", "Ann.Of.Green.Gables", "\uff50assword1"],
)
def test_what_anybody_would_try_first_is_no_password(password: str) -> None:
    email = "ann@example.com" if "@" in password else "ann.of.green.gables@example.com"
    assert is_guessable(password, email)


def test_a_sentence_of_ones_own_is_a_password() -> None:
    assert not is_guessable("otter counts nine reeds", "ann@example.com")


def test_the_list_of_common_passwords_holds_only_what_could_be_chosen() -> None:
    assert len(COMMON) > 200
    assert [one for one in COMMON if not 8 <= len(one) <= 128 or one != one.casefold()] == []
