"""What only payments hears: commands, its timers, what it asks of the bank, and what the bank tells.

Intents (`Bank…Asked`) are for the world outside; each has one outcome, `BankTold` or `StatementRead`.
"""

from datetime import datetime
from typing import Literal

import msgspec

from sagamart.messaging.message import Body
from sagamart.shop.payments.records import BankStatus

BANK = "bank"
"""The key of what is about the bank as a whole."""


class AboutPayment(Body, frozen=True):
    """Something about one payment."""

    payment_id: str

    @property
    def key(self) -> str:
        """The payment."""
        return self.payment_id


# -- commands and timers -----------------------------------------------------------------------------------------------


class OpenTopUp(AboutPayment, frozen=True):
    """A customer wants to put money from a card into their wallet."""

    customer_id: str
    amount_minor: int
    currency: str


class BankNotified(AboutPayment, frozen=True):
    """A webhook of the bank: its payment has reached this version, says somebody who knows the secret."""

    bank_version: int


class ResolvePayment(AboutPayment, frozen=True):
    """An operator knows what the bank cannot be brought to tell: nothing is held or taken, or all of it is taken.

    `bank_id`: what the bank calls the payment.
    """

    outcome: Literal["nothing_taken", "captured"]
    by: str
    why: str
    bank_id: str | None = None


class BankSilent(AboutPayment, frozen=True):
    """The bank has had its time to answer."""


class PageExpired(AboutPayment, frozen=True):
    """The customer has had their time on the bank's page."""


class LookAgain(AboutPayment, frozen=True):
    """It is time to ask the bank how the payment stands: a webhook may be lost, a hold may have lapsed."""

    round: int


class AboutBank(Body, frozen=True):
    """Something about the bank as a whole."""

    @property
    def key(self) -> str:
        """The bank."""
        return BANK


class Reconcile(AboutBank, frozen=True):
    """Compare the bank's statement with the payments, now."""


class SwitchBank(AboutBank, frozen=True):
    """An operator is about to switch the simulated bank's misbehaviour from this to that (`down=once`); empty: none."""

    by: str
    why: str
    before: str
    after: str


class BeginReconciling(AboutBank, frozen=True):
    """A process has started: see to it that somebody compares every night."""


class ReconciliationDue(AboutBank, frozen=True):
    """The same, by the timer of every night."""


# -- intents -----------------------------------------------------------------------------------------------------------


class BankOpenAsked(AboutPayment, frozen=True):
    """Open a payment, under its id."""

    kind: Literal["hold", "charge"]
    amount_minor: int
    currency: str


class BankCaptureAsked(AboutPayment, frozen=True):
    """Take what is held, all of it."""

    bank_id: str
    amount_minor: int
    currency: str


class BankCancelAsked(AboutPayment, frozen=True):
    """See to it that no money is held or taken under the payment's id, now or ever."""


class BankRefundAsked(AboutPayment, frozen=True):
    """Give this much back."""

    bank_id: str
    refund_id: str
    amount_minor: int
    currency: str


class BankStateAsked(AboutPayment, frozen=True):
    """Ask how the payment stands."""


class StatementAsked(AboutBank, frozen=True):
    """A page of the statement: from ≤ at < to."""

    since: datetime
    until: datetime
    cursor: str | None = None


# -- outcomes ----------------------------------------------------------------------------------------------------------


class BankView(msgspec.Struct, frozen=True):
    """A payment as the bank has it at a version."""

    bank_id: str
    status: BankStatus
    version: int
    captured_minor: int
    refunded_minor: int
    redirect_url: str | None = None
    holds_until: datetime | None = None
    refusal: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """How an operation ended.

    `rejected`: the bank would not even look at it, and nothing is recorded under its key.  `already_done`: it cannot be
    cancelled, since the money is taken.
    """

    ended: Literal["pending", "succeeded", "refused", "cancelled", "rejected", "already_done"]
    reason: str = ""
    payment: BankView | None = None


class BankTold(AboutPayment, frozen=True):
    """What the bank answered to what was asked."""

    asked: Literal["open", "capture", "cancel", "refund", "state"]
    answer: Answer
    refund_id: str = ""


class StatementEntry(msgspec.Struct, frozen=True):
    """Money that moved at the bank: `debit` to the shop (positive), `refund` and `reversal` away from it (negative)."""

    entry: int
    at: datetime
    kind: Literal["debit", "refund", "reversal"]
    key: str
    payment_key: str
    amount_minor: int
    currency: str


class StatementRead(AboutBank, frozen=True):
    """A page of the statement."""

    asked: StatementAsked
    entries: tuple[StatementEntry, ...]
    cursor: str | None
