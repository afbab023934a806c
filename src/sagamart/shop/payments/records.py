"""The rows that payments owns.  Amounts are integer minor units of the currency beside them.

A payment's id is the bank's key of it too: it is stored before the bank is called, and never changes.
"""

from datetime import datetime
from typing import Literal

import msgspec

from sagamart.contracts.payments import DeclineReason
from sagamart.messaging.records import Entry, Record, Table

Purpose = Literal["order", "top_up"]

PaymentStatus = Literal[
    "new",
    "pending",
    "held",
    "captured",
    "refunded",
    "declined",
    "failed",
    "unknown",
    "voided",
]
"""`pending`: the customer is on the bank's page.  `unknown`: the bank has not answered in time, and is asked on.
`failed`: it was held, and the bank did not let it be captured.  `refunded`: all of it went back."""

SETTLED: frozenset[PaymentStatus] = frozenset({"captured", "refunded", "declined", "failed", "voided"})
"""Nothing more is expected of the bank, save refunds."""

BankStatus = Literal["needs_confirmation", "held", "captured", "voided", "expired", "cancelled", "declined"]

Closing = Literal["", "void", "expired", "rejected", "capture_refused", "late"]
"""Why the bank was asked to let go of the payment for ever, until it confirms."""

RefundStatus = Literal["asked", "refunded", "refused"]


class Refund(msgspec.Struct, frozen=True):
    """Part of a captured payment on its way back."""

    refund_id: str
    amount_minor: int
    status: RefundStatus


class Payment(Record, frozen=True):
    """One payment through the bank: of an order, or a top-up of a wallet (then `order_id` is empty, `payment` 0).

    `order_version` is that of the order when it asked.  `bank_version` is the bank's: the higher is newer, 0 means that
    the bank has told nothing yet.  `moved_at` is when we last learned that its money moved; `statement_minor` is what
    the bank's statement, as far as it was read, says of it.
    """

    payment_id: str
    purpose: Purpose
    order_id: str
    payment: int
    order_version: int
    customer_id: str
    amount_minor: int
    currency: str
    status: PaymentStatus
    at: datetime
    bank_id: str | None = None
    bank_status: BankStatus | None = None
    bank_version: int = 0
    redirect_url: str | None = None
    holds_until: datetime | None = None
    capturing: bool = False
    closing: Closing = ""
    captured_minor: int = 0
    refunded_minor: int = 0
    reason: DeclineReason | None = None
    credited: bool = False
    refunds: tuple[Refund, ...] = ()
    moved_at: datetime | None = None
    statement_minor: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected of the bank."""
        return self.status in SETTLED


class OpenTopUps(Record, frozen=True):
    """A customer's top-ups that may still bring money, `open_max` at most.

    One that has been settled leaves by that alone: its id stays until the customer's next top-up looks, and drops it.
    """

    customer_id: str
    payment_ids: tuple[str, ...]
    open_max: int


class Resolution(Entry, frozen=True):
    """An operator settled a payment by what the bank had told by other means.  Never changed."""

    resolution_id: str
    payment_id: str
    outcome: str
    by: str
    why: str
    at: datetime


class Difference(Entry, frozen=True):
    """An entry of the bank's statement that payments knows nothing of, or knows otherwise: for a person to look at."""

    difference_id: str
    bank_key: str
    kind: str
    amount_minor: int
    currency: str
    found: str
    at: datetime


class Reconciliation(Record, frozen=True):
    """How far the bank's statement has been compared, with the counts of the last run.  One row for the bank."""

    bank: str
    read_until: datetime | None
    running: bool
    at: datetime
    entries: int = 0
    differences: int = 0
    mended: int = 0


PAYMENTS = Table(Payment, "payments", key="payment_id")
OPEN_TOP_UPS = Table(OpenTopUps, "open_top_ups", key="customer_id")
RESOLUTIONS = Table(Resolution, "resolutions", key="resolution_id")
DIFFERENCES = Table(Difference, "differences", key="difference_id")
RECONCILIATIONS = Table(Reconciliation, "reconciliations", key="bank")
