"""Who uses the shop in a run: staff who fill it, customers who order, pay, change their minds and ask twice.

Everybody repeats a request under its key until it is answered, as a client must, and remembers every answer.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from sagamart.messaging.message import Body, Message, new_id
from sagamart.messaging.requests import Overloaded, StoredReply, request_of
from sagamart.shop.accounts.messages import RegisterCustomer
from sagamart.shop.catalogue.messages import ChangeProduct, CreateProduct
from sagamart.shop.orders.messages import CancelOrder, PayOrder, PlaceOrder, PlacingRules, WantedLine, order_id_of
from sagamart.shop.orders.records import Terms
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock
from sagamart.shop.wallet.messages import DepositMoney, WithdrawMoney
from simulation.chaos import Chaos
from simulation.processes import Process

ANSWER_S_MAX = 4.0
BETWEEN_ORDERS_S_MAX = 3.0
CUSTOMERS = tuple(f"cus_{number}" for number in range(6))
PRICES_MINOR = {"apple": 300, "pear": 500, "melon": 2_000}
PIECES = {"apple": 40, "pear": 6, "melon": 3}
PURSES_MINOR = (100_000, 100_000, 20_000, 5_000, 1_000, 0)
RULES = PlacingRules(custom_lines=True, unpaid_orders_max=1, currency="RUB")
PAID_LATER = PlacingRules(
    custom_lines=True,
    unpaid_orders_max=1,
    currency="RUB",
    terms=Terms(later=True, at_payment=True, window_s=5, attempt_s=10),
)

Wish = Body | Callable[[str], Body]
"""What is asked for; an order takes its id from its message."""


class Asked(msgspec.Struct):
    """A request under one key, and all answers that came back."""

    service: str
    body: Body
    answers: list[StoredReply] = []


class People:
    """All clients of a run."""

    def __init__(self, chaos: Chaos, clock: Callable[[], datetime], processes: Mapping[str, Process]) -> None:
        self.chaos = chaos
        self.clock = clock
        self.processes = processes
        self.asked: dict[str, Asked] = {}

    async def fill_the_shop(self) -> None:
        """Staff bring products and pieces; customers register and bring money, in any order."""
        wishes = [self.ask("catalogue", f"product {sku}", _product(sku, price)) for sku, price in PRICES_MINOR.items()]
        wishes += [
            self.ask("stock", f"receive {sku}", ReceiveStock(sku, pieces, "ann")) for sku, pieces in PIECES.items()
        ]
        for who, purse in zip(CUSTOMERS, PURSES_MINOR, strict=True):
            wishes.append(self.ask("accounts", f"register {who}", _registration(who)))
            if purse:
                money = DepositMoney(who, purse, "RUB", "ann")
                wishes.append(self.ask("wallet", f"deposit {who}", money))
        await asyncio.gather(*wishes)

    async def order(self, orders: int) -> None:
        """Customers place so many orders in all, each customer one after another; staff meddle meanwhile."""
        share = [orders // len(CUSTOMERS) + (place < orders % len(CUSTOMERS)) for place in range(len(CUSTOMERS))]
        buying = [self._buy(who, count) for who, count in zip(CUSTOMERS, share, strict=True)]
        await asyncio.gather(*buying, self._meddle())

    async def ask(self, service: str, key: str, make: Wish) -> StoredReply:
        """Ask under this key until there is an answer; sometimes twice at the same time."""
        asked = self.asked.setdefault(key, Asked(service, _body(make, "")))
        if self.chaos.strikes("request doubled"):
            await asyncio.gather(self._until_answered(asked, key, make), self._until_answered(asked, key, make))
        else:
            await self._until_answered(asked, key, make)
        return asked.answers[0]

    async def _until_answered(self, asked: Asked, key: str, make: Wish) -> None:
        while True:
            reply = await self._try(asked.service, key, make)
            if reply is not None:
                asked.answers.append(reply)
                if not self.chaos.strikes("reply lost"):
                    return
            await asyncio.sleep(self.chaos.random.uniform(0.1, 1.0))

    async def _try(self, service: str, key: str, make: Wish) -> StoredReply | None:
        alive = [process for process in self.processes.values() if service in process.workers]
        if not alive:
            return None
        worker = self.chaos.random.choice(alive).workers[service]
        message = self._message(make)
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await worker.ask(message, request_of("someone", service, key, key))
        except (Overloaded, TimeoutError):
            return None

    def _message(self, make: Wish) -> Message[Any]:
        now = self.clock()
        message_id = new_id(now, self.chaos.random.randbytes(10))
        body = _body(make, message_id)
        return Message(
            id=message_id,
            type=type(body).__name__,
            key=body.key,
            source="client",
            at=now,
            correlation=message_id,
            body=body,
        )

    async def _buy(self, who: str, count: int) -> None:
        random = self.chaos.random
        for number in range(count):
            skus = random.sample(sorted(PRICES_MINOR), random.randint(1, 3))
            lines = [WantedLine(sku, random.randint(1, 3)) for sku in skus]
            if random.random() < 0.1:
                lines = [WantedLine(None, 1, 700, "wrapping")]
            later = random.random() < 0.3
            reply = await self.ask(
                "orders",
                f"order {who} {number}",
                _order(who, tuple(lines), PAID_LATER if later else RULES),
            )
            await asyncio.sleep(random.uniform(0, 0.5))
            if reply.status == 202 and later:
                await self._pay(who, number, _order_of(reply))
            if reply.status == 202 and random.random() < 0.3:
                placed = _order_of(reply)
                await self.ask("orders", f"cancel {who} {number}", CancelOrder(placed, who, staff=False))
            await asyncio.sleep(random.uniform(0, BETWEEN_ORDERS_S_MAX))

    async def _pay(self, who: str, number: int, order_id: str) -> None:
        """Pay a part, then more than the rest or all that is due; some do nothing more, and let the window close."""
        random = self.chaos.random
        for part in range(random.randint(0, 3)):
            await asyncio.sleep(random.uniform(0, 2))
            amount = random.choice([None, random.randint(1, 1_500)])
            wish = PayOrder(order_id, who, staff=False, source="wallet", amount_minor=amount)
            await self.ask("orders", f"pay {who} {number} {part}", wish)

    async def _meddle(self) -> None:
        """Staff count again, bring more, change a price; a customer takes money out."""
        random = self.chaos.random
        for number in range(6):
            await asyncio.sleep(random.uniform(0, 5))
            sku, who = random.choice(sorted(PIECES)), random.choice(CUSTOMERS)
            price_minor = random.randint(100, 900)
            service, body = random.choice(
                [
                    ("stock", AdjustStock(sku, -random.randint(1, 3), "ann", "broken")),
                    ("stock", ReceiveStock(sku, random.randint(1, 3), "ann")),
                    ("wallet", WithdrawMoney(who, random.randint(1, 3_000), "RUB", "ann")),
                    ("wallet", DepositMoney(who, random.randint(1, 3_000), "RUB", "ann")),
                    ("catalogue", ChangeProduct(sku, "ann", 1, price_minor=price_minor)),
                ]
            )
            await self.ask(service, f"meddle {number}", body)


def _body(wish: Wish, message_id: str) -> Body:
    return wish if isinstance(wish, Body) else wish(message_id)


def _order(who: str, lines: tuple[WantedLine, ...], rules: PlacingRules) -> Callable[[str], Body]:
    return lambda message_id: PlaceOrder(order_id_of(message_id), who, lines, rules)


def _order_of(reply: StoredReply) -> str:
    return (reply.location or "").rpartition("/")[2]


def _product(sku: str, price_minor: int) -> CreateProduct:
    return CreateProduct(sku, "ann", sku.title(), "", price_minor, "RUB", 100, None, None, None, 2000, active=True)


def _registration(who: str) -> RegisterCustomer:
    return RegisterCustomer(who, f"{who}@example.org", "argon2id", who.title(), "en")
