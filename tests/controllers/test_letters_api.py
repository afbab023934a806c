"""What letters lead to: confirming an e-mail address, choosing a new password; and who is told how to write to whom."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from sagamart.contracts.accounts import (
    Contact,
    Contacts,
    EmailConfirmationRequested,
    LetterRequested,
    PasswordResetRequested,
)
from sagamart.platform.http import Caller, queries_of
from sagamart.shop.accounts.api import ROUTES
from sagamart.shop.accounts.contacts import AccountContacts
from sagamart.shop.accounts.service import ACCOUNTS
from shop_fixtures import TOKENS, RunningService, Started

PASSWORD = "otter counts nine reeds"
NEW_PASSWORD = "heron counts eight frogs"
ANN = {"email": "ann@example.com", "password": PASSWORD, "name": "Ann"}

Post = Callable[..., Awaitable[httpx.Response]]


@pytest_asyncio.fixture
async def accounts(started: Started) -> RunningService:
    service = await started(ACCOUNTS, ROUTES)
    (await service.post("/v1/users", ANN, key=None)).raise_for_status()
    return service


def contacts(accounts: RunningService) -> Contacts:
    return AccountContacts(queries_of("sagamart.shop.accounts", accounts.pool), TOKENS)


async def letter(accounts: RunningService, kind: type[LetterRequested]) -> str:
    """What the link of the last letter of this kind holds."""
    last = [sent for sent in accounts.sent if isinstance(sent, kind)][-1]
    text = await contacts(accounts).token(last.token_id)
    assert text is not None
    return text


def ann(accounts: RunningService) -> Caller:
    registered = next(sent for sent in accounts.sent if isinstance(sent, EmailConfirmationRequested))
    return Caller(registered.customer_id, frozenset({"CUSTOMER"}))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def log_in(accounts: RunningService, password: str) -> httpx.Response:
    return await accounts.post("/v1/tokens", {"email": ANN["email"], "password": password}, key=None)


async def forget(accounts: RunningService, email: str = "Ann@example.com") -> httpx.Response:
    return await accounts.post("/v1/users/password-reset", {"email": email}, key=None)


async def choose(accounts: RunningService, token: str, password: str = NEW_PASSWORD) -> httpx.Response:
    return await accounts.post("/v1/users/password", {"token": token, "password": password}, key=None)


async def confirm(accounts: RunningService, token: str) -> httpx.Response:
    return await accounts.post("/v1/users/confirmation", {"token": token}, key=None)


async def test_the_token_of_the_letter_confirms_the_address_once(accounts: RunningService) -> None:
    token = await letter(accounts, EmailConfirmationRequested)
    before = await accounts.get("/v1/me", caller=ann(accounts))
    assert before.json()["email_confirmed"] is False
    assert (await confirm(accounts, token)).status_code == 204
    assert (await accounts.get("/v1/me", caller=ann(accounts))).json()["email_confirmed"] is True
    assert code(await confirm(accounts, token)) == (400, "token_invalid")


async def test_a_letter_is_sent_once_more_when_it_is_asked_for_but_not_every_second(accounts: RunningService) -> None:
    for key in ("one", "two"):
        answer = await accounts.post("/v1/me/confirmation", None, caller=ann(accounts), key=key)
        assert answer.status_code == 202
    assert len([sent for sent in accounts.sent if isinstance(sent, EmailConfirmationRequested)]) == 2


async def test_a_new_password_ends_every_log_in_and_the_old_password(accounts: RunningService) -> None:
    phone = (await log_in(accounts, PASSWORD)).json()["refresh_token"]
    laptop = (await log_in(accounts, PASSWORD)).json()["refresh_token"]
    assert (await forget(accounts)).status_code == 202
    token = await letter(accounts, PasswordResetRequested)
    assert (await choose(accounts, token)).status_code == 204
    for refresh_token in (phone, laptop):
        answer = await accounts.post("/v1/tokens/refresh", {"refresh_token": refresh_token}, key=None)
        assert code(answer) == (401, "session_invalid")
    assert code(await log_in(accounts, PASSWORD)) == (401, "wrong_credentials")
    assert (await log_in(accounts, NEW_PASSWORD)).status_code == 201
    assert code(await choose(accounts, token)) == (400, "token_invalid")


async def test_nobody_learns_who_has_an_account(accounts: RunningService) -> None:
    known, unknown = await forget(accounts), await forget(accounts, "bob@example.com")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    assert [sent.customer_id for sent in accounts.sent if isinstance(sent, PasswordResetRequested)] == [
        ann(accounts).id
    ]


async def test_both_answers_wait_for_the_same_moment(accounts: RunningService) -> None:
    known, unknown = await forget(accounts), await forget(accounts, "bob@example.com")
    assert known.elapsed >= timedelta(seconds=0.49)
    assert unknown.elapsed >= timedelta(seconds=0.49)


async def test_an_account_is_sent_one_letter_a_minute_whoever_asks(accounts: RunningService) -> None:
    for _ in range(3):
        assert (await forget(accounts)).status_code == 202
    assert len([sent for sent in accounts.sent if isinstance(sent, PasswordResetRequested)]) == 1


async def test_a_token_is_good_for_its_purpose_alone(accounts: RunningService) -> None:
    await forget(accounts)
    assert code(await confirm(accounts, await letter(accounts, PasswordResetRequested))) == (400, "token_invalid")
    confirmation = await letter(accounts, EmailConfirmationRequested)
    assert code(await choose(accounts, confirmation)) == (400, "token_invalid")
    assert (await log_in(accounts, PASSWORD)).status_code == 201


@pytest.mark.parametrize("wrong", ["", "x", "tok_" + "0" * 32, "last letter", "other id"])
async def test_a_token_that_we_have_not_sealed_is_refused(accounts: RunningService, wrong: str) -> None:
    token = await letter(accounts, EmailConfirmationRequested)
    if wrong == "last letter":
        wrong = token[:-1] + ("A" if token[-1] != "A" else "Q")
    if wrong == "other id":
        wrong = f"tok_{'0' * 32}.{token.partition('.')[2]}"
    assert code(await confirm(accounts, wrong)) == (400, "token_invalid")
    assert code(await choose(accounts, wrong)) == (400, "token_invalid")


async def test_an_expired_token_has_no_text_any_more(accounts: RunningService) -> None:
    sent = next(sent for sent in accounts.sent if isinstance(sent, EmailConfirmationRequested))
    await accounts.rows("update one_time_tokens set expires_at = $1", datetime(2020, 1, 1, tzinfo=UTC))
    assert await contacts(accounts).token(sent.token_id) is None


async def test_a_new_password_is_as_good_as_a_first_one(accounts: RunningService) -> None:
    await forget(accounts)
    token = await letter(accounts, PasswordResetRequested)
    assert code(await choose(accounts, token, "Password123")) == (400, "password_guessable")
    assert code(await choose(accounts, token, "short")) == (400, "malformed")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/users/confirmation", {}),
        ("/v1/users/confirmation", {"token": "x" * 201}),
        ("/v1/users/password-reset", {"email": "ann"}),
        ("/v1/users/password", {"token": "x"}),
    ],
)
async def test_what_cannot_be_right_is_refused(accounts: RunningService, path: str, body: Any) -> None:
    assert code(await accounts.post(path, body, key=None)) == (400, "malformed")


async def test_who_writes_letters_gets_address_name_and_language(accounts: RunningService) -> None:
    found = await contacts(accounts).contact(ann(accounts).id)
    assert found == Contact(ann(accounts).id, "ann@example.com", "Ann", "en", email_confirmed=False)
    assert "ann@example.com" not in repr(found)
    assert await contacts(accounts).contact("cus_nobody") is None
    assert await contacts(accounts).token("tok_unknown") is None


async def test_no_message_and_no_row_holds_a_token(accounts: RunningService) -> None:
    await forget(accounts)
    seals = [
        (await letter(accounts, kind)).partition(".")[2]
        for kind in (EmailConfirmationRequested, PasswordResetRequested)
    ]
    kept = str(accounts.sent)
    for (table,) in await accounts.rows("select tablename from pg_tables where schemaname = 'public'"):
        kept += str(await accounts.rows(f'select * from "{table}"'))
    assert [seal for seal in seals if seal in kept] == []
    assert "ann@example.com" not in str(accounts.sent)
