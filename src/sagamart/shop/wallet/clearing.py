"""What the bank took and gave back, in the wallet's books: the bank's clearing account and its other side.

- Each movement has a business key (the top-up, the payment, the refund) and is booked once, for ever, however often it
  is told.  So money that the bank took for a wallet is credited exactly once.
- A top-up is never refused: the bank has the money.  One in another currency than the wallet's would be a bug of ours,
  and goes to the dead letters, where nothing is lost.
"""

from sagamart.contracts.payments import PaymentCaptured, PaymentRefunded, TopUpPaid
from sagamart.contracts.wallet import TopUpCredited, WalletOpened
from sagamart.messaging.decision import NOTHING, Decision
from sagamart.messaging.message import Message
from sagamart.shop.wallet.records import (
    HOUSE_BANK,
    HOUSE_REVENUE,
    Clearing,
    Movement,
    Wallet,
    customer_account,
)


def credit(message: Message[TopUpPaid], earlier: Clearing | None, wallet: Wallet) -> Decision:
    """The bank took this for the wallet."""
    body = message.body
    answer = TopUpCredited(body.top_up_id, body.customer_id, body.amount_minor, body.currency)
    if earlier is not None:
        _same(earlier, body.amount_minor, body.currency)
        return Decision(send=[answer])
    if body.currency != wallet.currency:
        raise AssertionError(f"{body.top_up_id}: {body.currency} for a wallet of {wallet.currency}")

    # From here it must be credited.
    opening = [] if wallet.version else [WalletOpened(wallet.customer_id, wallet.currency, 1)]
    after = wallet.change(balance_minor=body.amount_minor)
    moved = Movement(body.top_up_id, "top_up", body.amount_minor, body.currency, body.top_up_id, message.at)
    booked = Clearing(1, body.top_up_id, body.amount_minor, body.currency)
    postings = moved.postings(HOUSE_BANK, customer_account(body.customer_id))
    return Decision(save=[booked, after, *postings], send=[*opening, answer])


def bank_captured(message: Message[PaymentCaptured], earlier: Clearing | None) -> Decision:
    """An order was paid through the bank."""
    body = message.body
    taken = Movement(body.payment_id, "bank_capture", body.amount_minor, body.currency, body.order_id, message.at)
    return _booked(taken, earlier, HOUSE_BANK, HOUSE_REVENUE)


def bank_refunded(message: Message[PaymentRefunded], earlier: Clearing | None) -> Decision:
    """The bank gave a part of it back."""
    body = message.body
    back = Movement(refund_key(body), "bank_refund", body.amount_minor, body.currency, body.order_id, message.at)
    return _booked(back, earlier, HOUSE_REVENUE, HOUSE_BANK)


def refund_key(body: PaymentRefunded) -> str:
    """The business key of a refund."""
    return f"{body.payment_id}/{body.refund_id}"


def _booked(moved: Movement, earlier: Clearing | None, source: str, target: str) -> Decision:
    if earlier is not None:
        _same(earlier, moved.amount_minor, moved.currency)
        return NOTHING
    booked = Clearing(1, moved.movement_id, moved.amount_minor, moved.currency)
    return Decision(save=[booked, *moved.postings(source, target)])


def _same(earlier: Clearing, amount_minor: int, currency: str) -> None:
    if (earlier.amount_minor, earlier.currency) != (amount_minor, currency):
        raise AssertionError(f"{earlier.clearing_id} was booked as {earlier.amount_minor} {earlier.currency}")
