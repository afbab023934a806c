"""The rows that stock owns."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from sagamart.contracts.orders import ShortLine
from sagamart.messaging.records import Entry, Record, Table


class Sku(Record, frozen=True):
    """A sku's quantities in pieces.  `available` = on hand - reserved - missing, never below zero.

    `missing` pieces are gone, but were promised to orders: when pieces come free, that many leave what is on hand.
    """

    sku: str
    on_hand: int = 0
    reserved: int = 0
    missing: int = 0

    @property
    def available(self) -> int:
        """Pieces that may still be promised."""
        return max(self.on_hand - self.reserved - self.missing, 0)

    def change(self, *, on_hand: int = 0, reserved: int = 0, missing: int = 0) -> "Sku":
        """The next version, with these many pieces more (or fewer).  What is reserved must stay on hand."""
        pieces = (self.on_hand + on_hand, self.reserved + reserved, self.missing + missing)
        after = Sku(self.version + 1, self.sku, *pieces)
        if not 0 <= after.reserved <= after.on_hand:
            raise AssertionError(f"{self.sku}: {after.reserved} reserved of {after.on_hand} on hand")
        return after


class ReservedLine(msgspec.Struct, frozen=True):
    """So many pieces of a sku."""

    sku: str
    quantity: int


ReservationStatus = Literal["booked", "refused", "released", "committed", "restocked"]


class Reservation(Record, frozen=True):
    """What one attempt of one order reserved, or why it did not.

    A release that came first is a row too: a tombstone without lines.  `restocked`: cancelled after it was paid.
    """

    reservation_id: str
    order_id: str
    attempt: int
    status: ReservationStatus
    lines: tuple[ReservedLine, ...] = ()
    short: tuple[ShortLine, ...] = ()


def pieces_of(reservations: Iterable[Reservation]) -> dict[str, int]:
    """Pieces per sku of all these."""
    pieces: dict[str, int] = {}
    for reservation in reservations:
        for line in reservation.lines:
            pieces[line.sku] = pieces.get(line.sku, 0) + line.quantity
    return pieces


MovementKind = Literal["received", "adjusted", "committed", "returned", "missing"]


class Movement(Entry, frozen=True):
    """Pieces that came or went: `quantity` is added to what is on hand.  `reference` is the order, or who and why."""

    movement_id: str
    sku: str
    kind: MovementKind
    quantity: int
    reference: str
    at: datetime


SKUS = Table(Sku, "skus", key="sku")
RESERVATIONS = Table(Reservation, "reservations", key="reservation_id").changing_seldom(
    "order_id", "attempt", "lines", "short"
)
MOVEMENTS = Table(Movement, "movements", key="movement_id")
