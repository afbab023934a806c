"""One transaction of the bank: what every change of a payment goes through.

Locks are taken in one order, so that nobody waits in a ring: a new operation's row, the payment (under whose lock its
older operations are changed), the account, the merchant.
"""

from collections.abc import Callable
from datetime import timedelta

import asyncpg
import msgspec

from sagamart.bank import ledger, rules
from sagamart.bank.answers import Event, Operation, operation_answer
from sagamart.bank.cards import kind_of
from sagamart.bank.clock import Clock
from sagamart.bank.ledger import Movement
from sagamart.bank.misbehaviour import Asked, Rule, Subject
from sagamart.bank.records import (
    OperationRecord,
    OperationStatus,
    PaymentRecord,
    Refusal,
    find_operation,
    update_operation,
    update_payment,
)

ChooseMischief = Callable[[Asked], Rule | None]
"""Which misbehaviour befalls an event on its way, if any."""


class Deal:
    """A transaction at work; `moment` is when it began."""

    def __init__(self, connection: asyncpg.Connection, clock: Clock, address: str, mischief: ChooseMischief) -> None:
        self.connection = connection
        self.clock = clock
        self.moment = clock.now()
        self._address = address
        self._mischief = mischief

    def answer(self, operation: OperationRecord, payment: PaymentRecord | None) -> Operation:
        """The operation as its merchant sees it."""
        return operation_answer(operation, payment, self._address)

    async def take(self, payment: PaymentRecord, *, refuse: bool) -> PaymentRecord:
        """Hold a payment's money on its card, or charge it, or decline.  The caller writes the row."""
        card = kind_of(payment.card or "")
        if card is None or payment.card is None:
            return msgspec.structs.replace(payment, status="declined", refusal="unknown_card")
        available_minor = await ledger.lock_account(self.connection, payment.card, payment.currency, self.clock)
        refusal = "card_declined" if refuse else rules.refusal_of_payment(card, payment, available_minor)
        if refusal is not None:
            return msgspec.structs.replace(payment, status="declined", refusal=refusal)
        if payment.kind == "charge":
            movement = Movement(kind="debit", payment=payment, key=payment.key, amount_minor=payment.amount_minor)
            await ledger.move(self.connection, movement, self.clock)
            return msgspec.structs.replace(payment, status="captured", captured_minor=payment.amount_minor)
        await ledger.hold(self.connection, payment)
        ends = self.moment if card.hold_lapses_at_once else self.moment + timedelta(seconds=payment.hold_s)
        return msgspec.structs.replace(payment, status="held", hold_expires_at=ends)

    async def end(self, payment: PaymentRecord, operation: OperationRecord) -> OperationRecord:
        """End the operation that made a payment as the payment has ended, and tell of it."""
        status: OperationStatus = "refused" if payment.status == "declined" else "succeeded"
        ended = msgspec.structs.replace(operation, status=status, refusal=payment.refusal)
        await update_operation(self.connection, ended)
        await self.tell(ended, payment)
        return ended

    async def lapse(self, payment: PaymentRecord) -> PaymentRecord:
        """Let go of a hold whose time is over, and tell of it."""
        await ledger.release(self.connection, payment)
        lapsed = payment.changed(status="expired")
        await update_payment(self.connection, lapsed)
        await self.tell(await self.maker_of(payment), lapsed, "payment.expired")
        return lapsed

    async def decline(self, payment: PaymentRecord, refusal: Refusal) -> PaymentRecord:
        """End a payment that waits for its customer."""
        declined = payment.changed(status="declined", refusal=refusal, acts_at=None)
        await update_payment(self.connection, declined)
        await self.end(declined, await self.maker_of(payment))
        return declined

    async def maker_of(self, payment: PaymentRecord) -> OperationRecord:
        """The operation that made a payment."""
        operation = await find_operation(self.connection, payment.merchant_id, payment.key)
        if operation is None:
            raise AssertionError(f"{payment.payment_id} was made by no operation")
        return operation

    async def tell(self, operation: OperationRecord, payment: PaymentRecord, kind: str | None = None) -> None:
        """Write down the event that tells of an operation's end, where its merchant wants to be told."""
        kind = kind or rules.event_of(operation.kind, operation.status)
        if kind is None:
            return
        event = Event(self.clock.new_id("evt"), kind, self.moment, self.answer(operation, payment))
        mischief = self._mischief(Asked(_subject(operation), operation.key, payment.card))
        late = mischief is not None and mischief.misbehaviour in ("webhook_late", "webhook_out_of_order")
        due = self.moment + timedelta(seconds=mischief.delay_s) if mischief is not None and late else self.moment
        lost = mischief is not None and mischief.misbehaviour == "webhook_lost"
        await self.connection.execute(
            """
            insert into events
                (event_id, merchant_id, payment_id, type, body, status, attempts,
                    misbehaviour, created_at, next_attempt_at)
            select $1, merchant_id, $3, $4, $5, $6, 0, $7, $8, $9
            from merchants where merchant_id = $2 and webhook_url is not null
            """,
            event.event_id,
            payment.merchant_id,
            payment.payment_id,
            kind,
            msgspec.json.encode(event),
            "failed" if lost else "pending",
            mischief.misbehaviour if mischief is not None else None,
            self.moment,
            due,
        )


def _subject(operation: OperationRecord) -> Subject:
    if operation.kind == "unknown":
        raise AssertionError("nobody is told of a key that the bank has never seen")
    return operation.kind
