"""The catalogue as a whole, with its own database, through its messages."""

import asyncio
import itertools
from typing import Any

import msgspec
import pytest_asyncio

from sagamart.contracts.catalogue import ProductChanged
from sagamart.messaging.message import Body
from sagamart.messaging.requests import StoredReply, request_of
from sagamart.shop.catalogue.messages import ChangeProduct, CreateProduct
from sagamart.shop.catalogue.service import CATALOGUE
from shop_fixtures import RunningService, Started, said

NEW_MUG = CreateProduct("MUG", "cus_op", "Blue mug", "", 45_000, "RUB", 350, None, None, None, 2_000, active=True)

_numbers = itertools.count(1)


@pytest_asyncio.fixture
async def catalogue(started: Started) -> RunningService:
    return await started(CATALOGUE)


async def wish(catalogue: RunningService, body: Body) -> StoredReply:
    """Ask for this as a caller does, under a key of its own."""
    return await catalogue.worker.ask(said(body), request_of("cus_op", "a route", str(next(_numbers)), None))


def told(reply: StoredReply) -> Any:
    return msgspec.json.decode(reply.body)


def announced(version: int, title: str, price_minor: int, currency: str = "RUB", *, active: bool) -> ProductChanged:
    return ProductChanged("MUG", version, title, price_minor, currency, active, weight_g=350, tax_rate_bp=2_000)


async def test_a_new_product_is_kept_and_announced(catalogue: RunningService) -> None:
    reply = await wish(catalogue, NEW_MUG)
    assert (reply.status, reply.location, told(reply)["version"]) == (201, "/v1/products/MUG", 1)
    assert catalogue.sent == [announced(1, "Blue mug", 45_000, "RUB", active=True)]
    assert await catalogue.rows("select sku, price_minor, currency, by from prices") == [
        ("MUG", 45_000, "RUB", "cus_op")
    ]


async def test_of_two_who_want_one_sku_at_once_one_gets_it(catalogue: RunningService) -> None:
    other = msgspec.structs.replace(NEW_MUG, title="Red mug")
    replies = await asyncio.gather(wish(catalogue, NEW_MUG), wish(catalogue, other))
    assert sorted(reply.status for reply in replies) == [201, 409]
    assert told(next(reply for reply in replies if reply.refused))["code"] == "sku_taken"
    assert len(catalogue.sent) == 1


async def test_of_two_who_change_one_version_at_once_one_is_told_of_the_other(catalogue: RunningService) -> None:
    await wish(catalogue, NEW_MUG)
    cheaper, dearer = await asyncio.gather(
        wish(catalogue, ChangeProduct("MUG", "cus_op", 1, price_minor=40_000)),
        wish(catalogue, ChangeProduct("MUG", "cus_op", 1, price_minor=50_000)),
    )
    assert (cheaper.status, told(cheaper)["price_minor"]) == (200, 40_000)
    assert (dearer.status, told(dearer)["code"], told(dearer)["version"]) == (412, "version_changed", 2)
    assert await catalogue.rows("select price_minor from prices order by since, price_id") == [(45_000,), (40_000,)]


async def test_the_announced_versions_of_a_product_have_no_gaps(catalogue: RunningService) -> None:
    await wish(catalogue, NEW_MUG)
    await wish(catalogue, ChangeProduct("MUG", "cus_op", 1, title="Blue mug"))
    await wish(catalogue, ChangeProduct("MUG", "cus_op", 1, title="Mug, blue"))
    await wish(catalogue, ChangeProduct("MUG", "cus_op", 2, active=False))
    assert catalogue.sent == [
        announced(1, "Blue mug", 45_000, "RUB", active=True),
        announced(2, "Mug, blue", 45_000, "RUB", active=True),
        announced(3, "Mug, blue", 45_000, "RUB", active=False),
    ]


async def test_what_is_not_in_the_catalogue_cannot_be_changed(catalogue: RunningService) -> None:
    reply = await wish(catalogue, ChangeProduct("CUP", "cus_op", 1, active=False))
    assert (reply.status, told(reply)["code"]) == (404, "unknown_product")
    assert catalogue.sent == []
