"""Pieces that are gone although orders were promised them: who is asked to let go, and how they leave.

- The newest orders are asked first, just as many as are missing.  Stock does not know who has paid: an order that has
  keeps its pieces, takes them with it, and then the next newest is asked.
- To be asked again changes nothing, so nobody notes who was: each time the newest that still have pieces are.
- An order that is changed meanwhile books them anew, in a later attempt, and is asked again for that one.
- Whatever comes free settles what is missing before anything of that sku may be promised again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from sagamart.contracts.stock import ReservationRevoked
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Body, Message
from sagamart.shop.stock.messages import ReservationsFound, ReservationsSought
from sagamart.shop.stock.records import Movement, Reservation, Sku, pieces_of


def seek(skus: Iterable[Sku]) -> Sequence[ReservationsSought]:
    """Look for orders to be asked, where pieces are missing that orders still have."""
    return [ReservationsSought(one.sku, one.missing) for one in skus if one.missing and one.reserved]


def revoke(found: ReservationsFound, sku: Sku, reservations: Mapping[str, Reservation]) -> Decision:
    """Ask the first of these that together have what is missing; go on with older ones where they have less.

    What was settled since they were looked for is asked of nobody.
    """
    left = min(found.pieces, sku.missing)
    told: list[Body] = []
    for name in found.reservations:
        one = reservations.get(name)
        if left > 0 and one is not None and one.status == "booked":
            told.append(ReservationRevoked(one.order_id, one.attempt))
            left -= pieces_of([one]).get(found.sku, 0)
    if left > 0 and found.before is not None:
        told.append(ReservationsSought(found.sku, left, found.before))
    return Decision(send=told)


def without_missing(message: Message[Any], skus: Iterable[Sku]) -> tuple[list[Sku], list[Movement]]:
    """These skus after what is missing of them has left what is free of them, and the movements of that."""
    after, movements = [], []
    for sku in skus:
        gone = min(sku.missing, sku.on_hand - sku.reserved)
        if gone:
            after.append(replace(sku, on_hand=sku.on_hand - gone, missing=sku.missing - gone))
            name = f"{message.id}/{sku.sku}/missing"
            movements.append(Movement(name, sku.sku, "missing", -gone, message.key, message.at))
        else:
            after.append(sku)
    return after, movements
