"""Accounts as a whole, with its own database, through its messages."""

import asyncio
import itertools
from typing import Any

import msgspec
import pytest_asyncio

from sagamart.contracts.accounts import CustomerRegistered, LetterRequested
from sagamart.messaging.message import Body
from sagamart.messaging.requests import StoredReply, request_of
from sagamart.shop.accounts.messages import (
    ChangeProfile,
    ChangeRoles,
    CreateStaff,
    EndSession,
    RegisterCustomer,
    RotateSession,
    StartSession,
)
from sagamart.shop.accounts.service import ACCOUNTS
from shop_fixtures import RunningService, Started, said

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
FAMILY, FIRST, SECOND, THIRD = ("f" * 64, "1" * 64, "2" * 64, "3" * 64)

ANN = RegisterCustomer("cus_ann", "ann@example.com", HASH, "Ann", "en")

_numbers = itertools.count(1)


@pytest_asyncio.fixture
async def accounts(started: Started) -> RunningService:
    return await started(ACCOUNTS)


async def wish(accounts: RunningService, body: Body, key: str | None = None) -> StoredReply:
    """Ask for this as a caller does, under a key of its own unless one is given."""
    return await accounts.worker.ask(
        said(body), request_of("somebody", "a route", key or str(next(_numbers)), "content")
    )


def told(reply: StoredReply) -> Any:
    return msgspec.json.decode(reply.body)


def facts(accounts: RunningService) -> list[Body]:
    """What it told, letters to write left out."""
    return [body for body in accounts.sent if not isinstance(body, LetterRequested)]


async def test_who_registers_is_kept_and_announced(accounts: RunningService) -> None:
    reply = await wish(accounts, ANN)
    assert (reply.status, told(reply)["email"], reply.location) == (201, "ann@example.com", "/v1/me")
    assert facts(accounts) == [CustomerRegistered("cus_ann", 1)]
    assert await accounts.rows("select customer_id, email, roles from users") == [
        ("cus_ann", "ann@example.com", '["CUSTOMER"]')
    ]


async def test_a_registration_that_is_sent_again_is_answered_again_and_happens_once(accounts: RunningService) -> None:
    first = await wish(accounts, ANN, "key")
    again = await wish(accounts, RegisterCustomer("cus_new", "ann@example.com", HASH, "Ann", "en"), "key")
    assert again == first
    assert facts(accounts) == [CustomerRegistered("cus_ann", 1)]


async def test_of_two_who_register_at_once_with_one_address_one_gets_it(accounts: RunningService) -> None:
    other = RegisterCustomer("cus_other", "ann@example.com", HASH, "Other Ann", "en")
    replies = await asyncio.gather(wish(accounts, ANN), wish(accounts, other))
    assert sorted(reply.status for reply in replies) == [201, 409]
    assert told(next(reply for reply in replies if reply.refused))["code"] == "email_taken"
    assert len(facts(accounts)) == 1


async def test_a_registration_sees_those_of_earlier_batches(accounts: RunningService) -> None:
    await wish(accounts, ANN)
    reply = await wish(accounts, RegisterCustomer("cus_other", "ann@example.com", HASH, "Other Ann", "en"))
    assert (reply.status, told(reply)["code"]) == (409, "email_taken")


async def test_a_log_in_goes_on_from_token_to_token_until_a_spent_one_is_shown(accounts: RunningService) -> None:
    await wish(accounts, ANN)
    begun = await wish(accounts, StartSession("ses_1", FAMILY, "cus_ann", FIRST))
    assert (begun.status, told(begun)["customer_id"], told(begun)["roles"]) == (201, "cus_ann", ["CUSTOMER"])

    assert (await wish(accounts, RotateSession("ses_1", FAMILY, FIRST, SECOND))).status == 200
    assert (await wish(accounts, RotateSession("ses_1", FAMILY, FIRST, THIRD))).status == 401
    assert (await wish(accounts, RotateSession("ses_1", FAMILY, SECOND, THIRD))).status == 401
    assert await accounts.rows("select generation, revoked_for from refresh_families") == [(2, "token_reused")]


