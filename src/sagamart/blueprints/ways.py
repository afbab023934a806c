"""The ways that an order can go, as data: what customers, staff and services do.  The messages follow from that."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from msgspec.structs import replace

from sagamart.blueprints.examples import AT, bare
from sagamart.blueprints.playing import Asks, Down, Step, TimePasses, Up
from sagamart.contracts.orders import Address, PaymentSource, ReturnedLine, payment_id
from sagamart.shop.accounts.messages import RegisterCustomer
from sagamart.shop.catalogue.messages import CreateProduct
from sagamart.shop.orders.messages import (
    CancelOrder,
    PayOrder,
    PlaceOrder,
    PlacingRules,
    ReturnItems,
    WantedDelivery,
    WantedLine,
)
from sagamart.shop.orders.records import Terms
from sagamart.shop.payments.messages import Answer, BankTold, BankView
from sagamart.shop.payments.records import BankStatus
from sagamart.shop.shipping.messages import ConfirmDelivery, HandOverShipment, ReceiveReturn, SetMethod
from sagamart.shop.shipping.records import ParcelLimits, shipment_id_of
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

TOTAL_MINOR = 90_000
LATER = PlacingRules(custom_lines=True, unpaid_orders_max=1, currency="RUB", terms=Terms(later=True))
PLACE_LATER = Asks(
    "customer",
    "orders",
    bare(PlaceOrder, order_id=ORDER, customer_id=ANNA, lines=(WantedLine(CUP, 2),), rules=LATER),
)
HOME = WantedDelivery("courier", Address("Anna", "RU", "Perm", "Lenina 1"))
PLACE_SHIPPED = Asks("customer", "orders", replace(PLACE.body, delivery=HOME))
SHIPMENT, RETURN = shipment_id_of(ORDER), "ret_1"
HAND_OVER = Asks("staff", "shipping", HandOverShipment(SHIPMENT, STAFF, "en", "Post", "RA1"))
DELIVERED = Asks("staff", "shipping", ConfirmDelivery(SHIPMENT, STAFF, "en"))
SEND_BACK = Asks(
    "customer",
    "orders",
    ReturnItems(ORDER, ANNA, staff=False, return_id=RETURN, returned=(ReturnedLine(0, 2),)),
)
ARRIVED = Asks("staff", "shipping", ReceiveReturn(SHIPMENT, STAFF, "en", RETURN))


def pays(source: PaymentSource, amount_minor: int | None = None) -> Asks:
    """The customer starts a payment."""
    return Asks("customer", "orders", PayOrder(ORDER, ANNA, staff=False, source=source, amount_minor=amount_minor))


def bank_tells(
    asked: Literal["open", "capture", "cancel", "refund", "state"],
    ended: Literal["succeeded", "refused", "cancelled"],
    status: BankStatus,
    version: int,
    *,
    refund_id: str = "",
) -> Asks:
    """The bank answers what payments asked of it about the order's first payment."""
    taken_minor = TOTAL_MINOR if status == "captured" else 0
    back_minor = TOTAL_MINOR if asked == "refund" else 0
    lapses_at = AT + timedelta(days=7)
    shown = BankView("bank-1", status, version, taken_minor, back_minor, holds_until=lapses_at)
    told = BankTold(payment_id(ORDER, 1), asked, Answer(ended, payment=shown), refund_id)
    return Asks("bank", "payments", told, tells=True)


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
    Way(
        "window-expired",
        "Nobody pays in time: the goods are given back",
        [PLACE_LATER, TimePasses(), TimePasses()],
        "cancelled",
    ),
    Way(
        "part-paid",
        "A part now, the rest a little later: both are taken together",
        [PLACE_LATER, pays("wallet", 30_000), pays("wallet")],
        "completed",
    ),
    Way(
        "capture-refused",
        "The bank held the money, and refuses to let it be taken: the goods are given back",
        [
            PLACE_LATER,
            pays("bank"),
            bank_tells("open", "succeeded", "held", 1),
            bank_tells("capture", "refused", "held", 2),
            bank_tells("cancel", "cancelled", "voided", 3),
        ],
        "cancelled",
    ),
    Way(
        "late-money",
        "The money comes after the order was given up: it is let go",
        [
            PLACE_LATER,
            pays("bank"),
            CANCEL,
            bank_tells("open", "succeeded", "held", 1),
            bank_tells("cancel", "cancelled", "voided", 2),
        ],
        "cancelled",
    ),
    Way(
        "cancelled-after-payment",
        "Paid, and cancelled before the parcel is handed over: it is stopped, then the money goes back",
        [PLACE_SHIPPED, CANCEL],
        "cancelled",
    ),
    Way(
        "returned",
        "Delivered, and sent back: the money goes back when the goods are here",
        [PLACE_SHIPPED, HAND_OVER, DELIVERED, SEND_BACK, ARRIVED],
        "returned",
    ),
)


def filled(way: Way) -> list[Step]:
    """What happens before the story: a product with some pieces, a customer with some money."""
    product = bare(CreateProduct, sku=CUP, by=STAFF, currency="RUB", price_minor=45_000, active=True)
    customer = bare(RegisterCustomer, customer_id=ANNA)
    money = DepositMoney(customer_id=ANNA, amount_minor=way.purse_minor, currency="RUB", by=STAFF)
    courier = bare(
        SetMethod,
        method="courier",
        expected_version=None,
        price_minor=0,
        per_kg_minor=0,
        currency="RUB",
        countries=(),
        parcel_max=ParcelLimits(20_000, 1_200, 120_000),
    )
    return [
        Asks("staff", "catalogue", product),
        Asks("staff", "shipping", courier),
        Asks("staff", "stock", ReceiveStock(sku=CUP, quantity=way.pieces, by=STAFF)),
        Asks("customer", "accounts", customer),
        Asks("staff", "wallet", money),
    ]
