"""Orders that are paid on the bank's page: our services in this process, the simulated bank in one of its own.

An order is placed and waits for its payment, the bank has a page, its customer confirms there, the bank tells of it,
money is held and taken, and the order is complete.  The bank writes to a PostgreSQL of its own on the same disk.
"""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import msgspec

from ground import Ground, asked, customer, quiet, sku
from machine import said
from rounds import Clock, Round
from sagamart.app import Shop
from sagamart.messaging.limits import Limits
from sagamart.messaging.worker import Node
from sagamart.platform.http import Process, build_app
from sagamart.platform.http.server import Server
from sagamart.platform.settings import HttpSettings
from sagamart.platform.tokens import Tokens
from sagamart.settings import BankSection, ShopSettings
from sagamart.shop.orders.messages import PayOrder, PlaceOrder, WantedLine, order_id_of
from sagamart.shop.orders.records import Order, Terms
from sagamart.slices import SLICES
from wishes import RULES, Wish, baskets

CARD = "4000000000000001"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  of a bank that takes no real money
SHOP_KEY = "key-of-the-shop"
START_S_MAX = 60
ROUND_S_MAX = 300
IN_FLIGHT_MAX = 500
PAGES_AT_ONCE = 64
_OPEN = re.compile(rb"open at (http://[0-9.]+:\d+)")
LATER = msgspec.structs.replace(RULES, terms=Terms(later=True))


@asynccontextmanager
async def bank(folder: Path) -> AsyncIterator[str]:
    """The bank's program; gives its address."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("sagamart-bank")),
        *("--port", "0", "--data", str(folder / "bank"), "--shop-key", SHOP_KEY),
        env={**os.environ},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(START_S_MAX):
            address = (await said(process, _OPEN)).decode()
        emptying = asyncio.create_task(_empty(process))
        yield address
        emptying.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _empty(process: asyncio.subprocess.Process) -> None:
    """What the bank goes on saying must not fill its pipe."""
    assert process.stderr is not None
    async for _ in process.stderr:
        pass


class Customers:
    """Everybody who orders: pays when the order waits for it, confirms when the bank has a page."""

    def __init__(self, shop: Shop, http: httpx.AsyncClient, wishes: Sequence[Wish]) -> None:
        self._orders = shop.services["orders"].worker
        self._http = http
        self._waiting = iter(wishes)
        self._left = len(wishes)
        self._at_work: set[asyncio.Task[None]] = set()
        self._confirmed: set[str] = set()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._orders.on_commit.append(self._look)

    def come(self, count: int) -> None:
        """So many more of them order."""
        for wish in islice(self._waiting, count):
            self._do(self._ask(wish))

    def _look(self, records: Sequence[object]) -> None:
        for order in records:
            if not isinstance(order, Order):
                continue
            if order.status == "booked" and not order.payments:
                body = PayOrder(order.order_id, order.customer_id, staff=False, source="bank")
                self._do(self._ask(asked(body, "POST payments")))
            elif order.status == "pay_pending" and order.payments[0].redirect_url:
                self._confirm(order.order_id, order.payments[0].redirect_url)
            elif order.status == "completed":
                self._left -= 1
                self.come(1)
            elif order.status == "cancelled":
                self._fail(RuntimeError(f"{order.order_id} was cancelled: {order.reason}"))
        if not self._left and not self.over.done():
            self.over.set_result(None)

    def _confirm(self, order_id: str, page: str) -> None:
        if order_id not in self._confirmed:
            self._confirmed.add(order_id)
            self._do(self._press(page))

    async def _press(self, page: str) -> None:
        (await self._http.post(page, data={"card": CARD, "answer": "confirm"})).raise_for_status()

    async def _ask(self, wish: Wish) -> None:
        reply = await self._orders.ask(*wish)
        if reply.refused:
            raise RuntimeError(f"an order or its payment was refused: {reply.body!r}")

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self.over.done():
            self.over.set_exception(error)


async def round_of(place: Ground, address: str, folder: Path, orders: int) -> Round:
    """So many orders, from the first wish to the last one completed."""
    section = BankSection(url=address, api_key=SHOP_KEY, webhook_secrets=(SECRET,))
    dsns = {name: place.dsns[name] for name in SLICES if name != "timeline"}
    settings = ShopSettings(bank=section, timeline="off")
    async with AsyncExitStack() as closing:
        limits = Limits(requests_max=2 * IN_FLIGHT_MAX)
        shop = await closing.enter_async_context(Shop(settings, dsns, node=Node("bench"), limits=limits))
        tokens = Tokens.of_folder(folder / "keys", issuer="sagamart", audience="sagamart")
        ears = build_app(
            [shop.services["payments"].mounted], tokens=tokens, process=Process(HttpSettings(rate_limit_per_s=0))
        )
        listener = await closing.enter_async_context(Server(ears, host="127.0.0.1", port=0))
        pool = httpx.Limits(max_connections=PAGES_AT_ONCE)
        http = await closing.enter_async_context(httpx.AsyncClient(timeout=ROUND_S_MAX, trust_env=False, limits=pool))
        hook = {"url": f"http://127.0.0.1:{listener.port}/v1/bank-webhooks/bank", "secrets": [SECRET]}
        told = await http.put(f"{address}/v1/webhook", json=hook, headers={"Authorization": f"Bearer {SHOP_KEY}"})
        told.raise_for_status()
        people = Customers(shop, http, [_wish(*one) for one in baskets(orders, seed=time.time_ns())])
        clock = Clock(place.postgres.pid)
        people.come(IN_FLIGHT_MAX)
        async with asyncio.timeout(ROUND_S_MAX):
            await people.over
        taken = clock.stop(orders)
        await quiet(dsns)
    return taken


def _wish(who: int, products: Sequence[int]) -> Wish:
    lines = tuple(WantedLine(sku(product), 1) for product in products)
    message, request = asked(PlaceOrder("", customer(who), lines, LATER), "POST /v1/orders", lines)
    body = PlaceOrder(order_id_of(message.id), customer(who), lines, LATER)
    return msgspec.structs.replace(message, key=body.key, body=body), request
