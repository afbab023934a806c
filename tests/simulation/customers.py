"""The customers of a run: they order, pay by parts from wallets and cards, change their minds, and send things back."""

import asyncio
from collections.abc import Callable

from sagamart.contracts.orders import Address, PaymentSource, ReturnedLine
from sagamart.messaging.message import Body
from sagamart.messaging.requests import StoredReply
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import (
    CancelOrder,
    ChangeOrder,
    PayOrder,
    PlaceOrder,
    PlacingRules,
    ReturnItems,
    WantedDelivery,
    WantedLine,
    order_id_of,
    return_id_of,
)
from sagamart.shop.orders.records import Order, Terms
from sagamart.shop.payments.messages import OpenTopUp
from simulation.people import People
from simulation.staff import CODES, COUNTER, COURIER, CUSTOMERS, PIGEON, PRICES_MINOR

BETWEEN_ORDERS_S_MAX = 3.0
PATIENCE_S = 25.0
RULES = PlacingRules(custom_lines=True, unpaid_orders_max=2, currency="RUB")


class Customers:
    """All customers, each one order after another."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.ask = people.ask
        self.random = people.chaos.random

    async def order(self, orders: int) -> None:
        """Place so many orders in all."""
        share = [orders // len(CUSTOMERS) + (place < orders % len(CUSTOMERS)) for place in range(len(CUSTOMERS))]
        await asyncio.gather(*(self._buy(who, count) for who, count in zip(CUSTOMERS, share, strict=True)))

    async def _buy(self, who: str, count: int) -> None:
        random = self.random
        for number in range(count):
            await asyncio.sleep(random.uniform(0, BETWEEN_ORDERS_S_MAX))
            name = f"{who} {number}"
            reply = await self.ask("orders", f"order {name}", self._wish(who))
            if reply.status == 202:
                await self._go_on(who, name, _order_of(reply))
            if random.random() < 0.1:
                await self.ask("payments", f"top up {name}", _top_up(who, random.randint(1, 2_000)))

    async def _go_on(self, who: str, name: str, order_id: str) -> None:
        """What a customer does with an order: some change it, some pay, some call it off, some send it back."""
        random = self.random
        if random.random() < 0.15:
            wish = ChangeOrder(order_id, who, staff=False, rules=RULES, lines=self._lines())
            await self.ask("orders", f"change {name}", wish)
        if random.random() < 0.85:
            await self._pay(who, name, order_id)
        if random.random() < 0.3:
            await self._move(who, name, order_id)
        if random.random() < 0.25:
            await asyncio.sleep(random.uniform(0, 3))
            await self.ask("orders", f"cancel {name}", CancelOrder(order_id, who, staff=False))
        if random.random() < 0.5:
            await self._send_back(who, name, order_id)

    async def _pay(self, who: str, name: str, order_id: str) -> None:
        """Pay a part, then more than the rest or all that is due; some do nothing more, and let the window close."""
        random = self.random
        if not self._order(order_id).plan.terms.later:
            return
        for part in range(random.randint(1, 4)):
            await asyncio.sleep(random.uniform(0, 4))
            source: PaymentSource = random.choice(("wallet", "bank"))
            amount = random.randint(1, 1_500) if random.random() < 0.4 else None
            wish = PayOrder(order_id, who, staff=False, source=source, amount_minor=amount)
            await self.ask("orders", f"pay {name} {part}", wish)

    async def _move(self, who: str, name: str, order_id: str) -> None:
        """Have the parcel brought elsewhere, as often as one likes, sometimes where nobody goes."""
        random = self.random
        delivery = self._order(order_id).plan.delivery
        if delivery is None:
            return
        for part in range(random.randint(1, 3)):
            await asyncio.sleep(random.uniform(0, 2))
            address = Address("Anna", random.choice(("RU", "RU", "FI")), "Perm", f"Lenina {random.randint(1, 3)}")
            wish = ChangeOrder(
                order_id, who, staff=False, rules=RULES, delivery=WantedDelivery(delivery.method, address)
            )
            await self.ask("orders", f"move {name} {part}", wish)

    async def _send_back(self, who: str, name: str, order_id: str) -> None:
        """Wait for the goods, for a while; send back some pieces, and more of them."""
        random = self.random
        waited_s = 0.0
        while not LIFECYCLE[self._order(order_id).status].final and waited_s < PATIENCE_S:
            waited_s += 1
            await asyncio.sleep(1)
        for part in range(random.randint(1, 3)):
            lines = self._order(order_id).lines
            back = tuple(
                ReturnedLine(place, random.randint(1, line.quantity))
                for place, line in enumerate(lines)
                if random.random() < 0.7
            )
            staff = random.random() < 0.8
            if back:
                await self.ask("orders", f"return {name} {part}", _back(order_id, who, back, staff=staff))

    def _order(self, order_id: str) -> Order:
        found: Order = self.people.rows("orders", Order)[order_id]
        return found

    def _wish(self, who: str) -> Callable[[str], Body]:
        random = self.random
        rules, lines, code, delivery = self._rules(), self._lines(), None, None
        if random.random() < 0.3:
            code = random.choice(CODES)
        if random.random() < 0.5:
            method = random.choice((COURIER, COURIER, COUNTER, PIGEON))
            country = random.choice(("RU", "RU", "RU", "FI"))
            delivery = WantedDelivery(method, Address("Anna", country, "Perm", "Lenina 1"))
        return lambda message_id: PlaceOrder(
            order_id_of(message_id), who, lines, rules, delivery=delivery, promo_code=code
        )

    def _lines(self) -> tuple[WantedLine, ...]:
        random = self.random
        if random.random() < 0.1:
            return (WantedLine(None, random.randint(1, 2), 701, "wrapping"),)
        skus = random.sample(sorted(PRICES_MINOR), random.randint(1, 3))
        return tuple(WantedLine(sku, random.randint(1, 3)) for sku in skus)

    def _rules(self) -> PlacingRules:
        random = self.random
        if random.random() < 0.35:
            return RULES
        terms = Terms(
            later=True,
            at_payment=random.random() < 0.5,
            window_s=random.choice((15, 60)),
            attempt_s=random.choice((20, 60)),
            revive=random.random() < 0.5,
        )
        return PlacingRules(RULES.custom_lines, RULES.unpaid_orders_max, RULES.currency, terms)


def _order_of(reply: StoredReply) -> str:
    return (reply.location or "").rpartition("/")[2]


def _top_up(who: str, amount_minor: int) -> Callable[[str], Body]:
    return lambda message_id: OpenTopUp("top_" + message_id.replace("-", ""), who, amount_minor, "RUB")


def _back(order_id: str, who: str, lines: tuple[ReturnedLine, ...], *, staff: bool) -> Callable[[str], Body]:
    return lambda message_id: ReturnItems(
        order_id, who, staff=staff, return_id=return_id_of(message_id), returned=lines
    )
