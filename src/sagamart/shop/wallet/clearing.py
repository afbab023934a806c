"""Movements that others name: what the bank took and gave back, and what an order refunds into a wallet.

- Each movement has a business key (the top-up, the payment, the refund) and is booked once, for ever, however often it
  is told.  So money that the bank took for a wallet is credited exactly once.
- A top-up is never refused: the bank has the money.  One in another currency than the wallet's would be a bug of ours,
  and goes to the dead letters, where nothing is lost.
"""

from sagamart.contracts.order_requests import RefundRequested
from sagamart.contracts.payments import PaymentCaptured, PaymentRefunded, TopUpPaid
from sagamart.contracts.wallet import MoneyRefunded, TopUpCredited, WalletOpened
from sagamart.messaging.decision import NOTHING, Decision
from sagamart.messaging.message import Message
from sagamart.shop.wallet.records import (
    HOUSE_BANK,
    HOUSE_REFUNDS,
    HOUSE_REVENUE,
    Clearing,
    Movement,
    Posting,
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
    moved = Movement(body.top_up_id, "top_up", body.amount_minor, body.currency, body.top_up_id, message.at)
    return Decision(save=_credited(moved, HOUSE_BANK, wallet), send=[*_opening(wallet), answer])


def refund(message: Message[RefundRequested], earlier: Clearing | None, wallet: Wallet) -> Decision:
    """Money of an order becomes the customer's again.  It cannot be refused."""
    body = message.body
    answer = MoneyRefunded(
        body.order_id, body.payment, body.amount_minor, body.currency, body.refund_id, body.customer_id
    )
    if earlier is not None:
        _same(earlier, body.amount_minor, body.currency)
        return Decision(send=[answer])
    back = Movement(body.refund_id, "refund", body.amount_minor, body.currency, body.order_id, message.at)
    return Decision(save=_credited(back, HOUSE_REFUNDS, wallet), send=[*_opening(wallet), answer])


def bank_captured(message: Message[PaymentCaptured], earlier: Clearing | None) -> Decision:
    """An order was paid through the bank."""
    body = message.body
    taken = Movement(body.payment_id, "bank_capture", body.amount_minor, body.currency, body.order_id, message.at)
    return _booked(taken, earlier, HOUSE_BANK, HOUSE_REVENUE)


def bank_refunded(message: Message[PaymentRefunded], earlier: Clearing | None) -> Decision:
    """The bank gave a part of it back."""
    body = message.body
    back = Movement(refund_key(body), "bank_refund", body.amount_minor, body.currency, body.order_id, message.at)
    return _booked(back, earlier, HOUSE_REFUNDS, HOUSE_BANK)


def refund_key(body: PaymentRefunded) -> str:
    """The business key of a refund."""
    return f"{body.payment_id}/{body.refund_id}"


def _booked(moved: Movement, earlier: Clearing | None, source: str, target: str) -> Decision:
    if earlier is not None:
        _same(earlier, moved.amount_minor, moved.currency)
        return NOTHING
    booked = Clearing(1, moved.movement_id, moved.amount_minor, moved.currency)
    return Decision(save=[booked, *moved.postings(source, target)])


def _credited(moved: Movement, source: str, wallet: Wallet) -> list[Clearing | Wallet | Posting]:
    return [
        Clearing(1, moved.movement_id, moved.amount_minor, moved.currency),
        wallet.change(balance_minor=moved.amount_minor),
        *moved.postings(source, customer_account(wallet.customer_id)),
    ]


def _opening(before: Wallet) -> list[WalletOpened]:
    return [] if before.version else [WalletOpened(before.customer_id, before.currency, 1)]


def _same(earlier: Clearing, amount_minor: int, currency: str) -> None:
    if (earlier.amount_minor, earlier.currency) != (amount_minor, currency):
        raise AssertionError(f"{earlier.clearing_id} was booked as {earlier.amount_minor} {earlier.currency}")
