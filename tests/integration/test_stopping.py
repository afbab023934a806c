"""A shop that is told to stop stops within a bound, whatever its databases do."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from open_shop import STOCK_OPERATOR, OpenShop
from sagamart.app import Shop
from sagamart.messaging.service import Service
from sagamart.messaging.transport.outbox_only import OutboxOnly
from sagamart.messaging.worker import Node
from sagamart.settings import ShopSettings
from sagamart.shop.stock.service import STOCK

WITHIN_S = 30.0
"""Less than a batch may wait for locks, with all its attempts."""

SOMEBODY_WAITS = "select count(*) from pg_locks where not granted and relation = 'skus'::regclass"


async def test_a_shop_stops_though_a_batch_cannot_end_and_its_caller_may_ask_again(
    database_of: Callable[[Service], Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagamart.app.BATCH_S_MAX", 0.5)
    dsn = await database_of(STOCK)
    holder = await asyncpg.connect(dsn)
    try:
        await holder.execute("begin; lock table skus")
        async with asyncio.timeout(WITHIN_S):
            async with Shop(ShopSettings(), {"stock": dsn}, node=Node("test"), transport=OutboxOnly()) as shop:
                opened = OpenShop(shop)
                asking = asyncio.create_task(received(opened))
                while not await holder.fetchval(SOMEBODY_WAITS):  # noqa: ASYNC110  a database sets no event
                    await asyncio.sleep(0.01)
            assert await asking == 503
            await opened.http.aclose()
    finally:
        await holder.close()

    async with Shop(ShopSettings(), {"stock": dsn}, node=Node("test"), transport=OutboxOnly()) as shop:
        opened = OpenShop(shop)
        assert await received(opened) == 200
        await opened.http.aclose()


async def received(shop: OpenShop) -> int:
    """The status of the answer to a receipt of goods, asked for under one key."""
    return (await shop.post("/v1/stock/MUG/receipts", {"quantity": 5}, caller=STOCK_OPERATOR)).status_code
