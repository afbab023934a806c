"""The routes of accounts: what they answer, what they refuse, and to whom."""

from typing import Any

import httpx
import pytest
import pytest_asyncio

from sagamart.messaging.requests import request_of
from sagamart.platform.http import Caller
from sagamart.shop.accounts import passwords
from sagamart.shop.accounts.api import ROUTES
from sagamart.shop.accounts.records import NOBODYS_HASH
from sagamart.shop.accounts.service import ACCOUNTS
from shop_fixtures import TOKENS, RunningService, Started

ANN = {"email": "Ann@Example.com", "password": "otter counts nine reeds", "name": "Ann"}
BOSS = Caller("cus_00000000000000000000000000000000", frozenset({"ADMIN"}))
NOBODY = "cus_ffffffffffffffffffffffffffffffff"


@pytest_asyncio.fixture
async def accounts(started: Started) -> RunningService:
    return await started(ACCOUNTS, ROUTES)


def as_(caller: Caller, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS.sign(caller)}", **headers}


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def registered(accounts: RunningService, **other: str) -> Caller:
    answer = await accounts.post("/v1/users", ANN | other, key=None)
    assert answer.status_code == 201
    return Caller(answer.json()["id"], frozenset({"CUSTOMER"}))


async def logged_in(accounts: RunningService, **other: str) -> dict[str, Any]:
    credentials = {"email": ANN["email"], "password": ANN["password"]} | other
    answer = await accounts.post("/v1/tokens", credentials, key=None)
    assert answer.status_code == 201, answer.text
    pair: dict[str, Any] = answer.json()
    return pair


async def test_who_registers_gets_a_profile_and_no_secret(accounts: RunningService) -> None:
    answer = await accounts.post("/v1/users", ANN, key=None)
    assert answer.status_code == 201
    assert answer.headers["location"] == "/v1/me"
    profile = answer.json()
    assert profile["id"].startswith("cus_")
    assert (profile["email"], profile["name"], profile["language"]) == ("ann@example.com", "Ann", "en")
    assert profile["roles"] == ["CUSTOMER"]
    assert "password" not in answer.text
    assert "argon2" not in answer.text


async def test_who_reads_russian_is_written_to_in_russian(accounts: RunningService) -> None:
    answer = await accounts.http.post("/v1/users", json=ANN, headers={"Accept-Language": "ru-RU,en;q=0.5"})
    assert answer.json()["language"] == "ru"


async def test_a_registration_that_is_sent_twice_happens_once(accounts: RunningService) -> None:
    first = await accounts.post("/v1/users", ANN, key="one")
    again = await accounts.post("/v1/users", ANN, key="one")
    assert again.json() == first.json()
    assert again.status_code == 201


async def test_an_email_address_can_register_once_in_whatever_letters(accounts: RunningService) -> None:
    await registered(accounts)
    answer = await accounts.post("/v1/users", ANN | {"email": "ANN@example.COM"}, key=None)
    assert code(answer) == (409, "email_taken")


async def test_a_password_that_anybody_would_try_is_refused(accounts: RunningService) -> None:
    answer = await accounts.post("/v1/users", ANN | {"password": "Password123"}, key=None)
    assert code(answer) == (400, "password_guessable")


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "ann"},
        {"password": "short"},
        {"name": ""},
        {"language": "de"},
        {"roles": ["ADMIN"]},
        {"customer_id": "cus_1"},
    ],
    ids=str,
)
async def test_a_registration_that_cannot_be_right_names_the_field(
    accounts: RunningService, wrong: dict[str, object]
) -> None:
    answer = await accounts.post("/v1/users", ANN | wrong, key=None)
    assert code(answer) == (400, "malformed")
    assert next(iter(wrong)) in answer.json()["fields"][0]["field"]


async def test_a_log_in_gives_an_access_token_that_opens_the_own_profile(accounts: RunningService) -> None:
    ann = await registered(accounts)
    pair = await logged_in(accounts)
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 600)
    assert TOKENS.verify(pair["access_token"]).id == ann.id
    answer = await accounts.http.get("/v1/me", headers={"Authorization": f"Bearer {pair['access_token']}"})
    assert (answer.status_code, answer.json()["email"]) == (200, "ann@example.com")


