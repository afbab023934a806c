"""What customers see of a payment, and operators of a reconciliation."""

from datetime import datetime

import msgspec

from sagamart.contracts.payments import DeclineReason
from sagamart.shop.payments.records import Payment, PaymentStatus, Purpose, Reconciliation


class BankPaymentView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payment.  While it is `pending`, the customer pays at `redirect_url`, the bank's page."""

    id: str
    purpose: Purpose
    status: PaymentStatus
    amount_minor: int
    currency: str
    at: datetime
    order_id: str | None = None
    redirect_url: str | None = None
    reason: DeclineReason | None = None
    held_until: datetime | None = None
    captured_minor: int = 0
    refunded_minor: int = 0
    credited: bool = False


def link_to(payment_id: str) -> str:
    """Where a payment is."""
    return f"/v1/payments/{payment_id}"


def view(payment: Payment) -> BankPaymentView:
    """A payment as its owner sees it."""
    return BankPaymentView(
        payment.payment_id,
        payment.purpose,
        payment.status,
        payment.amount_minor,
        payment.currency,
        payment.at,
        payment.order_id or None,
        payment.redirect_url,
        payment.reason,
        payment.holds_until if payment.status == "held" else None,
        payment.captured_minor,
        payment.refunded_minor,
        payment.credited,
    )


class ReconciliationView(msgspec.Struct, frozen=True):
    """How far the bank's statement has been compared, and what did not fit."""

    running: bool
    read_until: datetime | None
    at: datetime
    entries: int
    differences: int
    mended: int


def reconciliation_view(run: Reconciliation) -> ReconciliationView:
    """What a reconciliation has come to."""
    return ReconciliationView(run.running, run.read_until, run.at, run.entries, run.differences, run.mended)
