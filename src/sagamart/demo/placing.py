"""The demo: places orders against a running shop and watches each until its end, through the public API.

Every customer has one order under way at a time, since the shop lets them have one unpaid.
"""

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import Protocol

import httpx
from rich.console import Console

from sagamart.demo.assortment import CUSTOMERS, EVERYDAY, OPERATOR, PIECES, STOCK_OPERATOR, Person
from sagamart.demo.client import DemoError, Session, ShopClient, refusal, refusal_code, shop_at
from sagamart.demo.display import Display
from sagamart.demo.journeys import Journey, Wish, summary, wishes
from sagamart.demo.seeding import money_of

WATCH_S_MAX = 30.0
WATCH_EVERY_S = 0.01
WATCH_EVERY_S_MAX = 0.5
PIECES_LEFT_MIN = 100
NEWS_S_MAX = 30.0
NO_NEWS_YET = "unknown_product"


class Watching(Protocol):
    """Who is told of journeys as they go on."""

    def begun(self, journey: Journey) -> None:
        """An order is being placed."""

    def moved(self) -> None:
        """An order was seen in some status."""

    def ended(self, journey: Journey) -> None:
        """An order is over."""


async def demonstrate(
    url: str, *, orders: int = 20, rate_per_s: float = 4.0, console: Console | None = None
) -> Sequence[Journey]:
    """Place so many orders, at most so many a second, and show the way of each on the console.

    Raises DemoError where no shop answers, or where it has no demo data.
    """
    async with shop_at(url) as shop:
        customers = [await logged_in(shop, customer) for customer in CUSTOMERS]
        await replenish(shop, customers)
        begun = time.perf_counter()
        with Display(console or Console(), url) as display:
            journeys = await _place_all(customers, list(wishes(orders)), rate_per_s, display)
            display.end(summary(journeys, time.perf_counter() - begun))
    return journeys


async def _place_all(
    customers: Sequence[Session], wanted: Sequence[Wish], rate_per_s: float, display: Display
) -> list[Journey]:
    free: asyncio.Queue[Session] = asyncio.Queue()
    for customer in customers:
        free.put_nowait(customer)
    journeys: list[Journey] = []
    begun = time.perf_counter()
    running: list[asyncio.Task[None]] = []
    try:
        for number, wish in enumerate(wanted):
            await asyncio.sleep(max(0.0, begun + number / rate_per_s - time.perf_counter()))
            customer = await free.get()
            journey = Journey(number + 1, customer.email.partition("@")[0], wish)
            journeys.append(journey)
            running.append(asyncio.create_task(watched(customer, journey, display, free)))
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
    return journeys


async def watched(customer: Session, journey: Journey, display: Watching, free: asyncio.Queue[Session]) -> None:
    """One order from its wish to its end; then its customer is free for another."""
    try:
        display.begun(journey)
        await _follow(customer, journey, display)
        display.ended(journey)
    finally:
        free.put_nowait(customer)


async def _follow(customer: Session, journey: Journey, display: Watching) -> None:
    answer = await placed(customer, journey.wish)
    begun = time.perf_counter() - answer.elapsed.total_seconds()
    if not answer.is_success:
        journey.outcome, journey.is_refused = f"refused: {refusal(answer)}", True
        return
    order = answer.json()
    every_s = WATCH_EVERY_S
    while True:
        journey.sees(order, (time.perf_counter() - begun) * 1000)
        display.moved()
        if journey.ended_as:
            return
        if time.perf_counter() - begun > WATCH_S_MAX:
            journey.outcome = f"has not ended within {WATCH_S_MAX:.0f} s"
            return
        await asyncio.sleep(every_s)
        every_s = min(every_s * 1.3, WATCH_EVERY_S_MAX)
        order = await customer.ask("GET", f"/v1/orders/{journey.order_id}")


async def placed(customer: Session, wish: Wish) -> httpx.Response:
    """The answer to an order.  Between processes, what was just put into the catalogue may not have come to orders."""
    until = time.monotonic() + NEWS_S_MAX
    while True:
        answer = await customer.send("POST", "/v1/orders", json=wish.body, key=str(uuid.uuid4()))
        if refusal_code(answer) != NO_NEWS_YET or time.monotonic() > until:
            return answer
        await asyncio.sleep(WATCH_EVERY_S_MAX)


async def logged_in(shop: ShopClient, person: Person) -> Session:
    """Somebody of the demo, logged in.  Raises DemoError where the shop does not know them."""
    session = await shop.session(person.email, person.password)
    if session is None:
        raise DemoError(
            f"The shop at {shop.url} does not know {person.email}: it has no demo data. Start it with `make run`"
            " (sagamart up --demo)."
        )
    return session


async def replenish(shop: ShopClient, customers: Sequence[Session]) -> None:
    """Earlier demos have spent money and pieces: let there be enough again, so that this one shows every way."""
    operator, stock_operator = await logged_in(shop, OPERATOR), await logged_in(shop, STOCK_OPERATOR)
    for customer in customers:
        wallet = await customer.ask("GET", "/v1/wallet")
        missing = money_of(wallet["currency"]) - wallet["available_minor"]
        if missing > money_of(wallet["currency"]) // 2:
            wish = {"amount_minor": missing, "currency": wallet["currency"], "customer_id": wallet["customer_id"]}
            await operator.ask("POST", "/v1/wallet/deposits", json=wish, key=str(uuid.uuid4()))
    for product in EVERYDAY:
        level = await stock_operator.ask("GET", f"/v1/stock/{product.sku}")
        if level["available"] < PIECES_LEFT_MIN:
            wish = {"quantity": PIECES}
            await stock_operator.ask("POST", f"/v1/stock/{product.sku}/receipts", json=wish, key=str(uuid.uuid4()))
