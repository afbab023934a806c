"""The bank's rules, pure: what is refused, and which event tells of what.

A refusal is a value; the order of the guards is the order in which a bank looks.
"""

from datetime import datetime

from sagamart.bank.cards import CardKind, kind_of
from sagamart.bank.records import OperationKind, OperationStatus, PaymentRecord, Refusal


def refusal_of_payment(card: CardKind | None, payment: PaymentRecord, available_minor: int) -> Refusal | None:
    """Why this card does not pay this, if it does not."""
    if card is None:
        return "unknown_card"
    if card.declines or (payment.kind == "charge" and not card.captures):
        return "card_declined"
    if payment.amount_minor > available_minor:
        return "insufficient_funds"
    return None


def refusal_of_capture(payment: PaymentRecord, amount_minor: int, currency: str, now: datetime) -> Refusal | None:
    """Why this is not debited, if it is not."""
    if payment.status == "expired" or is_lapsed(payment, now):
        return "hold_expired"
    if payment.status != "held":
        return "wrong_status"
    if currency != payment.currency:
        return "currency_mismatch"
    if amount_minor > payment.amount_minor:
        return "exceeds_held"
    card = kind_of(payment.card or "")
    return None if card is not None and card.captures else "capture_declined"


def refusal_of_void(payment: PaymentRecord, now: datetime) -> Refusal | None:
    """Why this is not released, if it is not."""
    if payment.status == "expired" or is_lapsed(payment, now):
        return "hold_expired"
    return None if payment.status in ("held", "needs_confirmation") else "wrong_status"


def refusal_of_refund(payment: PaymentRecord, amount_minor: int, currency: str) -> Refusal | None:
    """Why this is not given back, if it is not."""
    if payment.status != "captured":
        return "wrong_status"
    if currency != payment.currency:
        return "currency_mismatch"
    if amount_minor > payment.captured_minor - payment.refunded_minor:
        return "exceeds_captured"
    card = kind_of(payment.card or "")
    return None if card is not None and card.refunds else "refund_declined"


def is_lapsed(payment: PaymentRecord, now: datetime) -> bool:
    """Whether a hold's time is over, though nobody has noticed yet."""
    return payment.status == "held" and payment.hold_expires_at is not None and payment.hold_expires_at <= now


_EVENTS: dict[tuple[OperationKind, OperationStatus], str] = {
    ("hold", "succeeded"): "payment.held",
    ("hold", "refused"): "payment.declined",
    ("hold", "cancelled"): "payment.cancelled",
    ("charge", "succeeded"): "payment.captured",
    ("charge", "refused"): "payment.declined",
    ("charge", "cancelled"): "payment.cancelled",
    ("capture", "succeeded"): "payment.captured",
    ("capture", "refused"): "payment.capture_refused",
    ("void", "succeeded"): "payment.voided",
    ("refund", "succeeded"): "payment.refunded",
    ("refund", "refused"): "payment.refund_refused",
}


def event_of(kind: OperationKind, status: OperationStatus) -> str | None:
    """The event that tells of an operation's end; None where nothing has changed for anybody."""
    return _EVENTS.get((kind, status))
