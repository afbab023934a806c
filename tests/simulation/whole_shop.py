"""All services in memory, without transport, faults or time of its own: what one says the others hear, in any order.

Nothing is under way between two wishes: what a wish leads to has been said and heard when it returns.  The bank answers
at once, refuses what it is told to refuse, and lets its customers take their time.
"""

import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from one_service import AT, OneService
from sagamart.messaging.decision import Arm, Decision
from sagamart.messaging.message import Body
from sagamart.messaging.records import Record
from sagamart.messaging.requests import stored
from sagamart.messaging.service import Service
from sagamart.shop.payments.messages import BankNotified
from simulation.evidence import Evidence
from simulation.patient_bank import PatientBank, Refusing
from simulation.people import RECONCILE, Asked


class WholeShop:
    """Services, who hears what, and a clock that moves by what is done."""

    def __init__(self, services: tuple[Service, ...]) -> None:
        self.services = {service.name: OneService(service) for service in services}
        self.asked: dict[str, Asked] = {}
        self.now = AT
        self.dice = Refusing()
        self.random = random.Random(0)  # noqa: S311  the order of messages, no secret
        self.bank = PatientBank(self.dice, lambda: self.now)
        self.bank.tell = lambda key, version: self._queue.append(("payments", BankNotified(key, version)))
        self.timers: dict[tuple[str, str, str], tuple[datetime, Body]] = {}
        self._queue: list[tuple[str, Body]] = []
        self._consumers: dict[str, list[str]] = defaultdict(list)
        for service in services:
            for kind in sorted(service.consumes):
                self._consumers[kind].append(service.name)

    def says(self, service: str, body: Body) -> Decision:
        """Somebody wishes something; all that follows has happened when this returns."""
        self.now += timedelta(seconds=1)
        decision = self._hears(service, body)
        if decision.reply is not None:
            self.asked[str(len(self.asked))] = Asked(service, body, [stored(decision.reply)])
        self.settle()
        return decision

    def settle(self) -> None:
        """Bring everything to whoever hears it, in any order."""
        while self._queue:
            self._hears(*self._queue.pop(self.random.randrange(len(self._queue))))

    def let_time_pass(self) -> None:
        """Fire the timer that is due first."""
        standing = {place: due for place, due in self.timers.items() if place[2] != RECONCILE}
        if standing:
            place = min(standing, key=lambda one: (standing[one][0], one))
            due, body = self.timers.pop(place)
            self.now = max(self.now, due)
            self._hears(place[0], body)
            self.settle()

    def rows(self, service: str, kind: type[Any]) -> dict[str, Any]:
        """All rows of a kind, by key."""
        found = self.services[service]
        if issubclass(kind, Record):
            return found.records(kind)
        key = next(table.key for table in found.service.tables if table.record is kind)
        return {getattr(row, key): row for row in found.entries(kind)}

    def _hears(self, name: str, body: Body) -> Decision:
        service = self.services[name]
        service.now = self.now
        sent = len(service.sent)
        decision = service.hears(body)
        for said in service.sent[sent:]:
            if type(said).__name__ in service.service.outside:
                self._queue.append((name, self.bank.does(said)))
            else:
                self._queue += [(consumer, said) for consumer in self._consumers[type(said).__name__]]
        for one in decision.timers:
            if isinstance(one, Arm):
                self.timers[name, one.body.key, one.name] = (self.now + timedelta(seconds=one.after_s), one.body)
            else:
                self.timers.pop((name, body.key, one.name), None)
        return decision


class Books(Evidence):
    """The evidence of a shop in memory."""

    shop: WholeShop

    def rows(self, service: str, kind: type[Any]) -> dict[str, Any]:
        return self.shop.rows(service, kind)


def books_of(shop: WholeShop) -> Books:
    """What the rules about money look at."""
    return Books({}, shop.asked, {}, {}, shop.bank, shop)
