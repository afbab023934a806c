"""The rows that orders owns."""

from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from sagamart.contracts.orders import CancelReason, Line, ShortLine, Status
from sagamart.contracts.wallet import HoldRefusal
from sagamart.messaging.records import Record, Table

FactName = Literal["booked", "stock_refused", "held", "money_refused", "captured"]


class Fact(NamedTuple):
    """Something that has become true of one attempt.  It stays true, so it is noted once and never taken back."""

    attempt: int
    name: FactName


class Shortfall(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an order lacked: the lines that stock could not cover, or what the wallet had free and why it refused."""

    short: tuple[ShortLine, ...] = ()
    money: HoldRefusal | None = None
    available_minor: int | None = None


class Order(Record, frozen=True):
    """An order.  `known` is all that it has learned; its status follows from that and from `reason`.

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

    def knows(self, name: FactName) -> bool:
        """Whether this is known of the present attempt; what earlier attempts met does not count any more."""
        return Fact(self.attempt, name) in self.known

    @property
    def needs_stock(self) -> bool:
        """Whether any line takes something from the stock: custom lines do not."""
        return any(line.sku is not None for line in self.lines)


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


UNPAID_ORDERS = Table(UnpaidOrders, "unpaid_orders", key="customer_id")
ORDERS = Table(Order, "orders", key="order_id")
PRODUCT_COPIES = Table(ProductCopy, "product_copies", key="sku")
