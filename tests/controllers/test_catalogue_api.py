"""The routes of the catalogue: what they answer, what they refuse, and to whom."""

from typing import Any

import httpx
import pytest
import pytest_asyncio

from sagamart.platform.http import Caller
from sagamart.shop.catalogue.api import ROUTES
from sagamart.shop.catalogue.service import CATALOGUE
from shop_fixtures import TOKENS, RunningService, Started

OPERATOR = Caller("cus_operator", frozenset({"OPERATOR"}))
MUG = {"sku": "MUG", "title": "Blue mug", "price_minor": 45_000, "currency": "RUB"}


@pytest_asyncio.fixture
async def catalogue(started: Started) -> RunningService:
    return await started(CATALOGUE, ROUTES)


def as_(caller: Caller | None, **headers: str) -> dict[str, str]:
    return headers if caller is None else {"Authorization": f"Bearer {TOKENS.sign(caller)}", **headers}


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def sell(catalogue: RunningService, **other: Any) -> httpx.Response:
    return await catalogue.post("/v1/products", MUG | other, caller=OPERATOR, key=None)


async def change(catalogue: RunningService, body: dict[str, Any], etag: str = '"1"') -> httpx.Response:
    headers = as_(OPERATOR, **{"If-Match": etag})
    return await catalogue.http.patch("/v1/products/MUG", json=body, headers=headers)


async def skus(catalogue: RunningService, query: str) -> tuple[list[str], str | None]:
    page = (await catalogue.get(f"/v1/products?{query}")).json()
    return [product["sku"] for product in page["items"]], page["next_cursor"]


async def test_a_new_product_can_be_read_by_anybody(catalogue: RunningService) -> None:
    made = await sell(catalogue)
    assert (made.status_code, made.headers["location"]) == (201, "/v1/products/MUG")
    read = await catalogue.get("/v1/products/MUG")
    assert (read.status_code, read.headers["etag"]) == (200, '"1-sold-out"')
    assert read.json() == made.json() | {"available": False}
    assert made.json() == MUG | {
        "version": 1,
        "description": "",
        "weight_g": 0,
        "length_mm": None,
        "width_mm": None,
        "height_mm": None,
        "tax_rate_bp": 0,
        "active": True,
        "photo": None,
    }


async def test_a_product_that_the_client_has_is_not_sent_again(catalogue: RunningService) -> None:
    await sell(catalogue)
    answer = await catalogue.http.get("/v1/products/MUG", headers={"If-None-Match": '"1-sold-out"'})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_a_sku_is_given_once(catalogue: RunningService) -> None:
    await sell(catalogue)
    assert code(await sell(catalogue, title="Red mug")) == (409, "sku_taken")


async def test_a_product_that_is_sent_twice_under_one_key_is_made_once(catalogue: RunningService) -> None:
    first = await catalogue.post("/v1/products", MUG, caller=OPERATOR)
    again = await catalogue.post("/v1/products", MUG, caller=OPERATOR)
    assert (again.status_code, again.json()) == (201, first.json())
    assert code(await catalogue.post("/v1/products", MUG | {"title": "Red"}, caller=OPERATOR)) == (422, "key_reused")


@pytest.mark.parametrize(
    "wrong",
    [
        {"sku": "MUG/BLUE"},
        {"sku": ""},
        {"sku": "M" * 65},
        {"sku": "MUG\n"},
        {"sku": "-MUG"},
        {"title": ""},
        {"title": "A\nB"},
        {"title": "x" * 201},
        {"description": "x" * 10_001},
        {"price_minor": -1},
        {"price_minor": 1.5},
        {"price_minor": 1_000_000_000_001},
        {"currency": "rub"},
        {"weight_g": -1},
        {"length_mm": 0},
        {"tax_rate_bp": 10_001},
        {"version": 7},
    ],
    ids=lambda wrong: str(wrong)[:30],
)
async def test_a_product_that_cannot_be_right_names_the_field(
    catalogue: RunningService, wrong: dict[str, object]
) -> None:
    answer = await sell(catalogue, **wrong)
    assert code(answer) == (400, "malformed")
    assert next(iter(wrong)) in answer.json()["fields"][0]["field"]


@pytest.mark.parametrize("role", ["CUSTOMER", "STOCK_OPERATOR", "SHIPPING_OPERATOR"])
async def test_only_operators_and_administrators_write(catalogue: RunningService, role: str) -> None:
    caller = Caller("cus_1", frozenset({role}))
    assert code(await catalogue.post("/v1/products", MUG, caller=caller)) == (403, "forbidden")
    answer = await catalogue.http.patch("/v1/products/MUG", json={}, headers=as_(caller, **{"If-Match": '"1"'}))
    assert code(answer) == (403, "forbidden")
    assert (await catalogue.post("/v1/products", MUG, caller=Caller("cus_2", frozenset({"ADMIN"})))).status_code == 201