async def test_tokens_are_kept_by_no_cache(accounts: RunningService) -> None:
    await registered(accounts)
    answer = await accounts.post("/v1/tokens", {"email": ANN["email"], "password": ANN["password"]}, key=None)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_wrong_password_and_an_unknown_user_get_the_same_answer_for_the_same_work(
    accounts: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await registered(accounts)
    compared: list[str] = []
    really = passwords._matches

    def noted(password: str, password_hash: str) -> bool:
        compared.append(password_hash)
        return really(password, password_hash)

    monkeypatch.setattr(passwords, "_matches", noted)
    wrong = await accounts.post("/v1/tokens", {"email": ANN["email"], "password": "otter counts ten reeds"}, key=None)
    unknown = await accounts.post("/v1/tokens", {"email": "bob@example.com", "password": "otter"}, key=None)
    assert code(wrong) == (401, "wrong_credentials")
    assert wrong.content == unknown.content
    assert [kept == NOBODYS_HASH for kept in compared] == [False, True]


async def test_a_log_in_cannot_be_replayed(accounts: RunningService) -> None:
    await registered(accounts)
    credentials = {"email": ANN["email"], "password": ANN["password"]}
    assert (await accounts.post("/v1/tokens", credentials, key="one")).status_code == 201
    assert code(await accounts.post("/v1/tokens", credentials, key="one")) == (422, "key_reused")


async def test_a_log_in_that_cannot_be_right_is_refused(accounts: RunningService) -> None:
    assert code(await accounts.post("/v1/tokens", {"email": "ann@example.com"}, key=None)) == (400, "malformed")


async def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_log_in(accounts: RunningService) -> None:
    await registered(accounts)
    first = await logged_in(accounts)
    answer = await accounts.post("/v1/tokens/refresh", {"refresh_token": first["refresh_token"]}, key=None)
    assert answer.status_code == 200
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["refresh_expires_at"] == first["refresh_expires_at"]

    for spent_or_ended in (first, second):
        token = {"refresh_token": spent_or_ended["refresh_token"]}
        assert code(await accounts.post("/v1/tokens/refresh", token, key=None)) == (401, "session_invalid")


async def test_a_forged_refresh_token_ends_nobodys_log_in(accounts: RunningService) -> None:
    await registered(accounts)
    token = (await logged_in(accounts))["refresh_token"]
    family = token.partition(".")[0]
    forged = {"refresh_token": f"{family}.{'A' * 43}.{'B' * 43}"}
    assert code(await accounts.post("/v1/tokens/refresh", forged, key=None)) == (401, "session_invalid")
    assert (await accounts.post("/v1/tokens/refresh", {"refresh_token": token}, key=None)).status_code == 200


@pytest.mark.parametrize("body", [{}, {"refresh_token": 1}, {"refresh_token": "x" * 201}], ids=str)
async def test_what_is_no_refresh_token_is_refused(accounts: RunningService, body: dict[str, object]) -> None:
    assert code(await accounts.post("/v1/tokens/refresh", body, key=None)) == (400, "malformed")
    assert code(await accounts.post("/v1/tokens/revocation", body, key=None)) == (400, "malformed")


async def test_an_invented_refresh_token_is_answered_like_one_that_has_ended(accounts: RunningService) -> None:
    invented = {"refresh_token": "invented"}
    assert code(await accounts.post("/v1/tokens/refresh", invented, key=None)) == (401, "session_invalid")
    assert (await accounts.post("/v1/tokens/revocation", invented, key=None)).status_code == 204


async def test_after_logging_out_the_refresh_token_is_good_no_more(accounts: RunningService) -> None:
    await registered(accounts)
    token = {"refresh_token": (await logged_in(accounts))["refresh_token"]}
    for _ in range(2):
        assert (await accounts.post("/v1/tokens/revocation", token, key=None)).status_code == 204
    assert code(await accounts.post("/v1/tokens/refresh", token, key=None)) == (401, "session_invalid")


async def test_logging_out_on_one_device_leaves_the_others(accounts: RunningService) -> None:
    await registered(accounts)
    phone, laptop = await logged_in(accounts), await logged_in(accounts)
    await accounts.post("/v1/tokens/revocation", {"refresh_token": phone["refresh_token"]}, key=None)
    answer = await accounts.post("/v1/tokens/refresh", {"refresh_token": laptop["refresh_token"]}, key=None)
    assert answer.status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/me"), ("PATCH", "/v1/me")])
async def test_nobody_has_no_profile(accounts: RunningService, method: str, path: str) -> None:
    assert code(await accounts.http.request(method, path, json={"name": "X"})) == (401, "unauthenticated")


async def test_a_profile_that_the_client_has_is_not_sent_again(accounts: RunningService) -> None:
    ann = await registered(accounts)
    first = await accounts.http.get("/v1/me", headers=as_(ann))
    assert first.headers["etag"] == '"1"'
    again = await accounts.http.get("/v1/me", headers=as_(ann, **{"If-None-Match": '"1"'}))
    assert (again.status_code, again.content) == (304, b"")


async def test_a_token_of_somebody_who_is_no_user_opens_no_profile(accounts: RunningService) -> None:
    assert code(await accounts.http.get("/v1/me", headers=as_(BOSS))) == (404, "not_found")
    assert code(await accounts.http.patch("/v1/me", json={"name": "X"}, headers=as_(BOSS))) == (404, "unknown_user")


async def test_name_and_language_can_be_changed(accounts: RunningService) -> None:
    ann = await registered(accounts)
    answer = await accounts.http.patch("/v1/me", json={"name": "Анна", "language": "ru"}, headers=as_(ann))
    assert (answer.status_code, answer.json()["name"], answer.json()["version"]) == (200, "Анна", 2)
    stale = await accounts.http.patch("/v1/me", json={"name": "Ann"}, headers=as_(ann, **{"If-Match": '"1"'}))
    assert code(stale) == (412, "version_changed")


@pytest.mark.parametrize("smuggled", [{"roles": ["ADMIN"]}, {"email": "x@example.com"}, {"name": "A\nB"}], ids=str)
async def test_nothing_else_of_a_profile_can_be_changed(accounts: RunningService, smuggled: dict[str, object]) -> None:
    ann = await registered(accounts)
    answer = await accounts.http.patch("/v1/me", json=smuggled, headers=as_(ann))
    assert code(answer) == (400, "malformed")


async def test_an_administrator_gives_roles_under_the_version_seen(accounts: RunningService) -> None:
    ann = await registered(accounts)
    seen = await accounts.http.get(f"/v1/users/{ann.id}", headers=as_(BOSS))
    assert (seen.status_code, seen.json()["name"]) == (200, "Ann")
    wanted = {"roles": ["OPERATOR", "CUSTOMER"]}
    path = f"/v1/users/{ann.id}/roles"
    answer = await accounts.http.put(path, json=wanted, headers=as_(BOSS, **{"If-Match": seen.headers["etag"]}))
    assert (answer.status_code, answer.json()["roles"]) == (200, ["CUSTOMER", "OPERATOR"])
    again = await accounts.http.put(
        path, json={"roles": ["ADMIN"]}, headers=as_(BOSS, **{"If-Match": seen.headers["etag"]})
    )
    assert code(again) == (412, "version_changed")
    blind = await accounts.http.put(path, json=wanted, headers=as_(BOSS))
    assert code(blind) == (428, "version_required")


@pytest.mark.parametrize("role", ["CUSTOMER", "OPERATOR", "STOCK_OPERATOR", "SHIPPING_OPERATOR"])
async def test_only_administrators_see_and_change_other_users(accounts: RunningService, role: str) -> None:
    ann = await registered(accounts)
    caller = Caller(ann.id, frozenset({role}))
    change = {"headers": as_(caller, **{"If-Match": '"1"'}), "json": {"roles": ["ADMIN"]}}
    assert code(await accounts.http.get(f"/v1/users/{ann.id}", headers=as_(caller))) == (403, "forbidden")
    assert code(await accounts.http.put(f"/v1/users/{ann.id}/roles", **change)) == (403, "forbidden")  # type: ignore[arg-type]  # a dict of two kinds


@pytest.mark.parametrize("role", ["OPERATOR", "ADMIN"])
async def test_staff_find_a_user_by_the_e_mail_address_that_they_were_told(accounts: RunningService, role: str) -> None:
    ann = await registered(accounts)
    who = Caller(BOSS.id, frozenset({role}))
    found = await accounts.get("/v1/users?email=ANN@example.com", caller=who)
    assert [(one["id"], one["roles"]) for one in found.json()["items"]] == [(ann.id, ["CUSTOMER"])]
    nobody = await accounts.get("/v1/users?email=ann@example.co", caller=who)
    assert (nobody.status_code, nobody.json()["items"]) == (200, [])


async def test_customers_are_found_by_nothing_else_and_by_nobody_else(accounts: RunningService) -> None:
    await registered(accounts)
    assert code(await accounts.get("/v1/users", caller=BOSS)) == (400, "malformed")
    for role in ("CUSTOMER", "STOCK_OPERATOR", "SHIPPING_OPERATOR"):
        caller = Caller(NOBODY, frozenset({role}))
        assert code(await accounts.get("/v1/users?email=ann@example.com", caller=caller)) == (403, "forbidden")


async def test_those_who_work_here_are_listed_page_by_page(accounts: RunningService) -> None:
    staff = []
    for number, roles in enumerate([["OPERATOR"], ["CUSTOMER"], ["CUSTOMER", "STOCK_OPERATOR"], ["ADMIN"]]):
        user = await registered(accounts, email=f"ann{number}@example.com")
        headers = as_(BOSS, **{"If-Match": '"1"'})
        await accounts.http.put(f"/v1/users/{user.id}/roles", json={"roles": roles}, headers=headers)
        staff += [user.id] if roles != ["CUSTOMER"] else []

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        path = f"/v1/users?staff=true&limit=2{cursor and f'&cursor={cursor}'}"
        page = (await accounts.get(path, caller=BOSS)).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]

    assert seen == sorted(staff)


