"""The tables of accounts: what they keep and what they refuse."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from sagamart.messaging.database import Changes, ConflictError, RejectedError
from sagamart.messaging.postgres import PostgresDatabase
from sagamart.messaging.records import need_by
from sagamart.messaging.service import Service
from sagamart.shop.accounts.records import (
    AddressBook,
    Administrators,
    FailedLogIns,
    Machine,
    OneTimeToken,
    User,
)
from sagamart.shop.accounts.service import ACCOUNTS
from table_rows import ANN, AT, DIGEST, HOME, LOG_IN


@pytest_asyncio.fixture
async def database(database_of: Callable[[Service], Awaitable[str]]) -> AsyncIterator[PostgresDatabase]:
    made = PostgresDatabase(ACCOUNTS, await database_of(ACCOUNTS), node="test")
    yield made
    await made.close()


async def write(database: PostgresDatabase, *rows: msgspec.Struct) -> None:
    async with database.transaction() as transaction:
        await transaction.write(Changes(new={type(row): [row] for row in rows}))


async def test_a_user_is_found_by_email_address(database: PostgresDatabase) -> None:
    await write(database, ANN)
    async with database.transaction() as transaction:
        found = await transaction.load_more([need_by(User, "email", "ann@example.com", "bob@example.com")])
    assert found == {User: [ANN]}


async def test_an_email_address_has_one_user_even_where_two_register_at_once(database: PostgresDatabase) -> None:
    await write(database, ANN)
    with pytest.raises(ConflictError, match="email_has_one_user"):
        await write(database, msgspec.structs.replace(ANN, customer_id="cus_other"))


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"email": "Ann@example.com"}, "email_is_lower_case"),
        ({"password_hash": "otter counts nine reeds"}, "only_argon2id_is_kept"),
        ({"language": "de"}, "language_is_spoken"),
        ({"roles": ("CUSTOMER", "OWNER")}, "roles_are_known"),
        ({"new_email": "anna@example.com"}, "new_email_has_its_token"),
        (
            {"name": "", "erased_at": AT, "new_email": "anna@example.com", "new_email_token": "tok_1"},
            "who_was_erased_moves_nowhere",
        ),
    ],
    ids=str,
)
async def test_the_users_table_refuses_what_the_rules_would_never_write(
    database: PostgresDatabase, wrong: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await write(database, msgspec.structs.replace(ANN, **wrong))


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"customer_id": "cus_nobody"}, "family_has_a_user"),
        ({"family_hash": "a secret as it stands"}, "family_secret_is_digested"),
        ({"token_hash": "a secret as it stands"}, "token_secret_is_digested"),
        ({"generation": 0}, "generations_count_from_one"),
        ({"revoked_for": "fun"}, "reason_is_known"),
    ],
    ids=str,
)
async def test_the_table_of_log_ins_refuses_what_the_rules_would_never_write(
    database: PostgresDatabase, wrong: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await write(database, ANN, msgspec.structs.replace(LOG_IN, **wrong))


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        (OneTimeToken(1, "tok_1", "cus_nobody", "confirmation", AT), "token_has_a_user"),
        (OneTimeToken(1, "tok_1", "cus_ann", "fun", AT), "purpose_is_known"),  # type: ignore[arg-type]  # what no rule would write
        (AddressBook(1, "cus_nobody"), "addresses_have_a_user"),
        (AddressBook(1, "cus_ann", (HOME,) * 21), "addresses_are_few"),
        (FailedLogIns(1, "ann@example.com", AT), "origin_is_digested"),
        (Machine(1, "cli_1", "Till", "secret", ("OPERATOR",), "cus_ann", AT), "secret_is_digested"),
        (Machine(1, "cli_1", "Till", DIGEST, ("ADMIN",), "cus_ann", AT), "machines_administer_nothing"),  # type: ignore[arg-type]  # the same
        (Administrators(1, "others", ("cus_ann",)), "there_is_one_list"),
        (Administrators(1, "administrators", "cus_ann"), "ids_are_a_list"),  # type: ignore[arg-type]  # the same
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
async def test_the_other_tables_refuse_what_the_rules_would_never_write(
    database: PostgresDatabase, wrong: msgspec.Struct, constraint: str
) -> None:
    await write(database, ANN)
    with pytest.raises(RejectedError, match=constraint):
        await write(database, wrong)


async def test_who_was_erased_has_no_name(database: PostgresDatabase) -> None:
    with pytest.raises(RejectedError, match="who_was_erased_has_no_name"):
        await write(database, msgspec.structs.replace(ANN, erased_at=AT))
