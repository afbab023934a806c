"""The bank on the twin without dice: it does what it is asked at once, and refuses what it is told to refuse."""

from typing import Any

from one_service import message
from sagamart.messaging.message import Body
from sagamart.shop.payments.messages import Answer
from sagamart.shop.payments.outside import calls_to
from simulation.bank import Act, Deal, SimulatedBank
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

    async def _call(self, act: Act) -> Answer:
        return act()

    async def _travel(self) -> None:
        pass

    def does(self, asked: Body) -> Body:
        """Carry out what payments asks, by its own calls.  Raises BankSilentError where it knows nothing of it."""

        async def answered() -> Body | None:
            return await calls_to(self).calls[type(asked)](message(asked))

        try:
            answered().send(None)  # it waits for nothing, so it ends at once
        except StopIteration as ended:
            told: Body = ended.value
            return told
        raise AssertionError("a patient bank waits for nothing")
