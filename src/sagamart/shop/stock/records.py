"""The rows that stock owns."""

from datetime import datetime
from typing import Literal

import msgspec

from sagamart.contracts.orders import ShortLine
from sagamart.messaging.records import Entry, Record, Table


class Sku(Record, frozen=True):
    """A sku's quantities in pieces.  `available` = on hand - reserved, never below zero."""

    sku: str
    on_hand: int = 0
    reserved: int = 0

    @property
    def available(self) -> int:
        """Pieces that may still be promised."""
        return self.on_hand - self.reserved

    def change(self, *, on_hand: int = 0, reserved: int = 0) -> "Sku":
        """The next version, with these many pieces more (or fewer).  What is reserved must stay on hand."""
        after = Sku(self.version + 1, self.sku, self.on_hand + on_hand, self.reserved + reserved)
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


MovementKind = Literal["received", "adjusted", "committed", "returned"]


class Movement(Entry, frozen=True):
    """Pieces that came or went: `quantity` is added to what is on hand.  `reference` is the order, or who and why."""

    movement_id: str
    sku: str
    kind: MovementKind
    quantity: int
    reference: str
    at: datetime


SKUS = Table(Sku, "skus", key="sku")
RESERVATIONS = Table(Reservation, "reservations", key="reservation_id")
MOVEMENTS = Table(Movement, "movements", key="movement_id")
