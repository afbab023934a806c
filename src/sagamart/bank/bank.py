"""The bank: every operation once under its key, the customer's word, queries, and what time brings.

Rules:
- An operation takes its key in the transaction that does it: a second one with the same key waits, then gets the same
  answer; where the first is rolled back, nothing was ever there.
- A key cancelled before it was seen is taken by a tombstone, which answers whoever comes later with it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from sagamart.bank import ledger, operations
from sagamart.bank.answers import Entry, Funds, Payment, operation_answer, payment_answer
from sagamart.bank.cards import kind_of, plain
from sagamart.bank.clock import Clock
from sagamart.bank.deal import ChooseMischief, Deal
from sagamart.bank.merchants import KnownMerchant, is_on
from sagamart.bank.operations import Outcome
from sagamart.bank.records import (
    OperationKind,
    OperationRecord,
    PaymentRecord,
    find_operation,
    lock_payment,
    payment_of,
    place_operation,
    update_operation,
    update_payment,
)
from sagamart.bank.requests import Amount, FundsCheck, NewPayment
from sagamart.bank.rules import is_lapsed
from sagamart.platform.http import NotFound, Problem

DUE_MAX = 100
"""So many payments whose time has come are looked at in one sweep."""

Act = Callable[[Deal], Awaitable[Outcome]]


class Bank:
    """The bank over its database.  `address` is where customers reach it."""

    def __init__(self, pool: Any, *, clock: Clock, mischief: ChooseMischief, address: str = "") -> None:
        self.address = address
        self.changed = asyncio.Event()
        """Set after each commit: there may be an event to tell."""
        self._pool = pool
        self._clock = clock
        self._mischief = mischief

    async def pay(self, merchant: KnownMerchant, key: str, wanted: NewPayment, *, refuse: bool) -> bytes:
        """Hold or charge.  Raises Problem for an address that is not the merchant's, and as `_once` does."""
        if wanted.return_url is not None and not is_on(merchant.hosts, wanted.return_url):
            raise Problem(400, "return_url_not_allowed", "The return address is not on a registered host of yours")
        new = self._new(merchant, key, wanted.kind, wanted.amount_minor, wanted.currency)
        return await self._once(new, wanted, lambda deal: operations.pay(deal, new, wanted, refuse=refuse))

    async def capture(
        self, merchant: KnownMerchant, key: str, payment_id: str, wanted: Amount, *, refuse: bool
    ) -> bytes:
        """Debit.  Raises NotFound, and Problem as `_once` does."""
        new = self._new(merchant, key, "capture", wanted.amount_minor, wanted.currency)
        act = operations.capture
        return await self._once(
            new,
            (payment_id, wanted),
            lambda deal: act(deal, new, payment_id, wanted, refuse=refuse),
        )

    async def refund(
        self, merchant: KnownMerchant, key: str, payment_id: str, wanted: Amount, *, refuse: bool
    ) -> bytes:
        """Give back.  Raises NotFound, and Problem as `_once` does."""
        new = self._new(merchant, key, "refund", wanted.amount_minor, wanted.currency)
        act = operations.refund
        return await self._once(
            new,
            (payment_id, wanted),
            lambda deal: act(deal, new, payment_id, wanted, refuse=refuse),
        )

    async def void(self, merchant: KnownMerchant, key: str, payment_id: str) -> bytes:
        """Release.  Raises NotFound, and Problem as `_once` does."""
        payment = await self._payment(merchant, payment_id)
        new = self._new(merchant, key, "void", payment.amount_minor, payment.currency)
        return await self._once(new, payment_id, lambda deal: operations.void(deal, new, payment_id))

    async def cancel(self, merchant: KnownMerchant, key: str) -> bytes:
        """Make sure that nothing is or will be taken under a key.  Raises Problem 409 where that is too late."""
        async with self._deal() as deal:
            tombstone = replace(self._new(merchant, key, "unknown", 0, ""), status="cancelled")
            if await place_operation(deal.connection, tombstone):
                return msgspec.json.encode(deal.answer(tombstone, None))
            operation = await _known(deal, merchant, key)
            payment = await lock_payment(deal.connection, operation.payment_id or "")
            operation = await _known(deal, merchant, key)
            if payment is None or operation.status in ("refused", "cancelled"):
                return msgspec.json.encode(deal.answer(operation, payment))
            undone = await operations.undo(deal, payment) if operation.kind in ("hold", "charge") else None
            if undone is None:
                raise Problem(409, "already_done", "It has been done and stands; refund it")
            # Whoever repeats the request must not be told what has been undone since.
            cancelled = replace(operation, status="cancelled", answer=None)
            await update_operation(deal.connection, cancelled)
            if undone is not payment:
                await deal.tell(cancelled, undone)
            return msgspec.json.encode(deal.answer(cancelled, undone))

    async def funds(self, wanted: FundsCheck) -> Funds:
        """Whether a card could pay so much now."""
        card, number = kind_of(plain(wanted.card)), plain(wanted.card)
        if card is None:
            return Funds(enough=False, refusal="unknown_card")
        if card.declines:
            return Funds(enough=False, refusal="card_declined")
        enough = wanted.amount_minor <= await ledger.available_on(self._pool, number, wanted.currency)
        return Funds(enough=enough, refusal=None if enough else "insufficient_funds")

    async def payment(self, merchant: KnownMerchant, payment_id: str) -> Payment:
        """A payment as it is now.  Raises NotFound."""
        return payment_answer(await self._payment(merchant, payment_id), self.address)

    async def card_of(self, merchant: KnownMerchant, payment_id: str) -> str | None:
        """The card of a payment.  Raises NotFound."""
        return (await self._payment(merchant, payment_id)).card

    async def operation(self, merchant: KnownMerchant, key: str) -> bytes:
        """An operation as it is now.  Raises NotFound."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            operation = await find_operation(connection, merchant.merchant_id, key)
            if operation is None:
                raise NotFound("Nothing has come under this key yet; it may still be on its way")
            row = await connection.fetchrow("select * from payments where payment_id = $1", operation.payment_id)
        payment = payment_of(row) if row is not None else None
        return msgspec.json.encode(operation_answer(operation, payment, self.address))

    async def statement(
        self, merchant: KnownMerchant, begin: datetime, end: datetime, *, after: int, limit: int
    ) -> list[Entry]:
        """What moved for a merchant from one moment to before another.  What ends in the past is complete for ever."""
        async with self._pool.acquire() as connection, connection.transaction():
            # Whoever is about to write an entry is waited for, and reads the clock after us.
            await connection.execute("select from merchants where merchant_id = $1 for share", merchant.merchant_id)
            rows = await connection.fetch(
                """
                select entry, at, kind, key, payment_id, reference, amount_minor, currency from postings
                where merchant_id = $1 and at >= $2 and at < $3 and entry > $4 order by entry limit $5
                """,
                *(merchant.merchant_id, begin, end, after, limit),
            )
        return [Entry(*row.values()) for row in rows]

    async def by_token(self, token: str) -> tuple[PaymentRecord, str]:
        """The payment that a customer's link opens, and its merchant's name.  Raises NotFound."""
        row = await self._pool.fetchrow(
            "select payments.*, merchants.name from payments join merchants using (merchant_id) where token = $1", token
        )
        if row is None:
            raise NotFound
        found = dict(row)
        name = found.pop("name")
        return PaymentRecord(**found), name

    async def decide(
        self, payment_id: str, word: Literal["confirm", "decline"], card: str | None = None
    ) -> PaymentRecord:
        """The customer's word, taken once.  The payment as it is then; a later word changes nothing."""
        async with self._deal() as deal:
            payment = await lock_payment(deal.connection, payment_id)
            if payment is None:
                raise NotFound
            if payment.status != "needs_confirmation":
                return payment
            if payment.confirm_by is not None and payment.confirm_by <= deal.moment:
                return await deal.decline(payment, "confirmation_expired")
            if word == "decline":
                return await deal.decline(payment, "customer_refused")
            named = payment.changed(card=payment.card or card, acts_at=None)
            taken = await deal.take(named, refuse=False)
            await update_payment(deal.connection, taken)
            await deal.end(taken, await deal.maker_of(payment))
            return taken

    async def sweep(self) -> int:
        """What time brings: holds lapse, waits for customers end, customers answer by phone.  How many there were."""
        now = self._clock.now()
        held = await self._pool.fetch(
            "select payment_id from payments where status = 'held' and hold_expires_at <= $1 limit $2", now, DUE_MAX
        )
        for row in held:
            await self._lapse(row["payment_id"])
        waiting = await self._pool.fetch(
            "select payment_id, card from payments where status = 'needs_confirmation'"
            " and least(confirm_by, acts_at) <= $1 limit $2",
            *(now, DUE_MAX),
        )
        for row in waiting:
            card = kind_of(row["card"] or "")
            await self.decide(
                row["payment_id"], "confirm" if card is not None and card.by_phone == "confirms" else "decline"
            )
        return len(held) + len(waiting)

    async def _lapse(self, payment_id: str) -> None:
        async with self._deal() as deal:
            payment = await lock_payment(deal.connection, payment_id)
            if payment is not None and is_lapsed(payment, deal.moment):
                await deal.lapse(payment)

    async def _once(self, new: OperationRecord, content: Any, act: Act) -> bytes:
        """Do it under its key, or give the answer that was given.  Raises Problem 422 where the key is another's."""
        fingerprint = sha256(msgspec.json.encode((new.kind, content))).digest()
        async with self._deal() as deal:
            if not await place_operation(deal.connection, replace(new, fingerprint=fingerprint)):
                return await self._again(deal, new, fingerprint)
            status, refusal, payment = await act(deal)
            done = replace(new, status=status, refusal=refusal, payment_id=payment.payment_id, fingerprint=fingerprint)
            answer = msgspec.json.encode(deal.answer(done, payment))
            await update_operation(deal.connection, replace(done, answer=answer))
            await deal.tell(done, payment)
            return answer

    async def _again(self, deal: Deal, new: OperationRecord, fingerprint: bytes) -> bytes:
        known = await find_operation(deal.connection, new.merchant_id, new.key)
        if known is None:
            raise AssertionError("a key that is taken has an operation")
        if known.kind != "unknown" and known.fingerprint != fingerprint:
            raise Problem(422, "idempotency_key_reused", "This key belongs to another request of yours")
        if known.answer is not None:
            return known.answer
        row = await deal.connection.fetchrow("select * from payments where payment_id = $1", known.payment_id)
        return msgspec.json.encode(deal.answer(known, payment_of(row) if row is not None else None))

    async def _payment(self, merchant: KnownMerchant, payment_id: str) -> PaymentRecord:
        row = await self._pool.fetchrow(
            "select * from payments where payment_id = $1 and merchant_id = $2", payment_id, merchant.merchant_id
        )
        if row is None:
            raise NotFound(f"There is no payment {payment_id}")
        return payment_of(row)

    def _new(
        self, merchant: KnownMerchant, key: str, kind: OperationKind, amount_minor: int, currency: str
    ) -> OperationRecord:
        return OperationRecord(
            merchant_id=merchant.merchant_id,
            key=key,
            kind=kind,
            status="pending",
            amount_minor=amount_minor,
            currency=currency,
            at=self._clock.now(),
        )

    @asynccontextmanager
    async def _deal(self) -> AsyncIterator[Deal]:
        async with self._pool.acquire() as connection, connection.transaction():
            yield Deal(connection, self._clock, self.address, self._mischief)
        self.changed.set()


async def _known(deal: Deal, merchant: KnownMerchant, key: str) -> OperationRecord:
    operation = await find_operation(deal.connection, merchant.merchant_id, key)
    if operation is None:
        raise AssertionError("a key that is taken has an operation")
    return operation
