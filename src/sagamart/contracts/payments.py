"""What payments tells: how orders' payments through the bank go, and that top-ups were paid.

A payment whose outcome the bank does not tell is unknown: nothing is told of it until its outcome is final.
"""

from datetime import datetime
from typing import Literal

from sagamart.contracts.orders import payment_id
from sagamart.messaging.message import Body

DeclineReason = Literal["declined", "insufficient_funds", "not_confirmed", "expired", "cancelled", "bank_unavailable"]
VoidReason = Literal["asked", "lapsed"]


class PaymentFact(Body, frozen=True):
    """Something that has become true of one payment of an order."""

    order_id: str
    payment: int
    amount_minor: int
    currency: str

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id

    @property
    def payment_id(self) -> str:
        """The payment: `/v1/payments/{payment_id}`."""
        return payment_id(self.order_id, self.payment)


class PaymentRedirected(PaymentFact, frozen=True):
    """The customer is to confirm the payment on the bank's page."""

    redirect_url: str


class PaymentHeld(PaymentFact, frozen=True):
    """The bank holds the amount until `holds_until` (UTC) at least.  It may come late, after the order has ended."""

    holds_until: datetime


class PaymentDeclined(PaymentFact, frozen=True):
    """Nothing is held, and nothing will be."""

    reason: DeclineReason


class PaymentCaptured(PaymentFact, frozen=True):
    """The money is taken.  It may come unasked: a bank may charge at once, and late."""


class CaptureRefused(PaymentFact, frozen=True):
    """The bank did not let the shop take what it held, and holds it no longer."""


class PaymentVoided(PaymentFact, frozen=True):
    """Nothing is held, and nothing will be: as asked, or because the hold lapsed."""

    reason: VoidReason


class PaymentRefunded(PaymentFact, frozen=True):
    """`amount_minor` of it went back to where it came from."""

    refund_id: str
    customer_id: str = ""


class RefundRefused(PaymentFact, frozen=True):
    """The bank does not take this refund: `amount_minor` is to go back another way."""

    refund_id: str


class TopUpPaid(Body, frozen=True):
    """The bank has taken money for a customer's wallet, which is to be credited with it: TopUpCredited answers."""

    top_up_id: str
    customer_id: str
    amount_minor: int
    currency: str

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id
