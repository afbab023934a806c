"""Another password and another e-mail address over HTTP: with the present password, and the letter that comes back."""

from datetime import UTC, datetime

import httpx
import pytest_asyncio

from sagamart.contracts.accounts import EmailChangeRequested, LetterRequested, PasswordResetRequested
from sagamart.platform.http import Caller, queries_of
from sagamart.shop.accounts.api import ROUTES
from sagamart.shop.accounts.contacts import AccountContacts
from sagamart.shop.accounts.service import ACCOUNTS
from shop_fixtures import TOKENS, RunningService, Started

OLD, NEW = "ann@old.example", "ann@new.example"
PASSWORD, NEW_PASSWORD = "otter counts nine reeds", "heron counts eight frogs"


@pytest_asyncio.fixture
async def accounts(started: Started) -> RunningService:
    service = await started(ACCOUNTS, ROUTES)
    newcomer = {"email": OLD, "password": PASSWORD, "name": "Ann"}
    (await service.post("/v1/users", newcomer, key=None)).raise_for_status()
    return service


async def log_in(accounts: RunningService, password: str, email: str = OLD) -> httpx.Response:
    return await accounts.post("/v1/tokens", {"email": email, "password": password}, key=None)


async def logged_in(accounts: RunningService) -> tuple[Caller, str]:
    """Somebody with the token of a log-in, and its refresh token."""
    pair = (await log_in(accounts, PASSWORD)).raise_for_status().json()
    return TOKENS.verify(pair["access_token"]), pair["refresh_token"]


async def choose(accounts: RunningService, ann: Caller, current: str, password: str = NEW_PASSWORD) -> httpx.Response:
    wish = {"current_password": current, "password": password}
    return await accounts.send("PUT", "/v1/me/password", wish, caller=ann)


async def move(accounts: RunningService, ann: Caller, current: str = PASSWORD) -> httpx.Response:
    wish = {"email": "Ann@New.example", "current_password": current}
    return await accounts.post("/v1/me/email", wish, caller=ann, key=None)


async def refresh(accounts: RunningService, token: str) -> httpx.Response:
    return await accounts.post("/v1/tokens/refresh", {"refresh_token": token}, key=None)


async def letter(accounts: RunningService, kind: type[LetterRequested]) -> str | None:
    """What the link of the last letter of this kind holds."""
    last = [sent for sent in accounts.sent if isinstance(sent, kind)][-1]
    return await AccountContacts(queries_of("sagamart.shop.accounts", accounts.pool), TOKENS).token(last.token_id)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_new_password_takes_the_place_of_the_present_one_and_ends_the_other_log_ins(
    accounts: RunningService,
) -> None:
    ann, here = await logged_in(accounts)
    _, elsewhere = await logged_in(accounts)

    assert (await choose(accounts, ann, PASSWORD)).status_code == 204

    assert (await refresh(accounts, here)).status_code == 200
    assert code(await refresh(accounts, elsewhere)) == (401, "session_invalid")
    assert code(await log_in(accounts, PASSWORD)) == (401, "wrong_credentials")
    assert (await log_in(accounts, NEW_PASSWORD)).status_code == 201


async def test_without_the_present_password_nothing_changes_and_guesses_are_counted(accounts: RunningService) -> None:
    ann, here = await logged_in(accounts)

    assert code(await choose(accounts, ann, NEW_PASSWORD)) == (403, "wrong_password")
    assert code(await move(accounts, ann, NEW_PASSWORD)) == (403, "wrong_password")
    assert code(await choose(accounts, ann, PASSWORD, "Password123")) == (400, "password_guessable")
    assert len(await accounts.rows("select * from failed_log_ins")) == 2  # the account, and the client
    await accounts.rows("update failed_log_ins set forgiven_at = $1", datetime(2999, 1, 1, tzinfo=UTC))
    locked = await choose(accounts, ann, PASSWORD)

    assert code(locked) == (429, "too_many_requests")
    assert int(locked.headers["retry-after"]) > 0
    assert (await refresh(accounts, here)).status_code == 200
    stranger = Caller("cus_" + "0" * 32, frozenset({"CUSTOMER"}))
    assert code(await choose(accounts, stranger, PASSWORD)) == (404, "not_found")


async def test_the_account_moves_when_the_letter_to_the_new_address_comes_back(accounts: RunningService) -> None:
    ann, here = await logged_in(accounts)
    await accounts.post("/v1/users/password-reset", {"email": OLD}, key=None)
    await accounts.rows("update users set letter_asked_at = null")

    assert (await move(accounts, ann)).status_code == 202
    again = await move(accounts, ann)

    assert (*code(again), again.headers["retry-after"]) == (429, "letter_too_soon", "60")
    waiting = (await accounts.get("/v1/me", caller=ann)).json()
    assert (waiting["email"], waiting["new_email"]) == (OLD, NEW)
    link = await letter(accounts, EmailChangeRequested)
    confirmed = await accounts.post("/v1/users/confirmation", {"token": link}, key=None)
    assert confirmed.status_code == 204
    moved = (await accounts.get("/v1/me", caller=ann)).json()
    assert (moved["email"], moved["new_email"], moved["email_confirmed"]) == (NEW, None, True)
    assert code(await log_in(accounts, PASSWORD)) == (401, "wrong_credentials")
    assert (await log_in(accounts, PASSWORD, NEW)).status_code == 201
    assert code(await refresh(accounts, here)) == (401, "session_invalid")
    assert await letter(accounts, PasswordResetRequested) is None  # a link in the former mailbox opens nothing
    assert code(await accounts.post("/v1/users/confirmation", {"token": link}, key=None)) == (400, "token_invalid")


async def test_an_address_that_somebody_has_is_not_given_twice(accounts: RunningService) -> None:
    ann, _ = await logged_in(accounts)
    await accounts.post("/v1/users", {"email": NEW, "password": PASSWORD, "name": "Eve"}, key=None)

    assert code(await move(accounts, ann)) == (409, "email_taken")
    assert NEW not in str(accounts.sent)
