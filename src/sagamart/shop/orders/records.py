"""The rows that orders owns."""

from datetime import datetime
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from sagamart.contracts.orders import (
    Address,
    CancelReason,
    ChangeRefusal,
    Delivery,
    Line,
    PaymentSource,
    ReturnedLine,
    ShortLine,
    Status,
)
from sagamart.contracts.payments import DeclineReason
from sagamart.contracts.promotions import PromoRefusal
from sagamart.contracts.wallet import HoldRefusal
from sagamart.messaging.records import Record, Table

FactName = Literal[
    # of an attempt
    "promo_redeemed",
    "promo_refused",
    "checked",
    "booked",
    "stock_refused",
    "revoked",
    # of a payment
    "held",
    "money_refused",
    "declined",
    "captured",
    "capture_refused",
    "voided",
    # of a refund
    "refunded",
    "refund_refused",
    # of the shipment
    "shipment_pending",
    "shipment_refused",
    "handed_over",
    "delivered",
    "stopped",
    "cannot_be_stopped",
    # of a change of the shipment
    "shipment_changed",
    "shipment_not_changed",
    # of a return
    "received",
]

SHIPMENT = 1
"""An order has one shipment."""


class Fact(NamedTuple):
    """Something that has become true.  It stays true, so it is noted once and never taken back.

    `about` is the attempt or payment by its number, or the refund or return by its id; the name tells which it is.
    """

    about: int | str
    name: FactName


def _place(fact: Fact) -> tuple[str, str]:
    return str(fact.about), fact.name


PaymentEnd = Literal[DeclineReason, HoldRefusal]
"""Why a payment came to nothing, as the bank or the wallet has it."""


