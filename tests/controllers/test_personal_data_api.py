"""What people keep with accounts: addresses, a copy of everything, and being forgotten."""

from typing import Any

import httpx
import pytest
import pytest_asyncio

from sagamart.contracts.accounts import CustomerErased
from sagamart.platform.http import Caller
from sagamart.shop.accounts.api import ROUTES
from sagamart.shop.accounts.messages import CreateStaff
from sagamart.shop.accounts.service import ACCOUNTS
from shop_fixtures import TOKENS, RunningService, Started

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
ANN = {"email": "ann@example.com", "password": "otter counts nine reeds", "name": "Ann"}
HOME = {
    "recipient": "Ann Lee",
    "phone": "+44 20 7946 0000",
    "country": "GB",
    "postal_code": "N1 9GU",
    "city": "London",
    "street": "12 Reed Lane",
}


@pytest_asyncio.fixture
async def accounts(started: Started) -> RunningService:
    return await started(ACCOUNTS, ROUTES)


@pytest_asyncio.fixture
async def ann(accounts: RunningService) -> Caller:
    answer = await accounts.post("/v1/users", ANN, key=None)
    return Caller(answer.json()["id"], frozenset({"CUSTOMER"}))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def call(
    accounts: RunningService, method: str, path: str, caller: Caller, body: Any = None, **headers: str
) -> httpx.Response:
    sent = {"Authorization": f"Bearer {TOKENS.sign(caller)}"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return await accounts.http.request(method, path, json=body, headers=sent)


async def add(accounts: RunningService, caller: Caller, **other: Any) -> httpx.Response:
    return await call(accounts, "POST", "/v1/me/addresses", caller, HOME | other)


def cities(answer: httpx.Response) -> list[str]:
    """The cities of a book, the default one marked."""
    return [one["city"] + ("*" if one["default"] else "") for one in answer.json()["addresses"]]


async def test_the_first_address_is_the_default_until_another_is_named(accounts: RunningService, ann: Caller) -> None:
    first = await add(accounts, ann)
    assert (first.status_code, cities(first)) == (201, ["London*"])
    assert first.headers["location"] == f"/v1/me/addresses/{first.json()['addresses'][0]['id']}"
    assert cities(await add(accounts, ann, city="Leeds")) == ["London*", "Leeds"]
    assert cities(await add(accounts, ann, city="York", default=True)) == ["London", "Leeds", "York*"]
    listed = await call(accounts, "GET", "/v1/me/addresses", ann)
    assert (cities(listed), listed.headers["etag"]) == (["London", "Leeds", "York*"], '"3"')


async def test_an_address_is_replaced_and_removed(accounts: RunningService, ann: Caller) -> None:
    book = (await add(accounts, ann)).json()
    await add(accounts, ann, city="Leeds")
    path = f"/v1/me/addresses/{book['addresses'][0]['id']}"
    assert cities(await call(accounts, "PUT", path, ann, HOME | {"city": "Bath"})) == ["Bath*", "Leeds"]
    assert code(await call(accounts, "PUT", path, ann, HOME, If_Match='"1"')) == (412, "version_changed")
    assert (await call(accounts, "DELETE", path, ann)).status_code == 204
    assert cities(await call(accounts, "GET", "/v1/me/addresses", ann)) == ["Leeds*"]
    assert code(await call(accounts, "DELETE", path, ann)) == (404, "unknown_address")
    assert code(await call(accounts, "PUT", path, ann, HOME)) == (404, "unknown_address")


async def test_a_book_holds_twenty_addresses(accounts: RunningService, ann: Caller) -> None:
    for _ in range(20):
        assert (await add(accounts, ann)).status_code == 201
    refused = await add(accounts, ann)
    assert (code(refused), refused.json()["addresses_max"]) == ((409, "too_many_addresses"), 20)


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "gb"},
        {"phone": "call me"},
        {"city": ""},
        {"street": "a\nb"},
        {"id": "adr_1"},
        {"postal_code": "-" * 13},
    ],
    ids=str,
)
async def test_an_address_that_cannot_be_right_is_refused(
    accounts: RunningService, ann: Caller, wrong: dict[str, str]
) -> None:
    assert code(await add(accounts, ann, **wrong)) == (400, "malformed")