async def test_of_two_refreshes_at_once_with_one_token_one_is_a_theft(accounts: RunningService) -> None:
    await wish(accounts, ANN)
    await wish(accounts, StartSession("ses_1", FAMILY, "cus_ann", FIRST))
    replies = await asyncio.gather(
        wish(accounts, RotateSession("ses_1", FAMILY, FIRST, SECOND)),
        wish(accounts, RotateSession("ses_1", FAMILY, FIRST, THIRD)),
    )
    assert sorted(reply.status for reply in replies) == [200, 401]
    assert await accounts.rows("select revoked_for from refresh_families") == [("token_reused",)]


async def test_after_logging_out_no_token_is_good(accounts: RunningService) -> None:
    await wish(accounts, ANN)
    await wish(accounts, StartSession("ses_1", FAMILY, "cus_ann", FIRST))
    assert (await wish(accounts, EndSession("ses_1", FAMILY))).status == 204
    assert (await wish(accounts, RotateSession("ses_1", FAMILY, FIRST, SECOND))).status == 401
    assert await accounts.rows("select revoked_for from refresh_families") == [("logged_out",)]


async def test_who_does_not_exist_gets_no_log_in_and_no_dead_letter(accounts: RunningService) -> None:
    assert (await wish(accounts, StartSession("ses_1", FAMILY, "cus_nobody", FIRST))).status == 401
    assert (await wish(accounts, RotateSession("ses_1", FAMILY, FIRST, SECOND))).status == 401
    assert (await wish(accounts, EndSession("ses_1", FAMILY))).status == 204
    assert await accounts.rows("select * from refresh_families") == []
    assert await accounts.rows("select * from dead_letters") == []


async def test_new_roles_are_in_the_next_refresh(accounts: RunningService) -> None:
    await wish(accounts, ANN)
    await wish(accounts, StartSession("ses_1", FAMILY, "cus_ann", FIRST))
    promoted = await wish(accounts, ChangeRoles("cus_ann", ("CUSTOMER", "OPERATOR"), "cus_boss", 1))
    assert (promoted.status, told(promoted)["version"]) == (200, 2)
    refreshed = await wish(accounts, RotateSession("ses_1", FAMILY, FIRST, SECOND))
    assert told(refreshed)["roles"] == ["CUSTOMER", "OPERATOR"]


async def test_staff_who_begin_to_shop_are_announced_then(accounts: RunningService) -> None:
    await wish(accounts, CreateStaff("cus_bob", "bob@example.com", HASH, "Bob", "en", ("OPERATOR",)))
    assert accounts.sent == []
    await wish(accounts, ChangeRoles("cus_bob", ("CUSTOMER", "OPERATOR"), "cus_boss", 1))
    assert facts(accounts) == [CustomerRegistered("cus_bob", 2)]


async def test_a_profile_is_changed_by_its_owner(accounts: RunningService) -> None:
    await wish(accounts, ANN)
    reply = await wish(accounts, ChangeProfile("cus_ann", name="Анна", language="ru"))
    assert (told(reply)["name"], told(reply)["language"], told(reply)["version"]) == ("Анна", "ru", 2)
    assert await accounts.rows("select name, language, version from users") == [("Анна", "ru", 2)]


async def test_what_is_kept_for_repeated_requests_holds_no_hash_and_no_digest(accounts: RunningService) -> None:
    await wish(accounts, ANN)
    await wish(accounts, StartSession("ses_1", FAMILY, "cus_ann", FIRST))
    await wish(accounts, RotateSession("ses_1", FAMILY, FIRST, SECOND))
    replies = b"".join(row[0] for row in await accounts.rows("select body from requests"))
    assert b"ses_1" in replies
    for secret in (b"argon2", FAMILY.encode(), FIRST.encode(), SECOND.encode()):
        assert secret not in replies
