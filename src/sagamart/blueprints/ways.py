"""The ways that an order can go, as data: what customers, staff and services do.  The messages follow from that."""

from collections.abc import Sequence
from typing import NamedTuple

from sagamart.blueprints.examples import bare
from sagamart.blueprints.playing import Asks, Down, Step, TimePasses, Up
from sagamart.shop.accounts.messages import RegisterCustomer
from sagamart.shop.catalogue.messages import CreateProduct
from sagamart.shop.orders.messages import CancelOrder, PlaceOrder, PlacingRules, WantedLine
from sagamart.shop.stock.messages import ReceiveStock
from sagamart.shop.wallet.messages import DepositMoney

ANNA, STAFF, ORDER, CUP = "cus_anna", "sta_olga", "ord_1", "CUP-BLUE"

PLACE = Asks(
    "customer",
    "orders",
    bare(
        PlaceOrder,
        order_id=ORDER,
        customer_id=ANNA,
        lines=(WantedLine(CUP, 2),),
        rules=bare(PlacingRules, custom_lines=True, unpaid_orders_max=1, currency="RUB"),
    ),
)
CANCEL = Asks("customer", "orders", CancelOrder(order_id=ORDER, caller_id=ANNA, staff=False))


class Way(NamedTuple):
    """A way of an order: what happens in a shop with so many pieces and so much money, and how it ends."""

    name: str
    title: str
    steps: Sequence[Step]
    ends: str
    pieces: int = 10
    purse_minor: int = 1_000_000


WAYS = (
    Way("completed", "Goods and money are there", [PLACE], "completed"),
    Way("short-stock", "The stock is short: nothing is held", [PLACE], "cancelled", pieces=1),
    Way("no-money", "The wallet is short: the booking is given back", [PLACE], "cancelled", purse_minor=100),
    Way(
        "cancelled",
        "The customer cancels while the stock is silent",
        [Down("stock"), PLACE, CANCEL, Up("stock")],
        "cancelled",
    ),
    Way(
        "booking-timeout",
        "The stock does not answer in time, and comes back later",
        [Down("stock"), PLACE, TimePasses(), Up("stock")],
        "cancelled",
    ),
    Way(
        "slow-wallet",
        "The wallet is away until the money is called off: the hold meets its release",
        [Down("wallet"), PLACE, TimePasses(), TimePasses(), Up("wallet")],
        "cancelled",
    ),
)


def filled(way: Way) -> list[Step]:
    """What happens before the story: a product with some pieces, a customer with some money."""
    product = bare(CreateProduct, sku=CUP, by=STAFF, currency="RUB", price_minor=45_000, active=True)
    customer = bare(RegisterCustomer, customer_id=ANNA)
    money = DepositMoney(customer_id=ANNA, amount_minor=way.purse_minor, currency="RUB", by=STAFF)
    return [
        Asks("staff", "catalogue", product),
        Asks("staff", "stock", ReceiveStock(sku=CUP, quantity=way.pieces, by=STAFF)),
        Asks("customer", "accounts", customer),
        Asks("staff", "wallet", money),
    ]