async def test_nobody_writes_without_logging_in(catalogue: RunningService) -> None:
    assert code(await catalogue.post("/v1/products", MUG)) == (401, "unauthenticated")
    answer = await catalogue.http.patch("/v1/products/MUG", json={}, headers={"If-Match": '"1"'})
    assert code(answer) == (401, "unauthenticated")


async def test_a_change_is_made_under_the_version_seen(catalogue: RunningService) -> None:
    await sell(catalogue, length_mm=80)
    answer = await change(catalogue, {"price_minor": 49_900, "length_mm": None})
    assert answer.status_code == 200
    assert (answer.json()["price_minor"], answer.json()["length_mm"], answer.json()["version"]) == (49_900, None, 2)
    stale = await change(catalogue, {"price_minor": 1})
    assert code(stale) == (412, "version_changed")
    assert stale.json()["version"] == 2
    blind = await catalogue.http.patch("/v1/products/MUG", json={}, headers=as_(OPERATOR))
    assert code(blind) == (428, "version_required")


@pytest.mark.parametrize("wrong", [{"title": None}, {"price_minor": "1"}, {"sku": "CUP"}, {"version": 1}], ids=str)
async def test_a_change_that_cannot_be_right_is_refused(catalogue: RunningService, wrong: dict[str, object]) -> None:
    await sell(catalogue)
    assert code(await change(catalogue, wrong)) == (400, "malformed")


async def test_a_new_currency_needs_its_own_price(catalogue: RunningService) -> None:
    await sell(catalogue)
    assert code(await change(catalogue, {"currency": "EUR"})) == (422, "currency_without_price")


async def test_what_is_not_in_the_catalogue_is_not_found(catalogue: RunningService) -> None:
    assert code(await catalogue.get("/v1/products/MUG")) == (404, "not_found")
    assert code(await change(catalogue, {"active": False})) == (404, "unknown_product")


async def test_what_is_no_sku_is_refused(catalogue: RunningService) -> None:
    assert code(await catalogue.get("/v1/products/a%20b")) == (400, "malformed")


async def test_pages_lead_through_all_products_in_the_order_of_skus(catalogue: RunningService) -> None:
    for sku in ("C", "A", "B"):
        await sell(catalogue, sku=sku)
    first, cursor = await skus(catalogue, "limit=2")
    assert first == ["A", "B"]
    assert await skus(catalogue, f"limit=2&cursor={cursor}") == (["C"], None)


async def test_what_is_off_the_shelf_is_listed_only_where_it_is_asked_for(catalogue: RunningService) -> None:
    await sell(catalogue, sku="ON")
    await sell(catalogue, sku="OFF", active=False)
    assert await skus(catalogue, "") == (["ON"], None)
    assert await skus(catalogue, "active=false") == (["OFF"], None)


async def test_a_sku_that_is_a_word_of_an_address_is_refused(catalogue: RunningService) -> None:
    assert code(await sell(catalogue, sku="export")) == (422, "sku_reserved")


async def test_the_history_of_prices_is_public_and_says_nothing_about_staff(catalogue: RunningService) -> None:
    await sell(catalogue)
    await change(catalogue, {"price_minor": 49_900})
    newest = (await catalogue.get("/v1/products/MUG/prices?limit=1")).json()
    oldest = (await catalogue.get(f"/v1/products/MUG/prices?limit=1&cursor={newest['next_cursor']}")).json()
    assert [(one["price_minor"], one["currency"]) for one in newest["items"]] == [(49_900, "RUB")]
    assert [one["price_minor"] for one in oldest["items"]] == [45_000]
    assert oldest["next_cursor"] is None
    assert set(newest["items"][0]) == {"price_minor", "currency", "since"}


async def test_a_history_that_cannot_be_given_is_refused(catalogue: RunningService) -> None:
    assert code(await catalogue.get("/v1/products/MUG/prices")) == (404, "not_found")
    await sell(catalogue)
    assert code(await catalogue.get("/v1/products/MUG/prices?cursor=WzFd")) == (400, "malformed")


async def test_a_question_finds_products_page_by_page(catalogue: RunningService) -> None:
    for sku, title in (("A", "Blue mug"), ("B", "White plate"), ("C", "Синяя кружка"), ("D", "Red mug")):
        await sell(catalogue, sku=sku, title=title)
    first, cursor = await skus(catalogue, "q=mug&limit=1")
    assert first == ["A"]
    assert await skus(catalogue, f"q=mug&limit=1&cursor={cursor}") == (["D"], None)
    assert await skus(catalogue, "q=кружки") == (["C"], None)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=Ik1VRy8i", "active=maybe", f"q={'x' * 201}", "q=%00"],
)
async def test_a_list_that_cannot_be_given_is_refused(catalogue: RunningService, query: str) -> None:
    assert code(await catalogue.get(f"/v1/products?{query}")) == (400, "malformed")
