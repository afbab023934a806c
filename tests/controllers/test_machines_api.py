"""Programs that log in by themselves, and what happens to who fails to log in too often."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from sagamart.platform.http import Caller
from sagamart.shop.accounts.api import ROUTES
from sagamart.shop.accounts.service import ACCOUNTS
from shop_fixtures import TOKENS, RunningService, Started

BOSS = Caller("cus_boss", frozenset({"ADMIN"}))
TILL = {"name": "Till", "roles": ["OPERATOR", "STOCK_OPERATOR"]}
ANN = {"email": "ann@example.com", "password": "otter counts nine reeds"}


@pytest_asyncio.fixture
async def accounts(started: Started) -> RunningService:
    return await started(ACCOUNTS, ROUTES)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def admitted(accounts: RunningService, key: str | None = None) -> dict[str, Any]:
    answer = await accounts.post("/v1/clients", TILL, caller=BOSS, key=key)
    assert answer.status_code == 201
    machine: dict[str, Any] = answer.json()
    return machine


async def log_in(accounts: RunningService, machine: dict[str, Any], **other: str) -> httpx.Response:
    sent = {name: machine[name] for name in ("client_id", "client_secret")}
    return await accounts.post("/v1/tokens", {"grant_type": "client_credentials", **sent, **other}, key=None)


async def guess(accounts: RunningService, email: str = "ann@example.com", key: str | None = None) -> httpx.Response:
    return await accounts.post("/v1/tokens", {"email": email, "password": "wrong password"}, key=key)


async def failed_before(accounts: RunningService, times: int) -> None:
    """Let every account and client that has failed have failed so many times more."""
    await accounts.rows("update failed_log_ins set forgiven_at = forgiven_at + $1", timedelta(seconds=30) * times)


async def test_a_program_logs_in_with_its_secret_and_gets_an_access_token_alone(accounts: RunningService) -> None:
    machine = await admitted(accounts)
    answer = await log_in(accounts, machine)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    caller = TOKENS.verify(answer.json()["access_token"])
    assert (caller.id, sorted(caller.roles)) == (machine["client_id"], ["OPERATOR", "STOCK_OPERATOR"])


async def test_a_program_may_send_a_form_and_its_secret_by_the_basic_scheme(accounts: RunningService) -> None:
    machine = await admitted(accounts)
    grant = {"grant_type": "client_credentials"}
    names = (machine["client_id"], machine["client_secret"])
    by_scheme = await accounts.http.post("/v1/tokens", data=grant, auth=httpx.BasicAuth(*names))
    in_form = await accounts.http.post("/v1/tokens", data=grant | {"client_id": names[0], "client_secret": names[1]})
    assert (by_scheme.status_code, in_form.status_code) == (201, 201)
    wrong = await accounts.http.post("/v1/tokens", data=grant, auth=httpx.BasicAuth(names[0], "wrong"))
    assert (code(wrong), wrong.json()["error"]) == ((401, "wrong_credentials"), "invalid_client")
    torn = await accounts.http.post("/v1/tokens", data=grant, headers={"Authorization": "Basic x"})
    assert code(torn) == (401, "wrong_credentials")


async def test_a_secret_is_shown_once_and_kept_as_a_digest(accounts: RunningService) -> None:
    machine = await admitted(accounts, key="one")
    again = await accounts.post("/v1/clients", TILL, caller=BOSS, key="one")
    assert code(again) == (422, "key_reused")
    listed = (await accounts.get("/v1/clients", caller=BOSS)).json()["items"]
    assert [one["client_id"] for one in listed] == [machine["client_id"]]
    kept = str(listed)
    for (table,) in await accounts.rows("select tablename from pg_tables where schemaname = 'public'"):
        kept += str(await accounts.rows(f'select * from "{table}"'))
    assert machine["client_secret"] not in kept


async def test_a_dismissed_program_logs_in_no_more(accounts: RunningService) -> None:
    machine = await admitted(accounts)
    for _ in range(2):
        headers = {"Authorization": f"Bearer {TOKENS.sign(BOSS)}"}
        gone = await accounts.http.delete(f"/v1/clients/{machine['client_id']}", headers=headers)
        assert gone.status_code == 204
    assert code(await log_in(accounts, machine)) == (401, "wrong_credentials")


@pytest.mark.parametrize(
    "wrong",
    [{"roles": ["ADMIN"]}, {"roles": ["CUSTOMER"]}, {"roles": []}, {"name": ""}, {"client_id": "cli_1"}],
    ids=str,
)
async def test_a_program_never_administers(accounts: RunningService, wrong: dict[str, Any]) -> None:
    assert code(await accounts.post("/v1/clients", TILL | wrong, caller=BOSS)) == (400, "malformed")


@pytest.mark.parametrize(
    "body",
    [
        {"grant_type": "password", **ANN},
        {"email": "ann@example.com"},
        {"password": "x"},
        {"grant_type": "client_credentials", "client_id": "x" * 201},
    ],
    ids=str,
)
async def test_what_is_no_log_in_is_refused(accounts: RunningService, body: dict[str, str]) -> None:
    assert code(await accounts.post("/v1/tokens", body, key=None)) == (400, "malformed")


async def test_who_guesses_too_often_waits_and_so_does_who_guesses_at_nobodys_account(
    accounts: RunningService,
) -> None:
    await accounts.post("/v1/users", ANN | {"name": "Ann"}, key=None)
    for email in ("ann@example.com", "nobody@example.com"):
        assert code(await guess(accounts, email)) == (401, "wrong_credentials")
    await failed_before(accounts, 10)
    for email in ("ann@example.com", "nobody@example.com"):
        refused = await guess(accounts, email)
        assert code(refused) == (429, "too_many_requests")
        assert int(refused.headers["retry-after"]) >= 1
    assert code(await accounts.post("/v1/tokens", ANN, key=None)) == (429, "too_many_requests")


async def test_a_repeated_key_does_not_hide_a_guess(accounts: RunningService) -> None:
    for _ in range(2):
        assert code(await guess(accounts, key="one")) == (401, "wrong_credentials")
    until = [forgiven for (forgiven,) in await accounts.rows("select forgiven_at from failed_log_ins order by 1")]
    assert len(until) == 2
    assert until[1] > datetime.now(UTC) + timedelta(seconds=31)


async def test_a_program_that_guesses_waits_too(accounts: RunningService) -> None:
    machine = await admitted(accounts)
    assert code(await log_in(accounts, machine, client_secret="wrong")) == (401, "wrong_credentials")
    await failed_before(accounts, 10)
    assert code(await log_in(accounts, machine)) == (429, "too_many_requests")


async def test_who_logs_in_rightly_never_waits(accounts: RunningService) -> None:
    await accounts.post("/v1/users", ANN | {"name": "Ann"}, key=None)
    for _ in range(3):
        assert (await accounts.post("/v1/tokens", ANN, key=None)).status_code == 201
    assert await accounts.rows("select * from failed_log_ins") == []


async def test_failures_are_kept_without_names_and_addresses(accounts: RunningService) -> None:
    await guess(accounts)
    kept = str(await accounts.rows("select * from failed_log_ins")) + str(
        await accounts.rows("select key, body from requests")
    )
    assert "ann@example.com" not in kept
    assert "127.0.0.1" not in kept
