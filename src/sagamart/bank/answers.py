"""What the bank answers and tells: the shapes that README.md shows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from sagamart.bank.ledger import MovementKind
from sagamart.bank.records import (
    OperationKind,
    OperationRecord,
    OperationStatus,
    PaymentKind,
    PaymentRecord,
    PaymentStatus,
    Refusal,
)

DeliveryStatus = Literal["pending", "delivered", "failed"]


class Payment(msgspec.Struct, frozen=True):
    """A payment as it is now.  Of two, the one with the higher `version` is newer."""

    payment_id: str
    key: str
    kind: PaymentKind
    status: PaymentStatus
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    reference: str
    refusal: Refusal | None
    confirmation_url: str | None
    confirmation_expires_at: datetime | None
    return_url: str | None
    hold_expires_at: datetime | None
    created_at: datetime
    version: int


class Operation(msgspec.Struct, frozen=True):
    """What became of what was asked for under a key."""

    key: str
    kind: OperationKind
    status: OperationStatus
    refusal: Refusal | None
    amount_minor: int
    currency: str
    at: datetime
    payment: Payment | None


class Funds(msgspec.Struct, frozen=True):
    """Whether a card could pay now."""

    enough: bool
    refusal: Refusal | None = None


class Entry(msgspec.Struct, frozen=True):
    """Money that came to the merchant (positive) or went."""

    entry: int
    at: datetime
    kind: MovementKind
    key: str
    payment_id: str
    reference: str
    amount_minor: int
    currency: str


class Webhook(msgspec.Struct, frozen=True):
    """Where the merchant is told, and how many live secrets sign it."""

    url: str | None
    secrets: int


class Delivery(msgspec.Struct, frozen=True):
    """An event on its way to the merchant.  `answer` is the last HTTP status, if there was one."""

    event_id: str
    type: str
    payment_id: str
    status: DeliveryStatus
    attempts: int
    answer: int | None
    created_at: datetime
    next_attempt_at: datetime


class Event(msgspec.Struct, frozen=True):
    """What a webhook's body says."""

    event_id: str
    type: str
    at: datetime
    operation: Operation


class Merchant(msgspec.Struct, frozen=True):
    """Who sells."""

    merchant_id: str
    name: str
    hosts: Sequence[str]
    webhook: Webhook


def payment_answer(payment: PaymentRecord, address: str) -> Payment:
    """A payment as merchants see it; `address` is where customers reach the bank."""
    waits = payment.status == "needs_confirmation"
    return Payment(
        payment_id=payment.payment_id,
        key=payment.key,
        kind=payment.kind,
        status=payment.status,
        amount_minor=payment.amount_minor,
        captured_minor=payment.captured_minor,
        refunded_minor=payment.refunded_minor,
        currency=payment.currency,
        reference=payment.reference,
        refusal=payment.refusal,
        confirmation_url=f"{address}/confirm/{payment.token}" if waits else None,
        confirmation_expires_at=_utc(payment.confirm_by) if waits else None,
        return_url=payment.return_url,
        hold_expires_at=_utc(payment.hold_expires_at),
        created_at=payment.created_at.astimezone(UTC),
        version=payment.version,
    )


def operation_answer(operation: OperationRecord, payment: PaymentRecord | None, address: str) -> Operation:
    """An operation as merchants see it, with its payment."""
    return Operation(
        key=operation.key,
        kind=operation.kind,
        status=operation.status,
        refusal=operation.refusal,
        amount_minor=operation.amount_minor,
        currency=operation.currency,
        at=operation.at.astimezone(UTC),
        payment=payment_answer(payment, address) if payment is not None else None,
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment is not None else None
