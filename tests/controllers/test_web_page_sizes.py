"""How large pages are as they travel: the longest of the console with their styles, scripts and letters."""

import gzip
from re import findall, search
from typing import Any

import pytest

from console_examples import ACT, LETTER, ORDER, ORDER_ID, STUCK, UNKNOWN, fill_console, page_of, told
from web_shop import WebShop, open_pages

PAGE_BYTES_MAX = 100_000
PRODUCT = {
    "title": "Blue mug",
    "description": "Holds 300 ml.",
    "price_minor": 59_000,
    "currency": "RUB",
    "weight_g": 320,
    "active": True,
    "photo": None,
    "version": 1,
}
LEVEL = {"on_hand": 7, "reserved": 2, "available": 5, "missing": 0, "version": 1}
MESSAGES = 200
PAGES = (
    "/console/orders",
    "/console/trouble",
    "/console/acts",
    "/console/stock",
    "/console/products",
    f"/console/orders/{ORDER_ID}",
    f"/console/orders/{ORDER_ID}/story",
    f"/console/orders/{ORDER_ID}/story?as=list",
)


def fill_to_the_brim(shop: WebShop) -> None:
    """A shop in which every list of the console is as long as one page shows."""
    fill_console(shop, "ADMIN")
    skus = [f"MUG-{number}" for number in range(25)]
    services = ("orders", "stock", "wallet", "payments", "shipping", "notifications")
    story = [
        {
            **told(1, "StockBooked", services[number % 5], services[1 + number % 5], number - 1 or None),
            "number": number,
            "message_id": f"018f0000-0000-7000-8000-{number:012}",
            "at": f"2026-11-21T20:{number // 60:02}:{number % 60:02}Z",
        }
        for number in range(1, MESSAGES + 1)
    ]
    shop.answers |= {
        "GET /v1/orders": page_of(*([ORDER] * 25)),
        f"GET /v1/orders/{ORDER_ID}/timeline": page_of(*story),
        "GET /v1/products": page_of(*({**PRODUCT, "sku": sku} for sku in skus)),
        "GET /v1/operations/dead-letters": page_of(*(_numbered(LETTER, number) for number in range(25))),
        "GET /v1/operations/orders/stuck": page_of(*(_numbered(STUCK, number) for number in range(50))),
        "GET /v1/operations/payments/unknown": page_of(*(_numbered(UNKNOWN, number) for number in range(50))),
        "GET /v1/operations/actions": page_of(*(_numbered(ACT, number) for number in range(50))),
        **{f"GET /v1/stock/{sku}": {**LEVEL, "sku": sku} for sku in skus},
    }


def _numbered(one: dict[str, Any], number: int) -> dict[str, Any]:
    return {**one, "id": f"{one['id']}{number}"}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_longest_pages_of_the_console_are_small_with_all_that_they_need(language: str) -> None:
    with open_pages() as shop:
        fill_to_the_brim(shop)
        style = search(r'href="(/static/site[^"]+\.css)"', shop.look("/").text)
        assert style is not None
        letters = set(findall(r'url\("([^"]+)"\)', shop.look(style[1]).text))
        sizes = {}
        for path in PAGES:
            answer = shop.look(path, **{"Accept-Language": language, "Accept-Encoding": "gzip"})
            assert answer.status_code == 200, path
            needed = set(findall(r'(?:href|src)="(/static/[^"]+)"', answer.text)) | letters
            sizes[path] = int(answer.headers["content-length"]) + sum(_travelled(shop, one) for one in needed)

    assert {path: size for path, size in sizes.items() if size >= PAGE_BYTES_MAX} == {}


def _travelled(shop: WebShop, path: str) -> int:
    return int(shop.look(path, **{"Accept-Encoding": "gzip"}).headers["content-length"])


def test_a_page_is_packed_for_who_can_unpack_it_and_its_length_tells_nothing() -> None:
    with open_pages() as shop:
        asked = shop.browser.build_request("GET", "/login", headers={"Accept-Encoding": "gzip"})
        packed = [shop.browser.send(asked, stream=True) for _ in range(20)]
        raw = [b"".join(one.iter_raw()) for one in packed]
        plain = shop.look("/login", **{"Accept-Encoding": "identity"})

    assert {one.headers["content-encoding"] for one in packed} == {"gzip"}
    assert all("accept-encoding" in one.headers["vary"].lower() for one in (*packed, plain))
    assert "content-encoding" not in plain.headers
    assert len({len(one) for one in raw}) > 5
    assert all(b"<html" in gzip.decompress(one) for one in raw)
