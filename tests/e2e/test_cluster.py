"""The shop as separate processes, two for each service, messages by HTTP: the same story, and the same promises."""

import asyncio
import os
import re
import signal
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import httpx

from e2e.buyers import PASSWORD, Buyers, Customer, counted, order_until, registered, stocked, token_of
from e2e.forgery import GUARDED, let_in
from e2e.reckoning import (
    counted_text,
    money_and_goods_are_where_they_belong,
    nothing_was_doubled,
    settled,
    talking_to,
)
from e2e.scenario import scenario
from e2e.shop_program import ShopProgram, Tell, descendants, sagamart

SEED = 20261121
CUSTOMERS = 6
KILLED = ("orders-1", "stock-2", "wallet-1", "orders-2", "notifications-2")
ANSWERS_BETWEEN = 25
"""So many orders are acknowledged from one kill to the next."""

BACK_S_MAX = 180.0
"""So long a process that was killed may take to be ready again."""

ADMIN = "admin@example.com"
AUDIT = "/v1/operations/audit"
SETTINGS = {
    "wallet_customers_may_deposit": "true",
    "orders_custom_lines": "all",
    "orders_unpaid_orders_max": "100",
    "http_rate_limit_per_s": "0",
}

_READY = re.compile(r"(?P<node>[a-z]+-\d) is ready \(process (?P<pid>\d+)\)")


async def test_a_shop_of_many_processes_keeps_its_promises_while_they_are_killed(folder: Path, tell: Tell) -> None:
    created = sagamart("admin", "create", ADMIN, "--data", str(folder), admin_password=PASSWORD)
    assert created.returncode == 0, created.stderr
    with ShopProgram(folder, "cluster", "--replicas", "2", **SETTINGS) as shop:
        told = await scenario(shop.address)
        async with talking_to(shop.address) as http:
            admin = Customer(0, "", await token_of(http, ADMIN, PASSWORD))
            await stocked(http, admin)
            customers = [await registered(http, number) for number in range(1, CUSTOMERS + 1)]
            processes = ready_processes(shop)
            assert {node.rpartition("-")[0] for node in processes} == set(GUARDED)
            assert await let_in(processes, customers[0].token) == []
            buyers = Buyers(customers, Random(SEED))  # noqa: S311  a seed, not a secret
            killed = await order_while_killing(shop, http, buyers)
            await all_ready(shop, killed)
            outcomes = await settled(http, buyers)
            await nothing_was_doubled(http, buyers)
            await money_and_goods_are_where_they_belong(http, buyers, outcomes, admin)
            found = await audited(http, admin)
        audit = sagamart("audit", "--data", str(folder))
        family = list(descendants(shop.pid))
        stopped = shop.stop()

    tell(
        f"{told}\n{len(killed)} processes killed (seed {SEED}).\n"
        f"Orders wanted: {counted_text(counted(buyers.wishes))}.\n"
        f"Orders ended:  {counted_text(Counter(one['status'] for one in outcomes))}.\n"
        f"Answers asked for again and found the same: {buyers.asked_again}."
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert (found["outcome"], found["findings"]) == ("holds", [])
    assert stopped == 0
    assert set(killed) == set(KILLED)
    assert still_running(family) == []


def still_running(pids: list[int]) -> list[int]:
    """Those of these processes that are there."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


async def order_while_killing(shop: ShopProgram, http: httpx.AsyncClient, buyers: Buyers) -> dict[str, int]:
    """Order all the time, and kill one process after the other; says which had which process id."""
    enough = asyncio.Event()
    killed: dict[str, int] = {}
    ordering = asyncio.create_task(order_until(enough, http, buyers))
    try:
        for node in KILLED:
            wanted = len(buyers.acknowledged) + ANSWERS_BETWEEN
            async with asyncio.timeout(BACK_S_MAX):
                while len(buyers.acknowledged) < wanted and not ordering.done():  # noqa: ASYNC110  a count is no event
                    await asyncio.sleep(0.01)
            killed[node] = ready_processes(shop)[node]
            os.kill(killed[node], signal.SIGKILL)
    finally:
        enough.set()
        await ordering
    return killed


async def all_ready(shop: ShopProgram, killed: dict[str, int]) -> None:
    """Wait until every process that was killed is back."""
    async with asyncio.timeout(BACK_S_MAX):
        while any(ready_processes(shop)[node] == pid for node, pid in killed.items()):  # noqa: ASYNC110  as above
            await asyncio.sleep(0.1)


async def audited(http: httpx.AsyncClient, admin: Customer) -> Any:
    """What the cluster's own audit finds now, asked for through the door."""
    async with asyncio.timeout(BACK_S_MAX):
        before = await at_rest(http, admin)
        begun = await http.post(AUDIT, headers={"Authorization": f"Bearer {admin.token}"})
        assert begun.status_code == 202, begun.text
        after = await at_rest(http, admin)
    assert after["ended_at"] != before["ended_at"]
    return after


async def at_rest(http: httpx.AsyncClient, admin: Customer) -> Any:
    """The last audit, once none is under way."""
    while True:
        answer = await http.get(AUDIT, headers={"Authorization": f"Bearer {admin.token}"})
        assert answer.status_code == 200, answer.text
        if not answer.json()["running"]:
            return answer.json()
        await asyncio.sleep(0.1)


def ready_processes(shop: ShopProgram) -> dict[str, int]:
    """The process id of each node, as the cluster told it last."""
    found = (_READY.match(line) for line in shop.said)
    return {one["node"]: int(one["pid"]) for one in found if one is not None}
