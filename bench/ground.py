"""Where a run happens: an embedded PostgreSQL with fsync on, the shop's databases, and goods, people and money in them.

The goods come in by the shop's own messages, so that the audit finds a cause for everything.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from sagamart.app import Shop
from sagamart.messaging.limits import Limits
from sagamart.messaging.message import Body, Message, new_id
from sagamart.messaging.requests import request_of
from sagamart.messaging.worker import Node, Worker
from sagamart.platform.embedded import EmbeddedPostgres
from sagamart.programs import prepared
from sagamart.settings import ShopSettings
from sagamart.shop.catalogue.messages import CreateProduct
from sagamart.shop.stock.messages import ReceiveStock
from sagamart.shop.wallet.messages import DepositMoney
from sagamart.slices import SLICES

CUSTOMERS = 10_000
PRODUCTS = 1_000
MONEY_MINOR = 1_000_000_000_000
PIECES = 100_000_000
PRICE_MINOR = 10_000
SERVICES = ("orders", "stock", "wallet", "notifications")
"""The services that an order crosses, each with a database of its own."""


def customer(number: int) -> str:
    """The id of a customer, 0 to CUSTOMERS - 1."""
    return f"cus_{number:032x}"


def sku(number: int) -> str:
    """A product, 0 to PRODUCTS - 1."""
    return f"sku-{number:04d}"


class Ground:
    """A running PostgreSQL and the DSNs of the services in it."""

    def __init__(self, postgres: EmbeddedPostgres, dsns: Mapping[str, str]) -> None:
        self.postgres = postgres
        self.dsns = dsns

    async def copies_for(self, purpose: str) -> dict[str, str]:
        """The databases that an order crosses, copied as they are now; the administrator's DSNs."""
        admin = await asyncpg.connect(self.postgres.dsn())
        try:
            for name in SERVICES:
                await admin.execute(f"drop database if exists {purpose}_{name} with (force)")
                await admin.execute(f"create database {purpose}_{name} template sagamart_{name}")
        finally:
            await admin.close()
        return {name: self.postgres.dsn(f"{purpose}_{name}") for name in SERVICES}


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Ground]:
    """PostgreSQL on this folder, filled with goods, people and money the first time."""
    async with EmbeddedPostgres(folder, progress=print) as postgres:
        dsns = await prepared(postgres.dsn(), list(SLICES), print)
        if not await _filled(dsns["wallet"]):
            await _fill(dsns)
        await _at_rest(dsns)
        yield Ground(postgres, dsns)


async def _filled(dsn: str) -> bool:
    connection = await asyncpg.connect(dsn)
    try:
        return bool(await connection.fetchval("select count(*) = $1 from wallets", CUSTOMERS))
    finally:
        await connection.close()


async def _fill(dsns: Mapping[str, str]) -> None:
    print(f"Filling the shop: {PRODUCTS} products, {CUSTOMERS} customers with money")
    async with Shop(ShopSettings(), dsns, node=Node("fill"), limits=Limits(requests_max=CUSTOMERS)) as shop:
        workers = {name: running.worker for name, running in shop.services.items()}
        await _ask_all(
            workers["catalogue"],
            [
                CreateProduct(
                    sku(n), "bench", f"Product {n}", "", PRICE_MINOR, "RUB", 100, None, None, None, 0, active=True
                )
                for n in range(PRODUCTS)
            ],
        )
        await _ask_all(workers["stock"], [ReceiveStock(sku(n), PIECES, "bench") for n in range(PRODUCTS)])
        await _ask_all(
            workers["wallet"], [DepositMoney(customer(n), MONEY_MINOR, "RUB", "bench") for n in range(CUSTOMERS)]
        )
        await quiet(dsns)


async def _at_rest(dsns: Mapping[str, str]) -> None:
    """Let the orders that a broken-off run left behind come to their end."""
    async with Shop(ShopSettings(), dsns, node=Node("rest")):
        await quiet(dsns)


async def _ask_all(worker: Worker, bodies: Sequence[Body]) -> None:
    replies = await asyncio.gather(*(worker.ask(*asked(body, "POST /fill")) for body in bodies))
    refused = [reply for reply in replies if reply.refused]
    if refused:
        raise RuntimeError(f"the shop cannot be filled: {refused[0]}")


def asked(body: Body, route: str, content: Any = None) -> tuple[Message[Any], Any]:
    """A message as the front door makes it, and its request."""
    at = datetime.now(UTC)
    message_id = new_id(at, os.urandom(10))
    message = Message(
        id=message_id,
        type=type(body).__name__,
        key=body.key,
        source="http",
        at=at,
        correlation=message_id,
        body=body,
        node="bench",
    )
    return message, request_of("bench", route, message_id, content)


async def quiet(dsns: Mapping[str, str], *, wait_s_max: float = 60) -> None:
    """Until no service has a message under way.  Raises TimeoutError."""
    deadline = time.monotonic() + wait_s_max
    connections = [await asyncpg.connect(dsn) for dsn in dsns.values()]
    try:
        while any([await one.fetchval("select exists(select from outbox)") for one in connections]):
            if time.monotonic() > deadline:
                raise TimeoutError(f"messages are still under way after {wait_s_max} s")
            await asyncio.sleep(0.1)
    finally:
        for one in connections:
            await one.close()
