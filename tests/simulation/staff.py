"""The staff of the shop in a run: they fill it, ship, take returns in, count again, change their minds."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from sagamart.contracts.orders import ReturnedLine, Status
from sagamart.messaging.message import Body
from sagamart.shop.accounts.messages import RegisterCustomer
from sagamart.shop.catalogue.messages import ChangeProduct, CreateProduct
from sagamart.shop.orders.messages import MoveOrder, ReturnItems, return_id_of
from sagamart.shop.orders.records import Order
from sagamart.shop.payments.messages import Reconcile
from sagamart.shop.promotions.messages import CreateCode
from sagamart.shop.shipping.messages import ConfirmDelivery, HandOverShipment, ReceiveReturn, SetMethod
from sagamart.shop.shipping.records import ParcelLimits, Return, Shipment, shipment_id_of
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock
from sagamart.shop.wallet.messages import DepositMoney, WithdrawMoney
from simulation.people import People

STAFF = "ann"
CUSTOMERS = tuple(f"cus_{number}" for number in range(6))
PURSES_MINOR = (100_000, 100_000, 20_000, 5_000, 1_000, 0)
PRICES_MINOR = {"apple": 300, "pear": 500, "melon": 2_000}
PIECES = {"apple": 40, "pear": 9, "melon": 5}
COURIER, COUNTER, PIGEON = "courier", "counter", "pigeon"
METHODS_MINOR = {COURIER: 250, COUNTER: 0, PIGEON: 90}
CODES = ("TENTH", "LESS", "ONCE", "THRICE", "NOBODY")
MEDDLINGS = 8
ROUND_S = 3.0
WEIGHT_G_MAX = 2_000
READY = frozenset({"pending"})
"""What staff hand over."""


class Staff:
    """Who works in the shop."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.ask = people.ask
        self.random = people.chaos.random

    async def fill_the_shop(self) -> None:
        """Bring products, pieces, ways to deliver and codes; customers register and bring money, in any order."""
        wishes = [self.ask("catalogue", f"product {sku}", _product(sku, price)) for sku, price in PRICES_MINOR.items()]
        wishes += [self.ask("stock", f"receive {sku}", ReceiveStock(sku, n, STAFF)) for sku, n in PIECES.items()]
        wishes += [self.ask("shipping", f"method {name}", _method(name)) for name in METHODS_MINOR]
        wishes += [self.ask("promotions", f"code {code.code}", code) for code in _codes()]
        for who, purse in zip(CUSTOMERS, PURSES_MINOR, strict=True):
            wishes.append(self.ask("accounts", f"register {who}", _registration(who)))
            if purse:
                wishes.append(self.ask("wallet", f"deposit {who}", DepositMoney(who, purse, "RUB", STAFF)))
        await asyncio.gather(*wishes)

    async def ship(self) -> None:
        """Hand over, confirm, receive what comes back, for as long as the shop is open."""
        number = 0
        while True:
            await asyncio.sleep(self.random.uniform(0, ROUND_S))
            for wish in self._parcels():
                if self.random.random() < 0.7:
                    number += 1
                    await self.ask("shipping", f"parcel {number}", wish)

    def _parcels(self) -> list[Body]:
        """What is to be done now."""
        shipments = self.people.rows("shipping", Shipment)
        back = [one for one in self.people.rows("shipping", Return).values() if one.status == "announced"]
        return [
            *(HandOverShipment(one, STAFF, "en", "post", f"T{one}") for one, row in shipments.items()
              if row.status in READY and row.parcels),
            *(ConfirmDelivery(one, STAFF, "en") for one, row in shipments.items() if row.status == "handed_over"),
            *(ReceiveReturn(shipment_id_of(one.order_id), STAFF, "en", one.return_id) for one in back),
        ]  # fmt: skip

    @property
    def has_nothing_to_do(self) -> bool:
        """Whether no parcel waits for anybody."""
        return not self._parcels()

    async def meddle(self) -> None:
        """Count again, bring more, change prices and orders, compare with the bank; a customer takes money out."""
        for number in range(MEDDLINGS):
            await asyncio.sleep(self.random.uniform(0, 6))
            service, body = self.random.choice(self._meddlings())
            await self.ask(service, f"meddle {number}", body)

    def _meddlings(self) -> list[tuple[str, Body | Callable[[str], Body]]]:
        random = self.random
        sku, who = random.choice(sorted(PIECES)), random.choice(CUSTOMERS)
        found: list[tuple[str, Body | Callable[[str], Body]]] = [
            ("stock", AdjustStock(sku, -random.randint(1, 3), STAFF, "broken")),
            ("stock", AdjustStock(sku, -random.randint(1, 9), STAFF, "stolen", force=True)),
            ("stock", ReceiveStock(sku, random.randint(1, 3), STAFF)),
            ("wallet", WithdrawMoney(who, random.randint(1, 3_000), "RUB", STAFF)),
            ("wallet", DepositMoney(who, random.randint(1, 3_000), "RUB", STAFF)),
            ("catalogue", ChangeProduct(sku, STAFF, 1, price_minor=random.randint(100, 900))),
            ("shipping", _method(PIGEON, expected_version=1, price_minor=random.randint(1, 99))),
            ("payments", Reconcile()),
        ]
        orders = sorted(self.people.rows("orders", Order))
        if orders:
            target: Status = random.choice(("cancelled", "completed"))
            found.append(("orders", MoveOrder(random.choice(orders), STAFF, staff=True, to=target, why="a call")))
        found += [("orders", self._undelivered(one)) for one in self._on_their_way()]
        return found

    def _on_their_way(self) -> list[Order]:
        """The orders of parcels that carriers have, and that nobody has announced to come back."""
        sent = [one for one in self.people.rows("shipping", Shipment).values() if one.status == "handed_over"]
        orders = [self.people.rows("orders", Order)[one.order_id] for one in sent]
        return [order for order in orders if not order.returns]

    def _undelivered(self, order: Order) -> Callable[[str], Body]:
        """Nobody took the parcel, or only some of it."""
        some = len(order.lines) if self.random.random() < 0.7 else 1
        lines = tuple(ReturnedLine(place, line.quantity) for place, line in enumerate(order.lines[:some]))
        return lambda message_id: ReturnItems(
            order.order_id, STAFF, staff=True, return_id=return_id_of(message_id), returned=lines
        )


