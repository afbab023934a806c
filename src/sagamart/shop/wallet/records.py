"""The rows that the wallet owns.  Amounts are integer minor units of the currency beside them.

Accounts of the journal are text: `customer:cus_…` for each wallet, and the house's own: `house:clearing` (money that
came from outside or went there), `house:revenue` (what orders paid), `house:refunds` (what was given back of it, with a
minus) and `house:bank` (what the bank took for us, with a minus: its statement).  A house account is the sum of its
postings and never a row: every capture would lock it.
"""

from datetime import datetime
from typing import Literal

import msgspec

from sagamart.contracts.wallet import HoldRefusal
from sagamart.messaging.records import Entry, Record, Table

HOUSE_CLEARING = "house:clearing"
HOUSE_REVENUE = "house:revenue"
HOUSE_REFUNDS = "house:refunds"
HOUSE_BANK = "house:bank"


class Wallet(Record, frozen=True):
    """What a customer has, and how much of it is held for orders.  0 <= held <= balance.

    Version 0 is a wallet that has not been opened yet: nothing is in it, and no row of it exists.
    """

    customer_id: str
    currency: str
    balance_minor: int = 0
    held_minor: int = 0

    @property
    def available_minor(self) -> int:
        """What the customer may still spend."""
        return self.balance_minor - self.held_minor

    def change(self, *, balance_minor: int = 0, held_minor: int = 0) -> "Wallet":
        """The next version, with so much more (or less).  What is held must stay covered."""
        after = Wallet(
            self.version + 1,
            self.customer_id,
            self.currency,
            self.balance_minor + balance_minor,
            self.held_minor + held_minor,
        )
        if not 0 <= after.held_minor <= after.balance_minor:
            raise AssertionError(f"{self.customer_id}: {after.held_minor} held of {after.balance_minor}")
        return after


HoldStatus = Literal["held", "refused", "captured", "released"]


class Hold(Record, frozen=True):
    """Money of one payment of one order, captured or released once.

    A refusal is a row too, with the reason and what was available, and so is a release that came first: a tombstone.
    """

    hold_id: str
    order_id: str
    payment: int
    customer_id: str
    amount_minor: int
    currency: str
    status: HoldStatus
    refusal: HoldRefusal | None = None
    available_minor: int = 0


class Clearing(Record, frozen=True):
    """A movement that another service names: a top-up, a captured payment, a refund.  Booked once, for ever."""

    clearing_id: str
    amount_minor: int
    currency: str


MovementKind = Literal["deposit", "withdrawal", "capture", "refund", "top_up", "bank_capture", "bank_refund"]


class Posting(Entry, frozen=True):
    """One side of a movement: `amount_minor` is added to the account.  The sides of a movement sum to zero.

    `reference` is the order, the top-up, or who deposited or withdrew.
    """

    posting_id: str
    movement_id: str
    kind: MovementKind
    account: str
    amount_minor: int
    currency: str
    reference: str
    at: datetime


class Movement(msgspec.Struct, frozen=True):
    """Money that goes from one account to another.  `movement_id` may happen once, for ever."""

    movement_id: str
    kind: MovementKind
    amount_minor: int
    currency: str
    reference: str
    at: datetime

    def postings(self, source: str, target: str) -> tuple[Posting, Posting]:
        """Both sides of it."""
        return self._side("from", source, -self.amount_minor), self._side("to", target, self.amount_minor)

    def _side(self, side: str, account: str, amount_minor: int) -> Posting:
        return Posting(
            f"{self.movement_id}/{side}",
            self.movement_id,
            self.kind,
            account,
            amount_minor,
            self.currency,
            self.reference,
            self.at,
        )


def customer_account(customer_id: str) -> str:
    """The journal's name for a customer's wallet."""
    return f"customer:{customer_id}"


HOLDS = Table(Hold, "holds", key="hold_id").changing_seldom(
    "order_id", "payment", "customer_id", "amount_minor", "currency", "refusal", "available_minor"
)
CLEARINGS = Table(Clearing, "clearings", key="clearing_id")
WALLETS = Table(Wallet, "wallets", key="customer_id")
POSTINGS = Table(Posting, "postings", key="posting_id")
