"""The reckoning after a run: every order has ended as it should, once, and money and goods are where they belong."""

import asyncio
from collections import Counter
from collections.abc import Collection
from typing import Any

import httpx

from e2e.buyers import (
    AT_ONCE_MAX,
    DEPOSIT_MINOR,
    EXPECTED,
    PLENTY,
    PLENTY_PIECES,
    REQUEST_S_MAX,
    Buyers,
    Customer,
    Wish,
    each,
    order,
    orders_of,
    outcome_of,
)

SETTLED_S_MAX = 300.0
"""So long after the last start an acknowledged order may be on its way."""


async def settled(
    http: httpx.AsyncClient, buyers: Buyers, *, or_else: Collection[tuple[str, str | None]] = ()
) -> list[dict[str, Any]]:
    """Ask for every order again, and for what became of it: what its kind lets expect, `or_else` one of these.

    Raises TimeoutError where one is still on its way.
    """

    async def ask_again(wish: Wish) -> None:
        assert await order(http, buyers, wish)

    async with asyncio.timeout(SETTLED_S_MAX):
        await each(buyers.wishes, ask_again)
        outcomes: list[dict[str, Any]] = await each(buyers.wishes, lambda wish: outcome_of(http, wish))
    found = [(one["status"], one["reason"] and one["reason"]["code"]) for one in outcomes]
    ended = zip(buyers.wishes, found, strict=True)
    wrong = [(wish.kind, end) for wish, end in ended if end != EXPECTED[wish.kind] and end not in or_else]
    assert not wrong, wrong
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


def talking_to(address: str) -> httpx.AsyncClient:
    """A client of the shop at this address."""
    limits = httpx.Limits(max_connections=AT_ONCE_MAX, max_keepalive_connections=AT_ONCE_MAX)
    return httpx.AsyncClient(base_url=address, timeout=REQUEST_S_MAX, limits=limits)


def counted_text(counter: Counter[str]) -> str:
    """`12 completed, 3 cancelled`."""
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counter.items()))
