"""The program is killed again and again in the middle of its work, and nothing of what it acknowledged is lost."""

import asyncio
import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from e2e.buyers import PASSWORD, Buyers, Customer, counted, order_for_ever, registered, stocked, token_of
from e2e.reckoning import (
    counted_text,
    money_and_goods_are_where_they_belong,
    nothing_was_doubled,
    settled,
    talking_to,
)
from e2e.shop_program import ShopProgram, Tell, sagamart

SEED = 20261121
KILLS = int(os.environ.get("KILLS", "20"))
CUSTOMERS = 8
ANSWERS_MAX = 200
"""A life ends after so many answers at most, as the seed has it; what is in flight then is cut off."""

PAUSE_S_MAX = 0.03
LIFE_S_MAX = 60.0
ADMIN = "admin@example.com"
SETTINGS = {
    "wallet_customers_may_deposit": "true",
    "orders_custom_lines": "all",
    "orders_unpaid_orders_max": "100",
    "http_rate_limit_per_s": "0",
}


ALONE = ("up",)
TWO_PROCESSES = ("up", "--processes", "2")


# A kill cuts connections in the middle of a write; asyncio drops their transports, and says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("command", "kills"), [(ALONE, KILLS), (TWO_PROCESSES, max(2, KILLS // 5))])
async def test_what_was_acknowledged_survives_every_kill(
    folder: Path, tell: Tell, command: tuple[str, ...], kills: int
) -> None:
    random = Random(SEED)  # noqa: S311  a seed, not a secret
    created = sagamart("admin", "create", ADMIN, "--data", str(folder), admin_password=PASSWORD)
    assert created.returncode == 0, created.stderr
    with ShopProgram(folder, *command, **SETTINGS) as shop:
        async with talking_to(shop.address) as http:
            admin = Customer(0, "", await token_of(http, ADMIN, PASSWORD))
            await stocked(http, admin)
            customers = [await registered(http, number) for number in range(1, CUSTOMERS + 1)]
    buyers = Buyers(customers, random)
    cut_off = [
        await life(folder, command, buyers, random, everything=bool(number % 2), at_once=bool(number // 2 % 2))
        for number in range(kills)
    ]

    with ShopProgram(folder, *command, **SETTINGS) as shop:
        async with talking_to(shop.address) as http:
            outcomes = await settled(http, buyers)
            await nothing_was_doubled(http, buyers)
            await money_and_goods_are_where_they_belong(http, buyers, outcomes, admin)
        audit = sagamart("audit", "--data", str(folder))
        stopped = shop.stop()

    tell(
        f"{' '.join(command)}: {kills} kills (seed {SEED}), half of them of PostgreSQL too; {sum(cut_off)} requests"
        " were cut off.\n"
        f"Orders wanted: {counted_text(counted(buyers.wishes))}.\n"
        f"Orders ended:  {counted_text(Counter(one['status'] for one in outcomes))}.\n"
        f"Answers asked for again and found the same: {buyers.asked_again}.\n"
        f"From SIGTERM to the end of the program and of its PostgreSQL: {shop.stop_s:.1f} s."
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert stopped == 0
    assert sum(cut_off) > kills, "hardly anything was under way when the program was killed"


async def life(  # noqa: PLR0913  how it ends is part of it
    folder: Path, command: tuple[str, ...], buyers: Buyers, random: Random, *, everything: bool, at_once: bool
) -> int:
    """Start the program, order, kill it after some answers; says how many requests were left without one.

    Killed `at_once`, the program has no time to make true what it has just said.  Of two processes the one that handles
    messages is killed on the way there, and comes back.
    """
    answers_left = random.randint(1, ANSWERS_MAX)
    halfway = answers_left // 2
    pause_s = random.random() * PAUSE_S_MAX
    enough = asyncio.Event()

    def answered() -> None:
        nonlocal answers_left
        answers_left -= 1
        if command == TWO_PROCESSES and answers_left == halfway:
            shop.kill_handling()
        if answers_left == 0:
            if at_once:
                shop.kill(everything=everything)
            enough.set()

    with ShopProgram(folder, *command, **SETTINGS) as shop:
        async with talking_to(shop.address) as http, asyncio.timeout(LIFE_S_MAX):
            ordering = asyncio.create_task(order_for_ever(http, buyers, answered))
            ordering.add_done_callback(lambda _: enough.set())  # it ends by itself only where an answer was wrong
            await enough.wait()
            if not at_once:
                await asyncio.sleep(pause_s)
                shop.kill(everything=everything)
            await ordering
    return sum(wish.answer is None for wish in buyers.wishes)
