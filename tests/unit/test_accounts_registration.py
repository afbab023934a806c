"""Registration: from what somebody typed to a command."""

from collections.abc import Iterator

import msgspec
import pytest

from sagamart.platform.http import Problem
from sagamart.shop.accounts.passwords import Passwords
from sagamart.shop.accounts.registration import NewCustomer, registration, staff_registration

MESSAGE_ID = "019aa000-0000-7000-8000-000000000001"
ANN = {"email": "Ann@Example.com", "password": "otter counts nine reeds", "name": "Ann"}


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    pool = Passwords()
    yield pool
    pool.close()


async def test_the_command_has_the_address_in_lower_case_and_the_hash_in_place_of_the_password(
    passwords: Passwords,
) -> None:
    command = (await registration(msgspec.convert(ANN, NewCustomer), passwords, "ru"))(MESSAGE_ID)
    assert command.customer_id == "cus_019aa000000070008000000000000001"
    assert (command.email, command.name, command.language) == ("ann@example.com", "Ann", "ru")
    assert await passwords.matches("otter counts nine reeds", command.password_hash)
    assert b"otter" not in msgspec.json.encode(command)


async def test_a_language_that_was_asked_for_goes_before_that_of_the_client(passwords: Passwords) -> None:
    command = (await registration(msgspec.convert(ANN | {"language": "en"}, NewCustomer), passwords, "ru"))(MESSAGE_ID)
    assert command.language == "en"


async def test_staff_get_their_roles_at_once(passwords: Passwords) -> None:
    made = await staff_registration(msgspec.convert(ANN, NewCustomer), ("ADMIN",), passwords)
    assert made(MESSAGE_ID).roles == ("ADMIN",)


async def test_a_password_that_anybody_would_try_is_refused(passwords: Passwords) -> None:
    with pytest.raises(Problem, match="password_guessable"):
        await registration(msgspec.convert(ANN | {"password": "Password1"}, NewCustomer), passwords, "en")


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "ann"},
        {"email": "ann@localhost"},
        {"email": "ann@example.com\n"},
        {"email": "ann lee@example.com"},
        {"email": "анна@example.com"},
        {"email": "ann@" + "a" * 60 + ("." + "b" * 60) * 4 + ".com"},
        {"password": "1234567"},
        {"password": "x" * 129},
        {"name": ""},
        {"name": "Ann\r\nBcc: all@example.com"},
        {"name": "x" * 101},
        {"language": "de"},
        {"roles": ["ADMIN"]},
        {"customer_id": "cus_1"},
    ],
    ids=lambda wrong: repr(wrong)[:40],
)
def test_what_cannot_be_right_is_refused_where_it_is_read(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(ANN | wrong), type=NewCustomer)


def test_a_printed_registration_shows_no_password() -> None:
    assert "otter" not in repr(msgspec.convert(ANN, NewCustomer))
