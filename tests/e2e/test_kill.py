"""The program is killed again and again in the middle of its work, and nothing of what it acknowledged is lost."""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import httpx

from e2e.buyers import (
    AT_ONCE_MAX,
    DEPOSIT_MINOR,
    EXPECTED,
    PASSWORD,
    PLENTY,
    PLENTY_PIECES,
    REQUEST_S_MAX,
    Buyers,
    Customer,
    Wish,
    counted,
    each,
    order,
    order_for_ever,
    orders_of,
    outcome_of,
    registered,
    stocked,
    token_of,
)
from e2e.shop_program import ShopProgram, Tell, sagamart

SEED = 20261121
KILLS = 20
CUSTOMERS = 8
ANSWERS_MAX = 200
"""A life ends after so many answers at most, as the seed has it; what is in flight then is cut off."""

PAUSE_S_MAX = 0.03
LIFE_S_MAX = 60.0
SETTLED_S_MAX = 60.0
"""So long after the last start an acknowledged order may be on its way."""

ADMIN = "admin@example.com"
SETTINGS = {"wallet_customers_may_deposit": "true", "orders_unpaid_orders_max": "100", "http_rate_limit_per_s": "0"}


async def test_what_was_acknowledged_survives_every_kill(folder: Path, tell: Tell) -> None:
    random = Random(SEED)  # noqa: S311  a seed, not a secret
    created = sagamart("admin", "create", ADMIN, "--data", str(folder), admin_password=PASSWORD)
    assert created.returncode == 0, created.stderr
    with ShopProgram(folder, **SETTINGS) as shop:
        async with talking_to(shop) as http:
            admin = Customer(0, "", await token_of(http, ADMIN, PASSWORD))
            await stocked(http, admin)
            customers = [await registered(http, number) for number in range(1, CUSTOMERS + 1)]
    buyers = Buyers(customers, random)
    cut_off = [
        await life(folder, buyers, random, everything=bool(number % 2), at_once=bool(number // 2 % 2))
        for number in range(KILLS)
    ]

    with ShopProgram(folder, **SETTINGS) as shop:
        async with talking_to(shop) as http:
            outcomes = await settled(http, buyers)
            await nothing_was_doubled(http, buyers)
            await money_and_goods_are_where_they_belong(http, buyers, outcomes, admin)
        audit = sagamart("audit", "--data", str(folder))
        stopped = shop.stop()

    tell(
        f"{KILLS} kills (seed {SEED}), half of them of PostgreSQL too; {sum(cut_off)} requests were cut off.\n"
        f"Orders wanted: {counted_text(counted(buyers.wishes))}.\n"
        f"Orders ended:  {counted_text(Counter(one['status'] for one in outcomes))}.\n"
        f"Answers asked for again and found the same: {buyers.asked_again}."
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert stopped == 0
    assert sum(cut_off) > KILLS, "hardly anything was under way when the program was killed"


async def life(folder: Path, buyers: Buyers, random: Random, *, everything: bool, at_once: bool) -> int:
    """Start the program, order, kill it after some answers; says how many requests were left without one.

    Killed `at_once`, the program has no time to make true what it has just said.
    """
    answers_left = random.randint(1, ANSWERS_MAX)
    pause_s = random.random() * PAUSE_S_MAX
    enough = asyncio.Event()

    def answered() -> None:
        nonlocal answers_left
        answers_left -= 1
        if answers_left == 0:
            if at_once:
                shop.kill(everything=everything)
            enough.set()

    with ShopProgram(folder, **SETTINGS) as shop:
        async with talking_to(shop) as http, asyncio.timeout(LIFE_S_MAX):
            ordering = asyncio.create_task(order_for_ever(http, buyers, answered))
            ordering.add_done_callback(lambda _: enough.set())  # it ends by itself only where an answer was wrong
            await enough.wait()
            if not at_once:
                await asyncio.sleep(pause_s)
                shop.kill(everything=everything)
            await ordering
    return sum(wish.answer is None for wish in buyers.wishes)


async def settled(http: httpx.AsyncClient, buyers: Buyers) -> list[dict[str, Any]]:
    """Ask for every order again, and for what became of it.  Raises TimeoutError where one is still on its way."""

    async def ask_again(wish: Wish) -> None:
        assert await order(http, buyers, wish)

    async with asyncio.timeout(SETTLED_S_MAX):
        await each(buyers.wishes, ask_again)
        outcomes: list[dict[str, Any]] = await each(buyers.wishes, lambda wish: outcome_of(http, wish))
    found = [(one["status"], one["reason"] and one["reason"]["code"]) for one in outcomes]
    assert found == [EXPECTED[wish.kind] for wish in buyers.wishes]
    return outcomes


async def nothing_was_doubled(http: httpx.AsyncClient, buyers: Buyers) -> None:
    """Every wish has led to one order, and there is no other."""
    there = [order_id for customer in buyers.customers async for order_id in orders_of(http, customer)]
    answered = [wish.answer.order_id for wish in buyers.wishes if wish.answer is not None]
    assert len(answered) == len(buyers.wishes)
    assert sorted(there) == sorted(answered)


async def money_and_goods_are_where_they_belong(
    http: httpx.AsyncClient, buyers: Buyers, outcomes: list[dict[str, Any]], admin: Customer
) -> None:
    """Wallets are less by what was paid, the stock by what was sold; nothing is held or reserved."""
    paid: Counter[str] = Counter()
    sold = 0
    for one in outcomes:
        if one["status"] == "completed":
            paid[one["customer_id"]] += one["total_minor"]
            sold += sum(line["quantity"] for line in one["lines"] if line["sku"] == PLENTY)
    for customer in buyers.customers:
        wallet = (await http.get("/v1/wallet", headers={"Authorization": f"Bearer {customer.token}"})).json()
        assert wallet["balance_minor"] == DEPOSIT_MINOR - paid[customer.customer_id]
        assert wallet["held_minor"] == 0
    stock = (await http.get(f"/v1/stock/{PLENTY}", headers={"Authorization": f"Bearer {admin.token}"})).json()
    assert (stock["on_hand"], stock["reserved"]) == (PLENTY_PIECES - sold, 0)


def talking_to(shop: ShopProgram) -> httpx.AsyncClient:
    """A client of this shop."""
    limits = httpx.Limits(max_connections=AT_ONCE_MAX, max_keepalive_connections=AT_ONCE_MAX)
    return httpx.AsyncClient(base_url=shop.address, timeout=REQUEST_S_MAX, limits=limits)


def counted_text(counter: Counter[str]) -> str:
    """`12 completed, 3 cancelled`."""
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counter.items()))
