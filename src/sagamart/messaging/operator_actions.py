"""What operators did: who, when, why.  One row an act, in the database of the service that it was done in.

Rules:
- A row is written in the transaction, or the statement, of the act: there is none without the other.
- The table is append-only for the service's own role.
- An act that a handler decides is saved as `OperatorAction`; letters and pauses write theirs in SQL.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from sagamart.messaging.records import Entry, Table

DecidedAction = Literal[
    "cancel_order", "change_order", "move_order", "pay_order", "return_order", "resolve_payment", "switch_bank"
]
Action = Literal[
    "release",
    "discard",
    "pause",
    "resume",
    "cancel_order",
    "change_order",
    "move_order",
    "pay_order",
    "return_order",
    "resolve_payment",
    "switch_bank",
]

_LIST = """
    select id, action, coalesce(subject, letter_key), letter_id::text, by, why, at, status_before, status_after
    from operator_actions
    where (at, id) < ($1, $2) and ($4::text is null or subject = $4 or letter_key = $4)
    order by at desc, id desc limit $3
"""


class OperatorAction(Entry, frozen=True):
    """An act that a handler decided; `id` is that of the command, `subject` the order, the payment or the bank.

    `why` may be empty where no reason is asked for.  An order had `status_before` and has `status_after`; of the bank
    they are the ways in which it misbehaved and does, null being none.
    """

    id: str
    action: DecidedAction
    subject: str
    by: str
    why: str
    at: datetime
    status_before: str | None = None
    status_after: str | None = None


OPERATOR_ACTIONS = Table(OperatorAction, "operator_actions", key="id")


class DoneAction(msgspec.Struct, frozen=True):
    """Any act.  `subject` is what it was done to: a key, an order, a payment; None: the service itself."""

    id: str
    action: Action
    subject: str | None
    message_id: str | None
    by: str
    why: str
    at: datetime
    status_before: str | None
    status_after: str | None


class OperatorActions:
    """The acts in one service."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def before(self, at: datetime, action_id: str, limit: int, subject: str | None) -> Sequence[DoneAction]:
        """Acts by time, the newest first: those before this (time, id), on this subject (None: on any)."""
        rows = await self._pool.fetch(_LIST, at, action_id, limit, subject)
        return [DoneAction(*row.values()) for row in rows]
