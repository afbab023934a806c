"""The bank's books: clients' accounts with what is held on them, and the journal of postings.

Rules:
- Every movement is postings that sum to zero; a client's balance is the sum of the postings of the account.
- A merchant's postings are its statement.  They are numbered under a lock on the merchant, and their moment is read
  under it, so that nothing is ever written before what somebody has already seen.
"""

from datetime import datetime
from typing import Any, Literal

import asyncpg
import msgspec

from sagamart.bank.cards import KINDS, digits_of
from sagamart.bank.clock import Clock
from sagamart.bank.records import PaymentRecord

MovementKind = Literal["debit", "refund", "reversal"]

_POST = """
    insert into postings
        (movement_id, kind, account, amount_minor, currency, at, merchant_id, entry, payment_id, key, reference)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """Money between a payment's card and its merchant, under the key of the operation that moves it."""

    kind: MovementKind
    payment: PaymentRecord
    key: str
    amount_minor: int


def client_account(card: str, currency: str) -> str:
    """The account behind a card."""
    return f"client:{card}:{currency}"


async def available_on(connection: asyncpg.Connection, card: str, currency: str) -> int:
    """What a card can pay now.  Promises nothing: the account is not locked.  Raises KeyError for an unknown card."""
    found: int | None = await connection.fetchval(
        "select balance_minor - held_minor from accounts where account = $1", client_account(card, currency)
    )
    return KINDS[digits_of(card) or ""].opening_minor if found is None else found


async def lock_account(connection: asyncpg.Connection, card: str, currency: str, clock: Clock) -> int:
    """What a card can pay, its account opened at first touch and locked.  Raises KeyError for an unknown card."""
    account = client_account(card, currency)
    opening_minor = KINDS[digits_of(card) or ""].opening_minor
    opened = await connection.fetchval(
        "insert into accounts values ($1, $2, 0) on conflict do nothing returning true", account, opening_minor
    )
    if opened:
        at, movement_id = clock.now(), clock.new_id("mov")
        for whose, amount_minor in ((account, opening_minor), (f"house:vault:{currency}", -opening_minor)):
            about = (movement_id, "opening", whose, amount_minor, currency, at)
            await connection.execute(_POST, *about, None, None, None, None, None)
    available_minor: int = await connection.fetchval(
        "select balance_minor - held_minor from accounts where account = $1 for update", account
    )
    return available_minor


async def hold(connection: asyncpg.Connection, payment: PaymentRecord) -> None:
    """Hold a payment's amount on its account, which is locked and has so much available."""
    await _change(connection, payment, balance_minor=0, held_minor=payment.amount_minor)


async def release(connection: asyncpg.Connection, payment: PaymentRecord) -> None:
    """Let go of what a payment holds."""
    await _change(connection, payment, balance_minor=0, held_minor=-payment.amount_minor)


async def move(connection: asyncpg.Connection, movement: Movement, clock: Clock) -> None:
    """Move money and number it in the merchant's statement.  To be called last: it locks the merchant."""
    payment = movement.payment
    sign = 1 if movement.kind == "debit" else -1
    await _change(connection, payment, balance_minor=-sign * movement.amount_minor, held_minor=0)
    at, entry = await _next_entry(connection, payment.merchant_id, clock)
    what = (clock.new_id("mov"), movement.kind)
    why = (payment.payment_id, movement.key, payment.reference)
    client = client_account(payment.card or "", payment.currency)
    merchant = f"merchant:{payment.merchant_id}:{payment.currency}"
    rows: list[tuple[Any, ...]] = [
        (*what, client, -sign * movement.amount_minor, payment.currency, at, None, None, None, None, None),
        (*what, merchant, sign * movement.amount_minor, payment.currency, at, payment.merchant_id, entry, *why),
    ]
    await connection.executemany(_POST, rows)


async def _next_entry(connection: asyncpg.Connection, merchant_id: str, clock: Clock) -> tuple[datetime, int]:
    # Not "for update": every operation refers to its merchant, and would wait for us while we wait for it.
    await connection.execute("select from merchants where merchant_id = $1 for no key update", merchant_id)
    row = await connection.fetchrow(
        "update merchants set entries = entries + 1, entries_at = greatest(entries_at, $2)"
        " where merchant_id = $1 returning entries_at, entries",
        merchant_id,
        clock.now(),
    )
    return row["entries_at"], row["entries"]


async def _change(
    connection: asyncpg.Connection, payment: PaymentRecord, *, balance_minor: int, held_minor: int
) -> None:
    await connection.execute(
        "update accounts set balance_minor = balance_minor + $2, held_minor = held_minor + $3 where account = $1",
        client_account(payment.card or "", payment.currency),
        balance_minor,
        held_minor,
    )