def _product(sku: str, price_minor: int) -> CreateProduct:
    return CreateProduct(sku, STAFF, sku.title(), "", price_minor, "RUB", 700, None, None, None, 2000, active=True)


def _registration(who: str) -> RegisterCustomer:
    return RegisterCustomer(who, f"{who}@example.org", "argon2id", who.title(), "en")


def _method(name: str, expected_version: int | None = None, price_minor: int | None = None) -> SetMethod:
    """The courier brings several parcels; a pigeon goes to Russia only."""
    return SetMethod(
        name,
        expected_version,
        name.title(),
        name.title(),
        METHODS_MINOR[name] if price_minor is None else price_minor,
        0,
        "RUB",
        needs_shipment=name != COUNTER,
        needs_address=name != COUNTER,
        countries=("RU",) if name == PIGEON else (),
        parcel_max=ParcelLimits(WEIGHT_G_MAX, 1_000, 100_000),
        active=True,
    )


def _codes() -> list[CreateCode]:
    """A share, an amount, limits for each and for all, and one that nobody can use."""
    any_code = CreateCode("", 0, 0, "RUB", 0, None, None, None, None, active=True)
    return [
        replace(any_code, code="TENTH", percent_bp=1_000),
        replace(any_code, code="LESS", amount_minor=333),
        replace(any_code, code="ONCE", percent_bp=3_333, customer_uses_max=1),
        replace(any_code, code="THRICE", amount_minor=100, uses_max=3),
        replace(any_code, code="NOBODY", amount_minor=1, active=False),
    ]