async def test_nobody_sees_or_changes_users(accounts: RunningService) -> None:
    path = f"/v1/users/{NOBODY}"
    assert code(await accounts.http.get(path)) == (401, "unauthenticated")
    assert code(await accounts.http.put(f"{path}/roles", json={"roles": ["ADMIN"]})) == (401, "unauthenticated")


async def test_who_does_not_exist_has_no_roles(accounts: RunningService) -> None:
    headers = as_(BOSS, **{"If-Match": '"1"'})
    assert code(await accounts.http.get(f"/v1/users/{NOBODY}", headers=headers)) == (404, "not_found")
    answer = await accounts.http.put(f"/v1/users/{NOBODY}/roles", json={"roles": ["ADMIN"]}, headers=headers)
    assert code(answer) == (404, "unknown_user")


@pytest.mark.parametrize("roles", [[], ["OWNER"], ["ADMIN"] * 6, "ADMIN"], ids=str)
async def test_roles_that_are_none_are_refused(accounts: RunningService, roles: object) -> None:
    headers = as_(BOSS, **{"If-Match": '"1"'})
    answer = await accounts.http.put(f"/v1/users/{NOBODY}/roles", json={"roles": roles}, headers=headers)
    assert code(answer) == (400, "malformed")


async def test_what_is_no_user_id_is_refused(accounts: RunningService) -> None:
    assert code(await accounts.http.get("/v1/users/cus_1%0a", headers=as_(BOSS))) == (400, "malformed")