class Shortfall(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an order lacked: the lines that stock could not cover, or what the wallet had free and why it refused.

    `promo`: why its code did not count.  `ends`: by number, why payments came to nothing after which another one could
    be tried.
    """

    short: tuple[ShortLine, ...] = ()
    money: HoldRefusal | None = None
    available_minor: int | None = None
    promo: PromoRefusal | None = None
    ends: tuple[tuple[int, PaymentEnd], ...] = ()

    def end_of(self, payment: int) -> PaymentEnd | None:
        """Why this payment came to nothing, where that is known."""
        return dict(self.ends).get(payment, self.money)


class Payment(msgspec.Struct, frozen=True, array_like=True):
    """One payment of an order; its number is its place, from 1 on.

    `asked`: its source was asked to hold it.  `over`: the order does not count on it any more, and lets it go.
    """

    source: PaymentSource
    amount_minor: int
    started_at: datetime
    asked: bool = False
    over: bool = False
    redirect_url: str | None = None
    holds_until: datetime | None = None


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the shop let an order be paid when it was placed: later settings do not change it.

    `later`: paid while it waits, `window_s` seconds in all, in any number of payments of `attempt_s` seconds each; else
    at once, whole, from the wallet.  `at_payment`: the goods are only checked when it is placed, and booked when a
    payment starts.  `revive`: money that comes after the window has closed revives the order.
    """

    later: bool = False
    at_payment: bool = False
    window_s: int = 300
    attempt_s: int = 900
    revive: bool = False


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an order was before it was changed, and is again if the change does not come about."""

    lines: tuple[Line, ...]
    delivery: Delivery | None
    discount_minor: int = 0


class Unmet(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change that did not come about: the attempt that it was, the lines that it was for, and what they lacked."""

    attempt: int
    wished: tuple[Line, ...]
    short: tuple[ShortLine, ...] = ()
    promo: PromoRefusal | None = None


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was agreed beside the lines, and what is under way.

    `stopping`: why its shipment is to be stopped.  `before`: what it is again if a change cannot be booked, or its code
    does not count for it.  `undone`: it is what it was before a change, with the discount that it had.
    `slot_lost`: another order has taken its slot, so that it can never be revived.  `changes`: how often its lines were
    changed.  `waited_s`: how long it waited for its customer before it last did, in seconds.
    `elsewhere`: where its shipment is to go instead, once shipping says that it still can; the last of `redirections`.
    `unmet`, `kept`: what was lacking, where the last wish for other lines, or for another address, did not come about.
    """

    terms: Terms = Terms()
    delivery: Delivery | None = None
    promo_code: str | None = None
    discount_minor: int = 0
    stopping: CancelReason | None = None
    before: Content | None = None
    slot_lost: bool = False
    undone: bool = False
    changes: int = 0
    waited_s: float = 0
    elsewhere: Address | None = None
    redirections: int = 0
    unmet: Unmet | None = None
    kept: ChangeRefusal | None = None

    @property
    def window_left_s(self) -> float:
        """What is left of the payment window when the order begins to wait; the window stands still while it moves."""
        return max(0, self.terms.window_s - self.waited_s)


class Return(msgspec.Struct, frozen=True):
    """Pieces that come back.  Once they are here, `shares` says how much of each payment (by number) is refunded."""

    return_id: str
    lines: tuple[ReturnedLine, ...]
    shares: tuple[tuple[int, int], ...] = ()

    @property
    def arrival(self) -> Fact:
        """What is known once the pieces are here."""
        return Fact(self.return_id, "received")


class BasketLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """So many pieces of a product.  `price_minor` is the price that was shown when they were laid aside, if known."""

    sku: str
    quantity: int
    price_minor: int | None = None


class Order(Record, frozen=True):
    """An order.  `known` is all that it has learned; its status follows from that, its payments and `reason`.

    `placed_at` and `changed_at` are UTC; the latter is when the status last changed.
    """

    order_id: str
    customer_id: str
    status: Status
    lines: tuple[Line, ...]
    total_minor: int
    currency: str
    placed_at: datetime
    changed_at: datetime
    attempt: int = 1
    known: tuple[Fact, ...] = ()
    reason: CancelReason | None = None
    shortfall: Shortfall | None = None
    payments: tuple[Payment, ...] = ()
    plan: Plan = Plan()
    returns: tuple[Return, ...] = ()

    def knows(self, name: FactName) -> bool:
        """Whether this is known of the present attempt; what earlier attempts met does not count any more."""
        return (self.attempt, name) in self.known

    def noting(self, fact: Fact) -> "Order":
        """The order, knowing this too."""
        return replace(self, known=tuple(sorted((*self.known, fact), key=_place)))

    def shipment(self, *names: FactName) -> bool:
        """Whether any of these is known of the shipment."""
        return any((SHIPMENT, name) in self.known for name in names)

    @property
    def needs_stock(self) -> bool:
        """Whether stock has to be asked: for a line that is no custom line, or for what an earlier attempt reserved."""
        return self.attempt > 1 or any(line.sku is not None for line in self.lines)

    @property
    def skus(self) -> frozenset[str]:
        """The products among its lines."""
        return frozenset(line.sku for line in self.lines if line.sku is not None)

    @property
    def needs_shipment(self) -> bool:
        """Whether a parcel is sent."""
        return self.plan.delivery is not None and self.plan.delivery.needs_shipment

    @property
    def goods_minor(self) -> int:
        """The sum of the lines, before any discount."""
        return sum([line.quantity * line.price_minor for line in self.lines])


class UnpaidOrders(Record, frozen=True):
    """The slots of a customer: the orders that took one, `orders_max` at most.

    An order that has been settled frees its slot by that alone: its id stays here until the customer's next order
    looks, and drops it.  So the way of an order writes this row once and nothing but placing reads it.
    """

    customer_id: str
    order_ids: tuple[str, ...]
    orders_max: int


class ProductCopy(Record, frozen=True):
    """What orders knows of a product.  Each source has its own version here; lower ones are ignored.

    `charged_g`: what delivery by weight charges of one piece, in grams.
    `catalogue_version` 0: only stock has spoken of this sku so far, and it cannot be ordered yet.
    """

    sku: str
    catalogue_version: int = 0
    title: str = ""
    price_minor: int = 0
    currency: str = ""
    active: bool = False
    stock_version: int = 0
    sold_out: bool = False
    charged_g: int = 0


class DeliveryCopy(Record, frozen=True):
    """What orders knows of a delivery method, as of the source's `method_version`; lower ones are ignored."""

    method: str
    method_version: int
    price_minor: int
    currency: str
    needs_shipment: bool
    needs_address: bool
    active: bool
    per_kg_minor: int = 0


class Basket(Record, frozen=True):
    """What a customer has laid aside.  Nothing is reserved for it, and no price is fixed."""

    customer_id: str
    lines: tuple[BasketLine, ...]
    changed_at: datetime


UNPAID_ORDERS = Table(UnpaidOrders, "unpaid_orders", key="customer_id")
ORDERS = Table(Order, "orders", key="order_id").changing_seldom(
    "customer_id", "lines", "total_minor", "currency", "placed_at", "attempt", "reason", "shortfall", "plan", "returns"
)
PRODUCT_COPIES = Table(ProductCopy, "product_copies", key="sku")
DELIVERY_COPIES = Table(DeliveryCopy, "delivery_copies", key="method")
BASKETS = Table(Basket, "baskets", key="customer_id")
