"""Baskets over HTTP, and ordering what lies in one."""

from typing import Any

from orders_at_work import BORIS, CUPS_MINOR, ONE_PLATE, TWO_CUPS, OrdersAtWork

FROM_BASKET = {"from_basket": True}


async def fill(shop: OrdersAtWork, *lines: Any, seen: str = "") -> Any:
    headers = {"If-Match": seen} if seen else {}
    return await shop.call("PUT", "/v1/basket", {"lines": list(lines)}, headers=headers)


async def test_a_basket_is_empty_until_something_is_laid_into_it(shop: OrdersAtWork) -> None:
    before = await shop.get("/v1/basket")
    filled = await fill(
        shop, {"sku": "CUP", "quantity": 1}, {"sku": "CUP", "quantity": 2}, {**ONE_PLATE, "quantity": 1}
    )
    after = await shop.get("/v1/basket")
    others = await shop.get("/v1/basket", caller=BORIS)

    assert (before.json(), before.headers["ETag"]) == ({"lines": [], "changed_at": None, "version": 0}, '"0"')
    assert after.json()["lines"] == [{"sku": "CUP", "quantity": 3}, {"sku": "PLATE", "quantity": 1}]
    assert (filled.json(), after.headers["ETag"]) == (after.json(), '"1"')
    assert others.json()["lines"] == []


async def test_two_devices_do_not_overwrite_each_other_unnoticed(shop: OrdersAtWork) -> None:
    await fill(shop, TWO_CUPS, seen='"0"')

    late = await fill(shop, {**ONE_PLATE, "quantity": 1}, seen='"0"')

    assert (late.status_code, late.json()["code"], late.json()["version"]) == (412, "version_changed", 1)
    assert (await shop.get("/v1/basket")).json()["lines"] == [TWO_CUPS]


async def test_what_is_no_basket_is_malformed(shop: OrdersAtWork) -> None:
    for lines in ([{"sku": "CUP"}], [{"sku": "CUP", "quantity": 0}], [{"sku": "", "quantity": 1}], [TWO_CUPS] * 201):
        answer = await fill(shop, *lines)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_nobody_has_a_basket_without_logging_in(shop: OrdersAtWork) -> None:
    assert (await shop.get("/v1/basket", caller=None)).status_code == 401
    assert (await shop.call("PUT", "/v1/basket", {"lines": []}, caller=None)).status_code == 401


async def test_what_lies_in_the_basket_is_ordered_once_and_the_basket_is_empty(shop: OrdersAtWork) -> None:
    await fill(shop, TWO_CUPS)

    placed = await shop.call("POST", "/v1/orders", FROM_BASKET, headers={"Idempotency-Key": "order"})
    again = await shop.call("POST", "/v1/orders", FROM_BASKET, headers={"Idempotency-Key": "order"})

    assert (placed.status_code, placed.json()["total_minor"]) == (202, CUPS_MINOR)
    assert again.content == placed.content
    assert (await shop.get("/v1/basket")).json()["lines"] == []


async def test_an_order_that_is_refused_leaves_the_basket_as_it_was(shop: OrdersAtWork) -> None:
    await fill(shop, {**TWO_CUPS, "price_minor": 44_000})

    answer = await shop.call("POST", "/v1/orders", FROM_BASKET)

    assert (answer.status_code, answer.json()["code"]) == (409, "price_changed")
    assert answer.json()["prices"] == [{"sku": "CUP", "shown_minor": 44_000, "price_minor": 45_000, "currency": "RUB"}]
    assert (await shop.get("/v1/basket")).json()["lines"] == [{**TWO_CUPS, "price_minor": 44_000}]


async def test_an_empty_basket_cannot_be_ordered(shop: OrdersAtWork) -> None:
    never = await shop.call("POST", "/v1/orders", FROM_BASKET, headers={"Idempotency-Key": "never"})
    await fill(shop)
    emptied = await shop.call("POST", "/v1/orders", FROM_BASKET, headers={"Idempotency-Key": "emptied"})

    assert [(one.status_code, one.json()["code"]) for one in (never, emptied)] == [(409, "basket_empty")] * 2


async def test_an_order_is_of_lines_or_from_the_basket(shop: OrdersAtWork) -> None:
    for wish in ({}, {"from_basket": False}, {"from_basket": True, "lines": [TWO_CUPS]}):
        answer = await shop.call("POST", "/v1/orders", wish)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
