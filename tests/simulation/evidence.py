"""All that the rules of the audit look at: the rows of a shop that has come to rest, and what went in and out."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from sagamart.messaging.memory_store import Store
from sagamart.messaging.message import Body
from sagamart.shop.orders.records import Order
from simulation.bank import SimulatedBank
from simulation.people import Asked

Findings = Iterator[str]


class Evidence(msgspec.Struct):
    """What is left of a run."""

    stores: Mapping[str, Store]
    asked: Mapping[str, Asked]
    emitted: Mapping[str, str]
    consumers: Mapping[str, list[str]]
    bank: SimulatedBank

    def rows(self, service: str, kind: type[Any]) -> dict[str, Any]:
        """All rows of a kind, by key."""
        return self.stores[service].rows[kind]

    @property
    def orders(self) -> dict[str, Order]:
        """All orders."""
        return self.rows("orders", Order)

    def granted(self, kind: type[Body]) -> Iterator[Any]:
        """What was asked and done, of this kind."""
        return (asked.body for asked in self.asked.values() if isinstance(asked.body, kind) and asked.granted)


def returned_pieces(order: Order) -> dict[int, int]:
    """Pieces by line that are back."""
    back: dict[int, int] = {}
    for one in order.returns:
        for line in one.lines if one.arrival in order.known else ():
            back[line.line] = back.get(line.line, 0) + line.quantity
    return back


def was_completed(order: Order) -> bool:
    """Whether its customer had everything, even if goods came back."""
    return is_paid(order) and (not order.needs_shipment or order.shipment("delivered"))


def is_paid(order: Order) -> bool:
    """Whether its money was taken for good, even if goods came back."""
    return order.status in {"paid", "shipping_pending", "completed", "returned"}
