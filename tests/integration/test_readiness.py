"""A service is not ready while something of it does not work, though its database answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sagamart.app import Shop
from sagamart.messaging.service import Service
from sagamart.messaging.transport.outbox_only import OutboxOnly
from sagamart.messaging.worker import Node
from sagamart.platform.http.operations import Check
from sagamart.programs import CannotStartError, checks_of
from sagamart.settings import ShopSettings
from sagamart.shop.shipping.service import SHIPPING
from sagamart.shop.stock.service import STOCK

WITHIN_S = 60.0
DatabaseOf = Callable[[Service], Awaitable[str]]


async def out_of_the_blue(*_: Any) -> Any:
    raise LookupError("out of the blue")


async def refusal_of(check: Check) -> str:
    """What a check says; empty where all is well."""
    try:
        await check()
    except CannotStartError as error:
        return str(error)
    return ""


async def until_it_says(check: Check, wanted: Callable[[str], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not wanted(await refusal_of(check)):  # noqa: ASYNC110  a check sets no event
            await asyncio.sleep(0.02)


async def test_a_service_whose_timers_do_not_fire_is_not_ready_until_they_do(
    database_of: DatabaseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagamart.messaging.standstill.STANDS_S", 0.1)
    dsns = {"shipping": await database_of(SHIPPING)}
    async with Shop(ShopSettings(), dsns, node=Node("test"), transport=OutboxOnly()) as shop:
        workers = checks_of(shop, dsns)["workers"]
        assert await refusal_of(workers) == ""

        with monkeypatch.context() as broken:
            broken.setattr(shop.services["shipping"].database, "due_timers", out_of_the_blue)
            await until_it_says(workers, lambda said: "shipping: the sweep fire_timers" in said)
        await until_it_says(workers, lambda said: not said)


async def test_a_service_is_not_ready_any_more_when_a_task_of_its_own_has_ended(
    database_of: DatabaseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsns = {"stock": await database_of(STOCK)}
    async with Shop(ShopSettings(), dsns, node=Node("test"), transport=OutboxOnly()) as shop:
        monkeypatch.setattr(shop.services["stock"].consumer, "heed", out_of_the_blue)
        await until_it_says(checks_of(shop, dsns)["workers"], lambda said: "stock pauses: LookupError" in said)
