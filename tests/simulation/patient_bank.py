"""The bank on the twin without dice: it does what it is asked at once, and refuses what it is told to refuse."""

from typing import Any

from sagamart.messaging.message import Body
from sagamart.shop.payments.messages import (
    BankCancelAsked,
    BankCaptureAsked,
    BankOpenAsked,
    BankRefundAsked,
    BankStateAsked,
    BankTold,
    StatementAsked,
    StatementRead,
)
from simulation.bank import Deal, SimulatedBank
from simulation.chaos import Chaos


class Refusing(Chaos):
    """No dice: what shall go wrong is said."""

    def __init__(self) -> None:
        super().__init__(0)
        self.refusing: set[str] = set()

    def strikes(self, kind: str) -> bool:
        return kind in self.refusing


class PatientBank(SimulatedBank):
    """Its customers decide when they are asked to, and never by themselves."""

    def _later(self, after_s: float, act: Any) -> None:
        pass

    def confirm(self, deal: Deal) -> None:
        self._take(deal)

    def decline(self, deal: Deal) -> None:
        self._decline(deal.key, "customer_refused")

    def does(self, asked: Any) -> Body:
        """Carry out what payments asks, and tell of it.  Raises BankSilentError where it knows nothing of it."""
        match asked:
            case BankOpenAsked():
                return BankTold(
                    asked.payment_id,
                    "open",
                    self._open(asked.payment_id, asked.kind, asked.amount_minor, asked.currency),
                )
            case BankCaptureAsked():
                key = f"{asked.payment_id}.capture"
                answer = self._once(key, lambda: self._capture(key, asked.bank_id, asked.amount_minor))
                return BankTold(asked.payment_id, "capture", answer)
            case BankRefundAsked():
                key = f"{asked.payment_id}.{asked.refund_id}"
                answer = self._once(key, lambda: self._refund(key, asked.bank_id, asked.amount_minor))
                return BankTold(asked.payment_id, "refund", answer, asked.refund_id)
            case BankCancelAsked():
                return BankTold(asked.payment_id, "cancel", self._cancel(asked.payment_id))
            case BankStateAsked():
                return BankTold(asked.payment_id, "state", self._state(asked.payment_id))
            case StatementAsked():
                entries = tuple(one for one in self.entries if asked.since <= one.at < asked.until)
                return StatementRead(asked, entries, None)
        raise AssertionError(f"the bank is not asked {type(asked).__name__}")
