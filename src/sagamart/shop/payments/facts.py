"""What payments tells of a payment as it stands: the same again whenever it is asked again."""

from collections.abc import Sequence
from typing import assert_never

from sagamart.contracts.payments import (
    CaptureRefused,
    PaymentCaptured,
    PaymentDeclined,
    PaymentHeld,
    PaymentRedirected,
    PaymentRefunded,
    PaymentVoided,
    RefundRefused,
    TopUpPaid,
)
from sagamart.messaging.message import Body
from sagamart.shop.payments.records import Payment, Refund

FACTS = (CaptureRefused, PaymentCaptured, PaymentDeclined, PaymentHeld, PaymentRedirected, PaymentVoided, TopUpPaid)
"""All that `facts` may tell."""


def about(payment: Payment) -> tuple[str, int, int, str]:
    """Which payment a fact is about."""
    return payment.order_id, payment.payment, payment.amount_minor, payment.currency


def facts(payment: Payment) -> Sequence[Body]:
    """What is true of it and known for sure.  What the bank has not told is not told on."""
    if payment.purpose == "top_up":
        if payment.status != "captured":
            return []
        return [TopUpPaid(payment.payment_id, payment.customer_id, payment.captured_minor, payment.currency)]
    told = about(payment)
    fact: Body | None = None
    match payment.status:
        case "pending":
            fact = PaymentRedirected(*told, payment.redirect_url or "")
        case "held" if not payment.closing:
            fact = PaymentHeld(*told, payment.holds_until or payment.at)
        case "captured" | "refunded":
            fact = PaymentCaptured(*told)
        case "declined":
            fact = PaymentDeclined(*told, payment.reason or "declined")
        case "failed":
            fact = CaptureRefused(*told)
        case "voided":
            fact = PaymentVoided(*told, "lapsed" if payment.reason == "expired" else "asked")
        case "new" | "unknown" | "held":
            pass
        case _:
            assert_never(payment.status)
    return [] if fact is None else [fact]


def refund_fact(payment: Payment, refund: Refund) -> Sequence[Body]:
    """How a refund ended; nothing while it is under way."""
    told = (payment.order_id, payment.payment, refund.amount_minor, payment.currency, refund.refund_id)
    match refund.status:
        case "asked":
            return []
        case "refunded":
            return [PaymentRefunded(*told, payment.customer_id)]
        case "refused":
            return [RefundRefused(*told)]
