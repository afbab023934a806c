"""The customers of a run: they order, pay by parts from wallets and cards, change their minds, and send things back."""

import asyncio
from collections import Counter
from collections.abc import Callable, Container
from itertools import cycle, islice

from msgspec.structs import replace

from sagamart.contracts.orders import Address, PaymentSource, ReturnedLine, Status
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
from sagamart.shop.orders.telling import AWAITING
from sagamart.shop.payments.messages import OpenTopUp
from simulation.people import People
from simulation.staff import CODES, COUNTER, COURIER, CUSTOMERS, PIGEON, PRICES_MINOR

BETWEEN_ORDERS_S_MAX = 3.0
PATIENCE_S = 25.0
THINKS_S_MAX = 2.5
LOOK_S = 0.1
"""Who waits for something looks so often."""

FINAL = frozenset(status for status, state in LIFECYCLE.items() if state.final)
RULES = PlacingRules(custom_lines=True, unpaid_orders_max=1, currency="RUB")
FORGETFUL = CUSTOMERS[-3:]
"""They have little money but their cards', pay with them, and soon look for the next thing."""

UNPAID_MAX = {who: 2 - number % 2 for number, who in enumerate(CUSTOMERS)}


class Customers:
    """All customers, each one order after another."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.ask = people.ask
        self.random = people.chaos.random

    async def order(self, orders: int) -> None:
        """Place so many orders in all."""
        share = Counter(islice(cycle((*CUSTOMERS, *FORGETFUL)), orders))
        await asyncio.gather(*(self._buy(who, count) for who, count in share.items()))

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
        if random.random() < 0.3:
            await self._change(who, name, order_id)
        if who in FORGETFUL and random.random() < 0.7:
            await self._pay_and_forget(who, name, order_id)
            return
        if random.random() < 0.85:
            await self._pay(who, name, order_id)
        if random.random() < 0.3:
            await self._move(who, name, order_id)
        if random.random() < 0.25:
            await asyncio.sleep(random.uniform(0, 3))
            await self.ask("orders", f"cancel {name}", CancelOrder(order_id, who, staff=False))
        if random.random() < 0.5:
            await self._send_back(who, name, order_id)

    async def _change(self, who: str, name: str, order_id: str) -> None:
        """Think again while the order waits for its money: other lines, another delivery, or both; more than once."""
        random = self.random
        if not self._order(order_id).plan.terms.later:
            return
        for part in range(random.randint(1, 3)):
            await self._until(order_id, AWAITING, THINKS_S_MAX)
            lines = self._lines() if random.random() < 0.7 else None
            delivery = self._delivery() if lines is None or random.random() < 0.3 else None
            wish = ChangeOrder(order_id, who, staff=False, rules=RULES, lines=lines, delivery=delivery)
            await self.ask("orders", f"{'redeliver' if lines is None else 'change'} {name} {part}", wish)

    async def _pay_and_forget(self, who: str, name: str, order_id: str) -> None:
        """Go to the bank with all that is due, and on to the next order once this one is given up: it has its slot."""
        if self._order(order_id).plan.terms.later:
            await self._until(order_id, AWAITING | FINAL, PATIENCE_S)
            await self.ask("orders", f"pay {name} once", PayOrder(order_id, who, staff=False, source="bank"))
            await self._until(order_id, FINAL, PATIENCE_S)

    async def _until(self, order_id: str, statuses: Container[Status], s_max: float) -> None:
        """Wait until the order is so, but not for long."""
        waited_s = 0.0
        while self._order(order_id).status not in statuses and waited_s < s_max:
            await asyncio.sleep(LOOK_S)
            waited_s += LOOK_S

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
        await self._until(order_id, FINAL, PATIENCE_S)
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
        rules, lines, code, delivery = self._rules(who), self._lines(), None, None
        if random.random() < 0.3:
            code = random.choice(CODES)
        if random.random() < 0.5:
            delivery = self._delivery()
        return lambda message_id: PlaceOrder(
            order_id_of(message_id), who, lines, rules, delivery=delivery, promo_code=code
        )

    def _delivery(self) -> WantedDelivery:
        random = self.random
        method = random.choice((COURIER, COURIER, COUNTER, PIGEON))
        country = random.choice(("RU", "RU", "RU", "FI"))
        return WantedDelivery(method, Address("Anna", country, "Perm", "Lenina 1"))

    def _lines(self) -> tuple[WantedLine, ...]:
        random = self.random
        if random.random() < 0.1:
            return (WantedLine(None, random.randint(1, 2), 701, "wrapping"),)
        skus = random.sample(sorted(PRICES_MINOR), random.randint(1, 3))
        return tuple(WantedLine(sku, random.randint(1, 3)) for sku in skus)

    def _rules(self, who: str) -> PlacingRules:
        random = self.random
        rules = replace(RULES, unpaid_orders_max=UNPAID_MAX[who])
        if random.random() < 0.35:
            return rules
        terms = Terms(
            later=True,
            at_payment=random.random() < 0.5,
            window_s=random.choice((15, 60)),
            attempt_s=random.choice((6, 20, 60)),
            revive=random.random() < 0.7,
        )
        return replace(rules, terms=terms)


def _order_of(reply: StoredReply) -> str:
    return (reply.location or "").rpartition("/")[2]


def _top_up(who: str, amount_minor: int) -> Callable[[str], Body]:
    return lambda message_id: OpenTopUp("top_" + message_id.replace("-", ""), who, amount_minor, "RUB")


def _back(order_id: str, who: str, lines: tuple[ReturnedLine, ...], *, staff: bool) -> Callable[[str], Body]:
    return lambda message_id: ReturnItems(
        order_id, who, staff=staff, return_id=return_id_of(message_id), returned=lines
    )
