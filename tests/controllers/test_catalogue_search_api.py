"""Looking for products over HTTP: filters, orders, pages, and what happens to words that are mistyped."""

from typing import Any

import pytest
import pytest_asyncio

from sagamart.contracts.stock import SkuBackInStock, SkuSoldOut
from sagamart.platform.http import Caller
from sagamart.shop.catalogue.api import ROUTES
from sagamart.shop.catalogue.service import CATALOGUE
from shop_fixtures import RunningService, Started

OPERATOR = Caller("cus_operator", frozenset({"OPERATOR"}))
GOODS = (
    ("CUP", "White cup", 300, "RUB"),
    ("LAMP", "Настольная лампа", 900, "RUB"),
    ("MUG", "Blue mug", 500, "RUB"),
    ("PLATE", "Blue plate", 500, "RUB"),
    ("SPOON", "Silver spoon", 70, "EUR"),
)


@pytest_asyncio.fixture
async def catalogue(started: Started) -> RunningService:
    service = await started(CATALOGUE, ROUTES)
    for sku, title, price_minor, currency in GOODS:
        product = {"sku": sku, "title": title, "price_minor": price_minor, "currency": currency}
        (await service.post("/v1/products", product, caller=OPERATOR, key=None)).raise_for_status()
    await service.hears(SkuBackInStock("CUP", 1), SkuBackInStock("MUG", 1), SkuBackInStock("PLATE", 1))
    await service.hears(SkuSoldOut("PLATE", 2))
    return service


async def pages(catalogue: RunningService, query: str) -> list[Any]:
    """The skus of all pages of two, and the question that was asked instead of `q`, if it was."""
    found: list[Any] = []
    cursor, corrected = "", None
    while True:
        page = (await catalogue.get(f"/v1/products?limit=2&{query}{cursor}")).json()
        found.extend(item["sku"] for item in page["items"])
        corrected = corrected or page["corrected_question"]
        if page["next_cursor"] is None:
            return [*found, corrected] if corrected else found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["CUP", "LAMP", "MUG", "PLATE", "SPOON"]),
        ("sort=title", ["MUG", "PLATE", "SPOON", "CUP", "LAMP"]),
        ("sort=price", ["SPOON", "CUP", "MUG", "PLATE", "LAMP"]),
        ("sort=-price", ["LAMP", "PLATE", "MUG", "CUP", "SPOON"]),
        ("currency=EUR", ["SPOON"]),
        ("currency=RUB&price_from=500&sort=price", ["MUG", "PLATE", "LAMP"]),
        ("price_to=499", ["CUP", "SPOON"]),
        ("price_from=300&price_to=500&sort=-price", ["PLATE", "MUG", "CUP"]),
        ("in_stock=true", ["CUP", "MUG"]),
        ("in_stock=true&sort=title", ["MUG", "CUP"]),
        ("in_stock=true&sort=price", ["CUP", "MUG"]),
        ("in_stock=true&sort=-price", ["MUG", "CUP"]),
        ("in_stock=false", ["LAMP", "PLATE", "SPOON"]),
        ("q=blue&in_stock=true", ["MUG"]),
        ("q=blue&in_stock=false", ["PLATE"]),
        ("q=blue&price_to=499", []),
        ("q=blue or cup&sort=price", ["CUP", "MUG", "PLATE"]),
        ("q=blue or cup&sort=-price", ["MUG", "PLATE", "CUP"]),
        ("q=blue or cup&sort=title", ["MUG", "PLATE", "CUP"]),
        ("q=blue or cup&sort=sku", ["CUP", "MUG", "PLATE"]),
        ("q=blue -mug", ["PLATE"]),
    ],
)
async def test_products_are_filtered_and_come_in_the_order_asked_for(
    catalogue: RunningService, query: str, found: list[str]
) -> None:
    assert await pages(catalogue, query) == found


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("plaet", ["PLATE", "plate"]),
        ("spon", ["SPOON", "spoon"]),
        ("sliver spoon", ["SPOON", "silver spoon"]),
        ("ламба", ["LAMP", "лампа"]),
        ("Настольня ламппа", ["LAMP", "настольная лампа"]),
        ("lbue or mugg", ["MUG", "PLATE", "blue or mugg"]),
        ("xylophone", []),
        ("cupp", []),
    ],
)
async def test_what_is_mistyped_is_found_and_the_answer_says_what_was_looked_for(
    catalogue: RunningService, question: str, found: list[str]
) -> None:
    assert await pages(catalogue, f"q={question}") == found


async def test_a_word_that_is_known_is_not_mended(catalogue: RunningService) -> None:
    assert await pages(catalogue, "q=white plate") == []


@pytest.mark.parametrize(
    "query",
    [
        "sort=relevance",
        "sort=colour",
        "currency=rub",
        "price_from=-1",
        "price_to=x",
        "sort=price&cursor=WyJza3UiLG51bGwsbnVsbCwiIiwiQ1VQIl0",
        "q=cup&cursor=WyJza3UiLG51bGwsbnVsbCwiIiwiQ1VQIl0",
        "cursor=WyJza3UiLG51bGwsMWU5OSwiIiwiQ1VQIl0",
    ],
)
async def test_what_cannot_be_looked_for_is_refused(catalogue: RunningService, query: str) -> None:
    answer = await catalogue.get(f"/v1/products?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_a_product_shows_whether_it_may_be_ordered_by_the_newest_that_stock_has_told(
    catalogue: RunningService,
) -> None:
    async def shown() -> tuple[bool, list[bool], str]:
        one = await catalogue.get("/v1/products/PLATE")
        found = (await catalogue.get("/v1/products?q=plate")).json()["items"]
        return one.json()["available"], [item["available"] for item in found], one.headers["ETag"]

    assert await shown() == (False, [False], '"1-sold-out"')
    await catalogue.hears(SkuBackInStock("PLATE", 3))
    assert await shown() == (True, [True], '"1"')
    await catalogue.hears(SkuSoldOut("PLATE", 2))
    assert await shown() == (True, [True], '"1"')

    seen = [{"If-None-Match": etag} for etag in ('"1-sold-out"', '"1"')]
    again = [await catalogue.http.get("/v1/products/PLATE", headers=headers) for headers in seen]
    assert [one.status_code for one in again] == [200, 304]


async def test_a_sold_out_product_is_changed_under_its_etag_as_any_other(catalogue: RunningService) -> None:
    etag = (await catalogue.get("/v1/products/PLATE")).headers["ETag"]
    changed = await catalogue.send(
        "PATCH", "/v1/products/PLATE", {"price_minor": 450}, caller=OPERATOR, **{"If-Match": etag}
    )
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
