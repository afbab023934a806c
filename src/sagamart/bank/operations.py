"""What each operation does to a payment, inside a transaction.

Each gives the payment as it is then, and why it was refused, if it was.
"""

import secrets
from datetime import timedelta
from typing import NamedTuple

from msgspec.structs import replace

from sagamart.bank import ledger, rules
from sagamart.bank.cards import PHONE_DELAY_S, kind_of
from sagamart.bank.deal import Deal
from sagamart.bank.ledger import Movement
from sagamart.bank.records import (
    OperationRecord,
    OperationStatus,
    PaymentRecord,
    Refusal,
    insert_payment,
    lock_payment,
    update_operation,
    update_payment,
)
from sagamart.bank.requests import Amount, NewPayment
from sagamart.platform.http import NotFound

CONFIRM_WITHIN_S = 900


class Outcome(NamedTuple):
    """How an operation ended, and its payment."""

    status: OperationStatus
    refusal: Refusal | None
    payment: PaymentRecord


async def pay(deal: Deal, new: OperationRecord, wanted: NewPayment, *, refuse: bool) -> Outcome:
    """Make a payment: held or charged at once, declined, or left to its customer."""
    payment = PaymentRecord(
        payment_id=deal.clock.new_id("pay"),
        merchant_id=new.merchant_id,
        key=new.key,
        kind=wanted.kind,
        status="needs_confirmation",
        amount_minor=wanted.amount_minor,
        currency=wanted.currency,
        reference=wanted.reference,
        description=wanted.description,
        card=wanted.card_number,
        token=secrets.token_urlsafe(32),
        confirm_by=deal.moment + timedelta(seconds=CONFIRM_WITHIN_S),
        acts_at=None,
        return_url=wanted.return_url,
        hold_s=wanted.hold_s,
        created_at=deal.moment,
    )
    card = kind_of(payment.card or "")
    if not refuse and (payment.card is None or (card is not None and card.asks)):
        if card is not None and card.by_phone is not None:
            payment = replace(payment, acts_at=deal.moment + timedelta(seconds=PHONE_DELAY_S))
        await insert_payment(deal.connection, payment)
        return Outcome("pending", None, payment)
    payment = await deal.take(replace(payment, token=None, confirm_by=None), refuse=refuse)
    await insert_payment(deal.connection, payment)
    return Outcome("refused" if payment.refusal else "succeeded", payment.refusal, payment)


async def capture(deal: Deal, new: OperationRecord, payment_id: str, wanted: Amount, *, refuse: bool) -> Outcome:
    """Debit what is held, whole or part; the rest is released.  Raises NotFound."""
    payment = await _locked(deal, new, payment_id)
    refusal = rules.refusal_of_capture(payment, wanted.amount_minor, wanted.currency, deal.moment)
    if refusal is None and refuse:
        refusal = "capture_declined"
    if refusal is not None:
        return Outcome("refused", refusal, await _lapsed_if_over(deal, payment))
    await ledger.lock_account(deal.connection, payment.card or "", payment.currency, deal.clock)
    await ledger.release(deal.connection, payment)
    captured = payment.changed(status="captured", captured_minor=wanted.amount_minor)
    await update_payment(deal.connection, captured)
    movement = Movement(kind="debit", payment=payment, key=new.key, amount_minor=wanted.amount_minor)
    await ledger.move(deal.connection, movement, deal.clock)
    return Outcome("succeeded", None, captured)


async def void(deal: Deal, new: OperationRecord, payment_id: str) -> Outcome:
    """Release a hold, or end the wait for a customer.  Raises NotFound."""
    payment = await _locked(deal, new, payment_id)
    refusal = rules.refusal_of_void(payment, deal.moment)
    if refusal is not None:
        return Outcome("refused", refusal, await _lapsed_if_over(deal, payment))
    if payment.status == "held":
        await ledger.release(deal.connection, payment)
    else:
        maker = await deal.maker_of(payment)
        await update_operation(deal.connection, replace(maker, status="cancelled"))
    voided = payment.changed(status="voided", acts_at=None)
    await update_payment(deal.connection, voided)
    return Outcome("succeeded", None, voided)


async def refund(deal: Deal, new: OperationRecord, payment_id: str, wanted: Amount, *, refuse: bool) -> Outcome:
    """Give back what was captured, whole or part.  Raises NotFound."""
    payment = await _locked(deal, new, payment_id)
    refusal = rules.refusal_of_refund(payment, wanted.amount_minor, wanted.currency)
    if refusal is None and refuse:
        refusal = "refund_declined"
    if refusal is not None:
        return Outcome("refused", refusal, payment)
    refunded = payment.changed(refunded_minor=payment.refunded_minor + wanted.amount_minor)
    await update_payment(deal.connection, refunded)
    movement = Movement(kind="refund", payment=payment, key=new.key, amount_minor=wanted.amount_minor)
    await ledger.move(deal.connection, movement, deal.clock)
    return Outcome("succeeded", None, refunded)


async def undo(deal: Deal, payment: PaymentRecord) -> PaymentRecord | None:
    """Undo a payment whose key is cancelled; None where it was captured by another operation, which stands."""
    if payment.status == "captured" and payment.kind == "hold":
        return None
    left_minor = payment.captured_minor - payment.refunded_minor
    match payment.status:
        case "held":
            await ledger.release(deal.connection, payment)
            undone = payment.changed(status="cancelled")
        case "needs_confirmation":
            undone = payment.changed(status="cancelled", acts_at=None)
        case "captured":
            undone = payment.changed(status="cancelled", refunded_minor=payment.captured_minor)
        case _:
            return payment
    await update_payment(deal.connection, undone)
    if left_minor:
        movement = Movement(kind="reversal", payment=payment, key=payment.key, amount_minor=left_minor)
        await ledger.move(deal.connection, movement, deal.clock)
    return undone


async def _locked(deal: Deal, new: OperationRecord, payment_id: str) -> PaymentRecord:
    payment = await lock_payment(deal.connection, payment_id)
    if payment is None or payment.merchant_id != new.merchant_id:
        raise NotFound(f"There is no payment {payment_id}")
    return payment


async def _lapsed_if_over(deal: Deal, payment: PaymentRecord) -> PaymentRecord:
    return await deal.lapse(payment) if rules.is_lapsed(payment, deal.moment) else payment
