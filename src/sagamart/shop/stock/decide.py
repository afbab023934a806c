"""The rules of stock.  Each takes a message and the records that it asked for, and says what follows.

- An attempt reserves every line or none, once, for ever: a repeated booking gets the earlier answer from its row.
- A release that overtakes its booking leaves a row that refuses the booking when it comes.
- What is reserved is on hand: 0 <= reserved <= on_hand, here and by a constraint of the table.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, assert_never

import msgspec

from sagamart.contracts.order_requests import BookingRequested
from sagamart.contracts.orders import Line, OrderCancelled, OrderPaid, ShortLine, attempt_id
from sagamart.contracts.stock import SkuBackInStock, SkuFact, SkuSoldOut, StockBooked, StockRefused
from sagamart.messaging.decision import NOTHING, Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock, StockCommand
from sagamart.shop.stock.records import Movement, MovementKind, Reservation, ReservationStatus, ReservedLine, Sku


class StockLevel(msgspec.Struct, frozen=True):
    """What staff see of a sku, in pieces."""

    sku: str
    on_hand: int
    reserved: int
    available: int
    version: int


class BelowReserved(Refusal, frozen=True):
    """An adjustment may not take pieces that orders have been promised."""

    title: ClassVar[str] = "The adjustment takes pieces that are reserved"

    sku: str
    on_hand: int
    reserved: int
    adjustment: int


def book(message: BookingRequested, reservation: Reservation | None, skus: Mapping[str, Sku]) -> Decision:
    """Reserve every line of this attempt, or none."""
    if reservation is not None:
        return Decision(send=[_answer(reservation)])  # booked, refused or released before: say so again

    wanted = wanted_pieces(message.lines)
    short = tuple(
        ShortLine(sku, quantity, free) for sku, quantity in wanted.items() if (free := _free(skus, sku)) < quantity
    )
    if short:
        refused = Reservation(1, message.attempt_id, message.order_id, message.attempt, "refused", short=short)
        return Decision(save=[refused], send=[_answer(refused)])

    # From here the booking must succeed.
    lines = tuple(ReservedLine(sku, quantity) for sku, quantity in wanted.items())
    booked = Reservation(1, message.attempt_id, message.order_id, message.attempt, "booked", lines)
    changed = [skus[line.sku].change(reserved=line.quantity) for line in lines]
    return Decision(save=[booked, *changed], send=[_answer(booked), *_turns(skus, changed)])


def commit(message: Message[OrderPaid], reservation: Reservation | None, skus: Mapping[str, Sku]) -> Decision:
    """The order is paid: its pieces leave the stock.  It cannot be refused."""
    if reservation is None:
        if wanted_pieces(message.body.lines):
            raise AssertionError(f"{message.body.attempt_id} was paid without a booking")
        return NOTHING  # custom lines only: nothing was to be booked
    match reservation.status:
        case "committed":
            return NOTHING
        case "booked":
            gone = [
                skus[line.sku].change(on_hand=-line.quantity, reserved=-line.quantity) for line in reservation.lines
            ]
            movements = [_committed(message, reservation, line) for line in reservation.lines]
            return Decision(save=[_ended(reservation, "committed"), *gone, *movements])
        case "refused" | "released":
            raise AssertionError(f"{reservation.reservation_id} was paid without a booking: it is {reservation.status}")
        case _:
            assert_never(reservation.status)


def release(message: OrderCancelled, reservations: Mapping[str, Reservation], skus: Mapping[str, Sku]) -> Decision:
    """Give back what any attempt of this order reserved; refuse in advance the booking that has not come yet."""
    if not wanted_pieces(message.lines):
        return NOTHING  # custom lines only: no booking comes
    saved: list[Reservation] = []
    freed: dict[str, int] = {}
    for attempt in range(1, message.attempt + 1):
        name = attempt_id(message.order_id, attempt)
        reservation = reservations.get(name)
        if reservation is None:
            saved.append(Reservation(1, name, message.order_id, attempt, "released"))
        elif reservation.status == "booked":
            saved.append(_ended(reservation, "released"))
            for line in reservation.lines:
                freed[line.sku] = freed.get(line.sku, 0) + line.quantity
        elif reservation.status == "committed":
            raise AssertionError(f"{name} is cancelled, but its pieces have left the stock")
    back = [skus[sku].change(reserved=-quantity) for sku, quantity in freed.items()]
    return Decision(save=[*saved, *back], send=_turns(skus, back))


def receive(message: Message[ReceiveStock], sku: Sku | None) -> Decision:
    """Pieces have arrived.  A sku begins to exist with its first pieces."""
    return _moved(message, "received", sku, message.body.by)


def adjust(message: Message[AdjustStock], sku: Sku | None) -> Decision:
    """The count was wrong.  What is reserved stays covered."""
    body = message.body
    on_hand, reserved = (sku.on_hand, sku.reserved) if sku is not None else (0, 0)
    if on_hand + body.quantity < reserved:
        return Decision(reply=BelowReserved(body.sku, on_hand, reserved, body.quantity))
    return _moved(message, "adjusted", sku, f"{body.by}: {body.reason}")


def level(sku: Sku) -> StockLevel:
    """A sku as staff see it."""
    return StockLevel(sku.sku, sku.on_hand, sku.reserved, sku.available, sku.version)


def wanted_pieces(lines: Iterable[Line]) -> dict[str, int]:
    """Pieces per sku; custom lines need none, and two lines of one sku are one wish."""
    wanted: dict[str, int] = {}
    for line in lines:
        if line.sku is not None:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    return wanted


def attempt_ids(message: OrderCancelled) -> list[str]:
    """All attempts that a cancelled order has made so far."""
    return [attempt_id(message.order_id, attempt) for attempt in range(1, message.attempt + 1)]


def _answer(reservation: Reservation) -> StockBooked | StockRefused:
    match reservation.status:
        case "booked" | "committed":
            return StockBooked(reservation.order_id, reservation.attempt)
        case "refused" | "released":
            return StockRefused(reservation.order_id, reservation.attempt, reservation.short)
        case _:
            assert_never(reservation.status)


def _ended(reservation: Reservation, status: ReservationStatus) -> Reservation:
    return msgspec.structs.replace(reservation, version=reservation.version + 1, status=status)


def _free(skus: Mapping[str, Sku], sku: str) -> int:
    return skus[sku].available if sku in skus else 0


def _moved(message: Message[StockCommand], kind: MovementKind, sku: Sku | None, reference: str) -> Decision:
    body = message.body
    after = (sku or Sku(0, body.sku)).change(on_hand=body.quantity)
    movement = Movement(message.id, body.sku, kind, body.quantity, reference, message.at)
    return Decision(save=[after, movement], send=_turn(sku, after), reply=Reply(200, level(after)))


def _committed(message: Message[OrderPaid], reservation: Reservation, line: ReservedLine) -> Movement:
    name = f"{reservation.reservation_id}/{line.sku}"
    return Movement(name, line.sku, "committed", -line.quantity, reservation.order_id, message.at)


def _turns(before: Mapping[str, Sku], after: Iterable[Sku]) -> list[SkuFact]:
    return [fact for sku in after for fact in _turn(before.get(sku.sku), sku)]


def _turn(before: Sku | None, after: Sku) -> Sequence[SkuFact]:
    """Tell when a sku reaches or leaves zero: orders refuses what is known to be sold out."""
    had = before.available if before is not None else 0
    if had > 0 and after.available == 0:
        return [SkuSoldOut(after.sku, after.version)]
    if had == 0 and after.available > 0:
        return [SkuBackInStock(after.sku, after.version)]
    return ()
