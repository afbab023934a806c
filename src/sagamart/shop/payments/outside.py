"""The bank as payments sees it: an interface, and the calls that carry out what was decided.

A bank answers, or raises `BankSilentError`: then nothing is known, and the same call is made again under the same key.
"""

from datetime import datetime
from typing import Literal, Protocol

from sagamart.messaging.message import Message
from sagamart.messaging.outside import Outside
from sagamart.shop.payments.messages import (
    Answer,
    BankCancelAsked,
    BankCaptureAsked,
    BankOpenAsked,
    BankRefundAsked,
    BankStateAsked,
    BankTold,
    StatementAsked,
    StatementEntry,
    StatementRead,
)

DEADLINE_S = 10.0
CALLS_MAX = 16


class BankSilentError(Exception):
    """No answer, or none that says what became of the money."""


class Bank(Protocol):
    """A bank.  `key` names an operation for ever: the same call under it has one effect and one answer."""

    async def open(self, key: str, kind: Literal["hold", "charge"], amount_minor: int, currency: str) -> Answer:
        """Hold or charge money, after the customer has confirmed it on the bank's page."""

    async def capture(self, key: str, bank_id: str, amount_minor: int, currency: str) -> Answer:
        """Take what is held."""

    async def refund(self, key: str, bank_id: str, amount_minor: int, currency: str) -> Answer:
        """Give back a part of what was taken."""

    async def cancel(self, key: str) -> Answer:
        """See to it that nothing is held or taken under this key, now or ever."""

    async def state(self, key: str) -> Answer:
        """How the payment opened under this key stands.  A bank that does not find it has not answered."""

    async def statement(
        self, since: datetime, until: datetime, cursor: str | None
    ) -> tuple[tuple[StatementEntry, ...], str | None]:
        """A page of entries from `since` on, before `until`, and where the next page begins (None: nowhere)."""

    async def close(self) -> None:
        """Let go of connections."""


def calls_to(bank: Bank) -> Outside:
    """What payments asks of the bank, carried out."""

    async def open_(message: Message[BankOpenAsked]) -> BankTold:
        asked = message.body
        answer = await bank.open(asked.payment_id, asked.kind, asked.amount_minor, asked.currency)
        return BankTold(asked.payment_id, "open", answer)

    async def capture(message: Message[BankCaptureAsked]) -> BankTold:
        asked = message.body
        key = f"{asked.payment_id}.capture"
        return BankTold(
            asked.payment_id, "capture", await bank.capture(key, asked.bank_id, asked.amount_minor, asked.currency)
        )

    async def refund(message: Message[BankRefundAsked]) -> BankTold:
        asked = message.body
        key = f"{asked.payment_id}.refund.{asked.refund_id}".replace("/", ":")
        answer = await bank.refund(key, asked.bank_id, asked.amount_minor, asked.currency)
        return BankTold(asked.payment_id, "refund", answer, asked.refund_id)

    async def cancel(message: Message[BankCancelAsked]) -> BankTold:
        return BankTold(message.body.payment_id, "cancel", await bank.cancel(message.body.payment_id))

    async def state(message: Message[BankStateAsked]) -> BankTold:
        return BankTold(message.body.payment_id, "state", await bank.state(message.body.payment_id))

    async def statement(message: Message[StatementAsked]) -> StatementRead:
        asked = message.body
        return StatementRead(asked, *await bank.statement(asked.since, asked.until, asked.cursor))

    return Outside(
        name="bank",
        calls={
            BankOpenAsked: open_,
            BankCaptureAsked: capture,
            BankRefundAsked: refund,
            BankCancelAsked: cancel,
            BankStateAsked: state,
            StatementAsked: statement,
        },
        deadline_s=DEADLINE_S,
        concurrency_max=CALLS_MAX,
        close=bank.close,
    )
