"""The rows of the bank: payments and operations."""

from datetime import datetime
from typing import Any, Literal

import asyncpg
import msgspec

PaymentKind = Literal["hold", "charge"]
PaymentStatus = Literal["needs_confirmation", "held", "captured", "voided", "expired", "cancelled", "declined"]
OperationKind = Literal["hold", "charge", "capture", "void", "refund", "unknown"]
OperationStatus = Literal["pending", "succeeded", "refused", "cancelled"]
Refusal = Literal[
    "unknown_card",
    "insufficient_funds",
    "card_declined",
    "customer_refused",
    "confirmation_expired",
    "capture_declined",
    "refund_declined",
    "hold_expired",
    "wrong_status",
    "exceeds_held",
    "exceeds_captured",
    "currency_mismatch",
]


class PaymentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A payment with a card.  `token` opens its page; `acts_at`: when a customer answers by phone."""

    payment_id: str
    merchant_id: str
    key: str
    kind: PaymentKind
    status: PaymentStatus
    amount_minor: int
    captured_minor: int = 0
    refunded_minor: int = 0
    currency: str
    reference: str
    description: str
    card: str | None
    refusal: Refusal | None = None
    token: str | None = None
    confirm_by: datetime | None = None
    acts_at: datetime | None = None
    return_url: str | None
    hold_s: int
    hold_expires_at: datetime | None = None
    created_at: datetime
    version: int = 1

    def changed(self, **values: Any) -> "PaymentRecord":
        """The payment with these values, one version on."""
        return msgspec.structs.replace(self, version=self.version + 1, **values)


class OperationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant asked for under a key, and what became of it.  `answer` is the first one, given again."""

    merchant_id: str
    key: str
    kind: OperationKind
    status: OperationStatus
    refusal: Refusal | None = None
    amount_minor: int
    currency: str
    at: datetime
    payment_id: str | None = None
    fingerprint: bytes | None = None
    answer: bytes | None = None


_PAYMENT = PaymentRecord.__struct_fields__
_OPERATION = OperationRecord.__struct_fields__


async def insert_payment(connection: asyncpg.Connection, payment: PaymentRecord) -> None:
    """Write a new payment."""
    await connection.execute(_insert("payments", _PAYMENT), *msgspec.structs.astuple(payment))


async def update_payment(connection: asyncpg.Connection, payment: PaymentRecord) -> None:
    """Write a payment over the row that was locked."""
    await connection.execute(_update("payments", _PAYMENT, keys=1), *msgspec.structs.astuple(payment))


async def lock_payment(connection: asyncpg.Connection, payment_id: str) -> PaymentRecord | None:
    """The payment, locked until the transaction ends."""
    row = await connection.fetchrow("select * from payments where payment_id = $1 for update", payment_id)
    return payment_of(row) if row is not None else None


def payment_of(row: asyncpg.Record) -> PaymentRecord:
    """A row of payments."""
    return PaymentRecord(**dict(row))


async def place_operation(connection: asyncpg.Connection, operation: OperationRecord) -> bool:
    """Take a key: whether it was free.  Waits for a transaction that is taking the same one."""
    taken = await connection.fetchval(
        f"{_insert('operations', _OPERATION)} on conflict do nothing returning true",
        *msgspec.structs.astuple(operation),
    )
    return bool(taken)


async def update_operation(connection: asyncpg.Connection, operation: OperationRecord) -> None:
    """Write an operation over its row."""
    await connection.execute(_update("operations", _OPERATION, keys=2), *msgspec.structs.astuple(operation))


async def find_operation(connection: asyncpg.Connection, merchant_id: str, key: str) -> OperationRecord | None:
    """The operation under a merchant's key."""
    row = await connection.fetchrow("select * from operations where merchant_id = $1 and key = $2", merchant_id, key)
    return OperationRecord(**dict(row)) if row is not None else None


def _insert(table: str, columns: tuple[str, ...]) -> str:
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"insert into {table} ({', '.join(columns)}) values ({places})"


def _update(table: str, columns: tuple[str, ...], *, keys: int) -> str:
    """Set all columns of the row whose first `keys` columns these are."""
    numbered = [f"{name} = ${number}" for number, name in enumerate(columns, 1)]
    return f"update {table} set {', '.join(numbered[keys:])} where {' and '.join(numbered[:keys])}"
