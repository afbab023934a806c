"""A customer's own data over the whole shop: a copy of all parts, and being forgotten by every service."""

from typing import Any

import asyncpg

from bank_at_work import until
from market import BY_COURIER, HOME, Market, OpenMarket
from open_shop import OPERATOR
from sagamart.contracts.accounts import PERSONAL_PARTS
from sagamart.platform.http import Caller
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES, services_of

PHONE = "+442079460000"
ENGRAVING = "Engraved: for Granny Smith"
PRIVATE = (HOME["recipient"], HOME["street"], PHONE, ENGRAVING, "ann@example.com")
WITHOUT_A_PART = {"accounts", "promotions"}
"""Accounts gives the copy; promotions counts by id, and the orders name their codes."""


async def registered(market: Market) -> Caller:
    """Ann, who wants to be told by SMS too."""
    about = {"email": "ann@example.com", "password": "otter counts nine reeds", "name": HOME["recipient"]}
    answer = await market.shop.call("POST", "/v1/users", about)
    ann = Caller(answer.json()["id"], frozenset({"CUSTOMER"}))
    wish = {"sms": True, "phone": PHONE}
    (await market.shop.call("PATCH", "/v1/notifications/preferences", wish, caller=ann)).raise_for_status()
    deposit = {"amount_minor": 1_000_000, "currency": "RUB", "customer_id": ann.id}
    (await market.post("/v1/wallet/deposits", deposit, caller=OPERATOR)).raise_for_status()
    return ann


async def orders_engraved(market: Market, ann: Caller) -> str:
    """An order that is paid and waits for its carrier."""
    engraving = {"title": ENGRAVING, "price_minor": 500, "quantity": 1}
    order_id = await market.order(ann, {"sku": "MUG"}, engraving, delivery=BY_COURIER)
    await market.pays(ann, order_id, "wallet")
    await market.parcel_of(ann, order_id)
    return order_id


async def read(market: Market, who: Caller, href: str) -> str:
    answer = await market.shop.get(href, caller=who)
    assert answer.status_code == 200, (href, answer.text)
    return answer.text


async def test_a_copy_leads_to_what_every_service_keeps_and_to_nobody_elses(open_market: OpenMarket) -> None:
    market = await open_market()
    ann, bob = await registered(market), await market.shop.customer(2)
    order_id = await orders_engraved(market, ann)

    copy = (await market.shop.get("/v1/me/export", caller=ann)).json()
    parts = {one["href"].format(order_id=order_id): one["service"] for one in copy["elsewhere"]}
    found = {href: await read(market, ann, href) for href in parts}

    assert copy["profile"]["email"] == "ann@example.com"
    for words, href in (
        (HOME["street"], "/v1/orders"),
        (ENGRAVING, "/v1/orders"),
        (HOME["street"], "/v1/shipments"),
        (PHONE, "/v1/notifications/preferences"),
        (order_id, "/v1/notifications"),
    ):
        assert words in found[href]
    for href in set(found) - {f"/v1/orders/{order_id}/timeline"}:
        seen = await read(market, bob, href)
        assert not [words for words in (*PRIVATE, order_id, ann.id) if words in seen]
    assert (await market.shop.get(f"/v1/orders/{order_id}/timeline", caller=bob)).status_code == 404


def test_the_copy_names_every_service_that_keeps_rows_of_a_customer() -> None:
    keeping = {
        service.name
        for service in services_of(ShopSettings()).values()
        if any("customer_id" in table.record.__struct_fields__ for table in service.tables)
    }

    assert keeping == {part.service for part in PERSONAL_PARTS} | WITHOUT_A_PART


async def kept(market: Market, service: str) -> str:
    """All rows of a service's own tables, as text; requests and their replies are kept for some days and no longer."""
    running = market.shop.shop.services[service]
    tables = [table.name for table in running.slice.service.tables]
    connection = await asyncpg.connect(running.database.dsn)
    try:
        rows = [str(row) for table in tables for row in await connection.fetch(f"select * from {table}")]
    finally:
        await connection.close()
    return "\n".join(rows)


async def test_who_is_erased_is_forgotten_by_every_service_once_the_parcel_has_arrived(
    open_market: OpenMarket,
) -> None:
    market = await open_market()
    ann = await registered(market)
    order_id = await orders_engraved(market, ann)
    (
        await market.shop.call("PUT", "/v1/basket", {"lines": [{"sku": "MUG", "quantity": 1}]}, caller=ann)
    ).raise_for_status()

    (await market.shop.call("DELETE", "/v1/me", caller=ann)).raise_for_status()

    await _looked_once(market, ann)
    assert HOME["street"] in await kept(market, "shipping"), "the parcel has still to arrive"
    await market.delivers(ann, order_id)
    for service in ("orders", "shipping"):
        due = "update timers set due_at = now() where key = $1 and name = 'forget'"
        await market.shop.shop.services[service].readers.execute(due, ann.id)

    async def traces() -> dict[str, list[str]]:
        left: dict[str, list[str]] = {}
        for service in SLICES:
            rows = await kept(market, service)
            left[service] = [words for words in PRIVATE if words in rows and words != HOME["recipient"]]
            left[service] += ["the recipient"] if f'"{HOME["recipient"]}"' in rows else []
        return {service: words for service, words in left.items() if words}

    async def forgotten() -> bool:
        return not await traces()

    try:
        await until(forgotten)
    except TimeoutError:
        raise AssertionError(await traces()) from None
    order: Any = await market.shown(ann, order_id)
    assert (order["status"], order["delivery"]["method"], order["total_minor"]) == ("completed", "courier", 75_500)
    basket = (await market.shop.get("/v1/basket", caller=ann)).json()
    assert basket["lines"] == []
    assert all([ann.id in await kept(market, service) for service in ("orders", "shipping", "wallet", "timeline")])


async def _looked_once(market: Market, ann: Caller) -> None:
    """Wait until orders and shipping have looked for what to forget, and mean to look again."""

    async def both() -> bool:
        armed = [
            await market.shop.shop.services[service].readers.fetchval(
                "select count(*) from timers where key = $1 and name = 'forget'", ann.id
            )
            for service in ("orders", "shipping")
        ]
        return all(armed)

    await until(both)
