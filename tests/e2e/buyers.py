"""Buyers: customers who order over HTTP, remember every answer, and ask again under the same key where none came."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from random import Random
from typing import Any, Literal
from uuid import UUID

import httpx
import msgspec

PASSWORD = "otter counts nine reeds"
DEPOSIT_MINOR = 1_000_000_000
TOO_DEAR_MINOR = 2 * DEPOSIT_MINOR
PLENTY, SCARCE = "PLENTY", "SCARCE"
PLENTY_PIECES, SCARCE_PIECES = 1_000_000, 10
AT_ONCE_MAX = 24
REQUEST_S_MAX = 40.0
WAIT_S = 30
REFUSED_PAUSE_S = 0.05
FINAL = ("completed", "cancelled")

Kind = Literal["payable", "too dear", "short"]
EXPECTED: dict[Kind, tuple[str, str | None]] = {
    "payable": ("completed", None),
    "too dear": ("cancelled", "money_refused"),
    "short": ("cancelled", "stock_refused"),
}


class Answer(msgspec.Struct, frozen=True):
    """What acknowledged an order: two answers to one key have to be equal."""

    status: int
    location: str | None
    body: bytes

    @property
    def order_id(self) -> str:
        """The order that it names."""
        order_id: str = msgspec.json.decode(self.body)["id"]
        return order_id


class Customer(msgspec.Struct):
    """Somebody with a full wallet."""

    number: int
    customer_id: str
    token: str


class Wish(msgspec.Struct):
    """An order that somebody wants, under its key; with the first answer, once there is one."""

    customer: Customer
    key: str
    kind: Kind
    lines: list[dict[str, Any]]
    answer: Answer | None = None


class Buyers:
    """All wishes of a run.  They are drawn from a seed; `acknowledged` are those that have been answered."""

    def __init__(self, customers: list[Customer], random: Random) -> None:
        self.customers = customers
        self.wishes: list[Wish] = []
        self.asked_again = 0
        self._random = random

    @property
    def acknowledged(self) -> list[Wish]:
        """Wishes whose answer a buyer has seen."""
        return [wish for wish in self.wishes if wish.answer is not None]

    def next_wishes(self) -> Iterator[Wish]:
        """Wishes without an answer first, then some with one, then new ones without end."""
        yield from [wish for wish in self.wishes if wish.answer is None]
        known = self.acknowledged
        yield from self._random.sample(known, min(10, len(known)))
        while True:
            wish = self._new()
            self.wishes.append(wish)
            yield wish

    def _new(self) -> Wish:
        random = self._random
        kinds: tuple[Kind, ...] = ("payable", "too dear", "short")
        (kind,) = random.choices(kinds, (6, 2, 2))
        lines: list[dict[str, Any]] = [{"title": "A mug", "quantity": 1, "price_minor": random.randint(1, 900)}]
        if random.random() < 0.5:
            lines.append({"sku": PLENTY, "quantity": random.randint(1, 3)})
        if kind == "too dear":
            lines.append({"title": "A golden mug", "price_minor": TOO_DEAR_MINOR})
        if kind == "short":
            lines.append({"sku": SCARCE, "quantity": SCARCE_PIECES + 1})
        return Wish(random.choice(self.customers), str(UUID(int=random.getrandbits(128))), kind, lines)


async def order(http: httpx.AsyncClient, buyers: Buyers, wish: Wish) -> bool:
    """Ask for an order; says whether there was an answer.  Raises AssertionError where it differs from the first."""
    response = await http.post("/v1/orders", json={"lines": wish.lines}, headers=_headers(wish.customer, wish.key))
    if response.status_code in (429, 502, 503):
        return False
    answer = Answer(response.status_code, response.headers.get("Location"), response.content)
    assert answer.status == 202, (wish, answer)
    assert answer.location == f"/v1/orders/{answer.order_id}"
    if wish.answer is not None:
        buyers.asked_again += 1
        assert answer == wish.answer, "the same key was answered otherwise"
    wish.answer = answer
    return True


async def order_for_ever(http: httpx.AsyncClient, buyers: Buyers, answered: Callable[[], None]) -> None:
    """Order, as many at once as there may be, until the shop is gone.  Tells of each answer."""
    wishes = buyers.next_wishes()

    async def buy() -> None:
        for wish in wishes:
            try:
                if await order(http, buyers, wish):
                    answered()
            except httpx.TransportError:
                return

    await each(range(AT_ONCE_MAX), lambda _: buy())


async def outcome_of(http: httpx.AsyncClient, wish: Wish) -> dict[str, Any]:
    """What has become of an order: asked under its key, waiting until it is settled."""
    headers = {**_headers(wish.customer, wish.key), "Prefer": f"wait={WAIT_S}"}
    response = await http.post("/v1/orders", json={"lines": wish.lines}, headers=headers)
    order: dict[str, Any] = response.json()
    return order


async def orders_of(http: httpx.AsyncClient, customer: Customer) -> AsyncIterator[str]:
    """The ids of all orders that a customer has."""
    cursor: str | None = None
    while True:
        page: dict[str, str | int] = {"limit": 200} if cursor is None else {"limit": 200, "cursor": cursor}
        found = (await http.get("/v1/orders", params=page, headers=_headers(customer))).json()
        for item in found["items"]:
            yield item["id"]
        cursor = found["next_cursor"]
        if cursor is None:
            return


async def registered(http: httpx.AsyncClient, number: int) -> Customer:
    """A new customer with a full wallet."""
    credentials = {"email": f"buyer{number}@example.com", "password": PASSWORD}
    profile = await http.post("/v1/users", json={**credentials, "name": "A Buyer"})
    customer = Customer(number, profile.raise_for_status().json()["id"], await token_of(http, **credentials))
    deposit = {"amount_minor": DEPOSIT_MINOR, "currency": "RUB"}
    paid_in = await http.post("/v1/wallet/deposits", json=deposit, headers=_headers(customer, "deposit"))
    paid_in.raise_for_status()
    return customer


async def token_of(http: httpx.AsyncClient, email: str, password: str) -> str:
    """Log in; the access token."""
    response = await http.post("/v1/tokens", json={"email": email, "password": password})
    token: str = response.raise_for_status().json()["access_token"]
    return token


async def stocked(http: httpx.AsyncClient, admin: Customer) -> None:
    """Put the two products into the catalogue and the stock."""
    for sku, pieces in ((PLENTY, PLENTY_PIECES), (SCARCE, SCARCE_PIECES)):
        product = {"sku": sku, "title": sku.title(), "price_minor": 100, "currency": "RUB"}
        created = await http.post("/v1/products", json=product, headers=_headers(admin, sku))
        created.raise_for_status()
        receipt = await http.post(f"/v1/stock/{sku}/receipts", json={"quantity": pieces}, headers=_headers(admin, sku))
        receipt.raise_for_status()


async def each(items: Iterable[Any], act: Callable[[Any], Any]) -> list[Any]:
    """Do this for each item, AT_ONCE_MAX at once; the results in order."""
    room = asyncio.Semaphore(AT_ONCE_MAX)

    async def one(item: Any) -> Any:
        async with room:
            return await act(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


async def order_until(enough: asyncio.Event, http: httpx.AsyncClient, buyers: Buyers) -> None:
    """Order, as many at once as there may be, until it is enough."""
    wishes = buyers.next_wishes()

    async def buy() -> None:
        while not enough.is_set():
            if not await order(http, buyers, next(wishes)):
                await asyncio.sleep(REFUSED_PAUSE_S)

    await each(range(AT_ONCE_MAX), lambda _: buy())


def counted(wishes: Iterable[Wish]) -> Counter[str]:
    """How many of each kind."""
    return Counter(wish.kind for wish in wishes)


def _headers(customer: Customer, key: str | None = None) -> dict[str, str]:
    authorization = {"Authorization": f"Bearer {customer.token}"}
    return authorization if key is None else {**authorization, "Idempotency-Key": key}