async def test_the_public_keys_are_public_and_hold_no_private_part(accounts: RunningService) -> None:
    answer = await accounts.http.get("/.well-known/jwks.json")
    assert answer.json() == TOKENS.jwks()
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert all("d" not in key for key in answer.json()["keys"])


async def test_nothing_that_is_kept_holds_a_password_or_a_token(accounts: RunningService) -> None:
    await registered(accounts)
    first = await logged_in(accounts)
    answer = await accounts.post("/v1/tokens/refresh", {"refresh_token": first["refresh_token"]}, key=None)
    second = answer.json()
    kept = ""
    for (table,) in await accounts.rows("select tablename from pg_tables where schemaname = 'public'"):
        kept += str(await accounts.rows(f'select * from "{table}"'))
    assert "ann@example.com" in kept
    secrets = [ANN["password"], first["access_token"], second["access_token"]]
    secrets += first["refresh_token"].split(".")[1:] + second["refresh_token"].split(".")[1:]
    assert [secret for secret in secrets if secret in kept] == []


async def test_what_is_kept_of_a_registration_does_not_help_to_guess_its_password(accounts: RunningService) -> None:
    await accounts.post("/v1/users", ANN, key="one")
    [(kept,)] = await accounts.rows("select fingerprint from requests")
    without = request_of("x", "x", "x", (ANN["email"].lower(), ANN["name"], None)).fingerprint
    assert kept == without
