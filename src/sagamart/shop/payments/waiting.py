"""Waiting for a payment until its customer has something to do, or it is settled."""

from sagamart.platform.http import waiting
from sagamart.platform.http.waiting import POLL_S, WAITERS_MAX
from sagamart.shop.payments.records import Payment


class TopUpWaiters(waiting.Waiters[Payment]):
    """Everybody who waits in this process for top-ups of one database."""

    def __init__(self, *, waiters_max: int = WAITERS_MAX, poll_s: float = POLL_S) -> None:
        super().__init__(
            Payment, key=lambda payment: payment.payment_id, there=is_answered, waiters_max=waiters_max, poll_s=poll_s
        )


def is_answered(payment: Payment) -> bool:
    """Whether the bank has a page for the customer, or the payment has come to its end."""
    return payment.redirect_url is not None or payment.settled