async def test_a_copy_holds_everything_but_secrets(accounts: RunningService, ann: Caller) -> None:
    await add(accounts, ann)
    await accounts.post("/v1/tokens", {"email": ANN["email"], "password": ANN["password"]}, key=None)
    answer = await call(accounts, "GET", "/v1/me/export", ann)
    copy = answer.json()
    assert answer.headers["content-disposition"] == 'attachment; filename="personal-data.json"'
    assert (copy["profile"]["email"], copy["addresses"][0]["city"]) == ("ann@example.com", "London")
    assert [one["generation"] for one in copy["log_ins"]] == [1]
    assert "hash" not in answer.text


async def test_who_is_erased_leaves_nothing_but_an_id(accounts: RunningService, ann: Caller) -> None:
    await add(accounts, ann)
    pair = (await accounts.post("/v1/tokens", {"email": ANN["email"], "password": ANN["password"]}, key=None)).json()
    assert (await call(accounts, "DELETE", "/v1/me", ann)).status_code == 204
    assert accounts.sent[-1] == CustomerErased(ann.id, 2)
    for table in ("users", "address_books", "refresh_families", "one_time_tokens"):
        kept = str(await accounts.rows(f"select * from {table}"))
        assert ann.id in kept
        assert not [word for word in ("ann@example.com", "Ann", "Reed Lane", "7946") if word in kept]
    refreshed = await accounts.post("/v1/tokens/refresh", {"refresh_token": pair["refresh_token"]}, key=None)
    assert code(refreshed) == (401, "session_invalid")
    log_in = await accounts.post("/v1/tokens", {"email": ANN["email"], "password": ANN["password"]}, key=None)
    assert code(log_in) == (401, "wrong_credentials")


async def test_a_token_of_who_was_erased_opens_nothing_more(accounts: RunningService, ann: Caller) -> None:
    await call(accounts, "DELETE", "/v1/me", ann)
    assert code(await call(accounts, "GET", "/v1/me", ann)) == (404, "not_found")
    assert code(await call(accounts, "GET", "/v1/me/export", ann)) == (404, "not_found")
    assert code(await call(accounts, "DELETE", "/v1/me", ann)) == (404, "unknown_user")
    assert code(await add(accounts, ann)) == (404, "unknown_user")
    assert code(await call(accounts, "PATCH", "/v1/me", ann, {"name": "X"})) == (404, "unknown_user")


async def test_the_address_of_who_was_erased_is_free_again(accounts: RunningService, ann: Caller) -> None:
    await call(accounts, "DELETE", "/v1/me", ann)
    again = await accounts.post("/v1/users", ANN, key=None)
    assert again.status_code == 201
    assert again.json()["id"] != ann.id


async def test_the_last_administrator_can_neither_leave_nor_be_removed(accounts: RunningService) -> None:
    for name in ("ada", "bea"):
        await accounts.hears(CreateStaff(f"cus_{name}", f"{name}@example.com", HASH, name, "en", ("ADMIN",)))
    ada, bea = (Caller(f"cus_{name}", frozenset({"ADMIN"})) for name in ("ada", "bea"))
    assert (await call(accounts, "DELETE", "/v1/me", ada)).status_code == 204
    assert code(await call(accounts, "DELETE", "/v1/me", bea)) == (409, "last_admin")
    assert await accounts.rows("select ids from administrators") == [('["cus_bea"]',)]


async def test_who_changed_whose_roles_is_kept_for_ever(accounts: RunningService, ann: Caller) -> None:
    boss = Caller("cus_boss", frozenset({"ADMIN"}))
    path = f"/v1/users/{ann.id}"
    await call(accounts, "PUT", f"{path}/roles", boss, {"roles": ["OPERATOR"]}, If_Match='"1"')
    await call(accounts, "PUT", f"{path}/roles", boss, {"roles": ["CUSTOMER"]}, If_Match='"2"')
    first = (await call(accounts, "GET", f"{path}/role-changes?limit=1", boss)).json()
    second = (await call(accounts, "GET", f"{path}/role-changes?cursor={first['next_cursor']}", boss)).json()
    noted = [(one["by"], one["before"], one["after"]) for one in first["items"] + second["items"]]
    assert noted == [("cus_boss", ["CUSTOMER"], ["OPERATOR"]), ("cus_boss", ["OPERATOR"], ["CUSTOMER"])]
