"""The rules of stock.  Each takes a message and the records that it asked for, and says what follows.

- An attempt reserves every line or none, once, for ever: a repeated booking gets the earlier answer from its row.
- A release that overtakes its booking leaves a row that refuses the booking when it comes.
- What is reserved is on hand: 0 <= reserved <= on_hand, here and by a constraint of the table.
- Where promised pieces are gone, `missing.py` asks for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, assert_never

import msgspec

from sagamart.contracts.order_requests import BookingRequested, StockCheckRequested
from sagamart.contracts.orders import Line, OrderCancelled, OrderPaid, OrderReturned, ShortLine, attempt_id
from sagamart.contracts.stock import SkuBackInStock, SkuFact, SkuSoldOut, StockBooked, StockChecked, StockRefused
from sagamart.messaging.decision import NOTHING, Decision, Refusal, Reply
from sagamart.messaging.message import Body, Message
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock, StockCommand
from sagamart.shop.stock.missing import seek, without_missing
from sagamart.shop.stock.records import (
    Movement,
    MovementKind,
    Reservation,
    ReservationStatus,
    ReservedLine,
    Sku,
    pieces_of,
)


class StockLevel(msgspec.Struct, frozen=True):
    """What staff see of a sku, in pieces."""

    sku: str
    on_hand: int
    reserved: int
    available: int
    version: int
    missing: int = 0


class BelowReserved(Refusal, frozen=True):
    """An adjustment may not take pieces that orders have been promised."""

    title: ClassVar[str] = "The adjustment takes pieces that are reserved"

    sku: str
    on_hand: int
    reserved: int
    adjustment: int


class MoreThanOnHand(Refusal, frozen=True):
    """An adjustment may not take pieces that are not there, however it is forced: later receipts would vanish."""

    title: ClassVar[str] = "The adjustment takes more pieces than there are"

    sku: str
    on_hand: int
    missing: int
    adjustment: int


def check(message: StockCheckRequested, skus: Mapping[str, Sku]) -> Decision:
    """Say whether every line is there now, and reserve nothing."""
    short = _short(wanted_pieces(message.lines), skus, {})
    if short:
        return Decision(send=[StockRefused(message.order_id, message.attempt, short)])
    return Decision(send=[StockChecked(message.order_id, message.attempt)])


def book(
    message: Message[BookingRequested], reservations: Mapping[str, Reservation], skus: Mapping[str, Sku]
) -> Decision:
    """Reserve every line of this attempt, or none.  What earlier attempts of the order reserved is free for it."""
    body = message.body
    earlier = reservations.get(body.attempt_id)
    if earlier is not None:
        return Decision(send=[_answer(earlier)])  # booked, refused or released before: say so again

    before = [one for one in reservations.values() if one.status == "booked"]
    freed = pieces_of(before)
    wanted = wanted_pieces(body.lines)
    short = _short(wanted, skus, freed)
    if short:
        refused = Reservation(1, body.attempt_id, body.order_id, body.attempt, "refused", short=short)
        return Decision(save=[refused], send=[_answer(refused)])

    # From here the booking must succeed.
    lines = tuple(ReservedLine(sku, quantity) for sku, quantity in wanted.items())
    booked = Reservation(1, body.attempt_id, body.order_id, body.attempt, "booked", lines)
    changes = {sku: wanted.get(sku, 0) - freed.get(sku, 0) for sku in {**wanted, **freed}}
    changed, gone = without_missing(message, [skus[sku].change(reserved=by) for sku, by in changes.items() if by])
    released = [_ended(one, "released") for one in before]
    told: list[Body] = [_answer(booked), *_turns(skus, changed)]
    if before:  # a first booking gets nothing of what is missing
        after = {**skus, **{one.sku: one for one in changed}}
        told += seek(after[sku] for sku in wanted)
    return Decision(save=[booked, *released, *changed, *gone], send=told)


def commit(message: Message[OrderPaid], reservation: Reservation | None, skus: Mapping[str, Sku]) -> Decision:
    """The order is paid: its pieces leave the stock.  It cannot be refused.

    A release that has come before it was that of an order cancelled after it was paid: the pieces stay here.
    """
    if reservation is None:
        if wanted_pieces(message.body.lines):
            raise AssertionError(f"{message.body.attempt_id} was paid without a booking")
        return NOTHING  # custom lines only: nothing was to be booked
    match reservation.status:
        case "committed" | "released" | "restocked":
            return NOTHING
        case "booked":
            gone = [
                skus[line.sku].change(on_hand=-line.quantity, reserved=-line.quantity) for line in reservation.lines
            ]
            left = [_left(message, reservation, line) for line in reservation.lines]
            return Decision(save=[_ended(reservation, "committed"), *gone, *left], send=seek(gone))
        case "refused":
            raise AssertionError(f"{reservation.reservation_id} was paid without a booking: it is {reservation.status}")
        case _:
            assert_never(reservation.status)


def release(
    message: Message[OrderCancelled], reservations: Mapping[str, Reservation], skus: Mapping[str, Sku]
) -> Decision:
    """Give back what any attempt of this order reserved or took; refuse in advance a booking that has not come yet."""
    body = message.body
    if body.attempt == 1 and not wanted_pieces(body.lines):
        return NOTHING  # custom lines only: no booking comes
    tombstones = [
        Reservation(1, name, body.order_id, attempt, "released")
        for attempt in range(1, body.attempt + 1)
        if (name := attempt_id(body.order_id, attempt)) not in reservations
    ]
    booked = [one for one in reservations.values() if one.status == "booked"]
    taken = [one for one in reservations.values() if one.status == "committed"]
    reserved, on_hand = pieces_of(booked), pieces_of(taken)
    back = [
        skus[sku].change(on_hand=on_hand.get(sku, 0), reserved=-reserved.get(sku, 0)) for sku in {**reserved, **on_hand}
    ]
    ends = [*(_ended(one, "released") for one in booked), *(_ended(one, "restocked") for one in taken)]
    movements = [_restocked(message, one.reservation_id, line) for one in taken for line in one.lines]
    back, gone = without_missing(message, back)
    return Decision(save=[*tombstones, *ends, *back, *movements, *gone], send=_turns(skus, back))


def take_back(message: Message[OrderReturned], reservation: Reservation | None, skus: Mapping[str, Sku]) -> Decision:
    """Pieces of a completed order are here again.  Where OrderPaid was overtaken, its pieces leave first."""
    body = message.body
    pieces = returned_pieces(body)
    if not pieces:
        return NOTHING
    if reservation is None or reservation.status not in {"booked", "committed"}:
        raise AssertionError(f"{body.attempt_id} comes back, but never left")
    lines = [ReservedLine(sku, quantity) for sku, quantity in pieces.items()]
    movements = [_restocked(message, body.return_id, line) for line in lines]
    if reservation.status == "committed":
        here = [skus[line.sku].change(on_hand=line.quantity) for line in lines]
        back, missing = without_missing(message, here)
        return Decision(save=[*back, *movements, *missing], send=_turns(skus, back))
    gone = pieces_of([reservation])
    here = [skus[sku].change(on_hand=pieces.get(sku, 0) - taken, reserved=-taken) for sku, taken in gone.items()]
    back, missing = without_missing(message, here)
    left = [_left(message, reservation, line) for line in reservation.lines]
    ended = _ended(reservation, "committed")
    return Decision(save=[ended, *back, *left, *movements, *missing], send=[*_turns(skus, back), *seek(back)])


def receive(message: Message[ReceiveStock], sku: Sku | None) -> Decision:
    """Pieces have arrived.  A sku begins to exist with its first pieces."""
    return _moved(message, "received", sku, message.body.by)


def adjust(message: Message[AdjustStock], sku: Sku | None) -> Decision:
    """The count was wrong.  What is reserved stays covered, or (by force) the newest orders are asked to let go."""
    body = message.body
    known = sku or Sku(0, body.sku)
    there = known.on_hand - known.missing
    if body.quantity >= 0 or there - known.reserved + body.quantity >= 0:
        return _moved(message, "adjusted", sku, f"{body.by}: {body.reason}")
    if there + body.quantity < 0:
        return Decision(reply=MoreThanOnHand(body.sku, known.on_hand, known.missing, body.quantity))
    if not body.force:
        return Decision(reply=BelowReserved(body.sku, known.on_hand, known.reserved, body.quantity))

    # From here promised pieces are missing, until orders let go of them or others come.
    taken = known.on_hand - known.reserved
    after = known.change(on_hand=-taken, missing=-body.quantity - taken)
    movement = Movement(message.id, body.sku, "adjusted", -taken, f"{body.by}: {body.reason}", message.at)
    return Decision(save=[after, movement], send=[*_turn(sku, after), *seek([after])], reply=Reply(200, level(after)))


def level(sku: Sku) -> StockLevel:
    """A sku as staff see it."""
    return StockLevel(sku.sku, sku.on_hand, sku.reserved, sku.available, sku.version, sku.missing)


def wanted_pieces(lines: Iterable[Line]) -> dict[str, int]:
    """Pieces per sku; custom lines need none, and two lines of one sku are one wish."""
    wanted: dict[str, int] = {}
    for line in lines:
        if line.sku is not None:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    return wanted


def returned_pieces(message: OrderReturned) -> dict[str, int]:
    """Pieces per sku that come back."""
    lines = [(message.lines[one.line].sku, one.quantity) for one in message.returned]
    pieces: dict[str, int] = {}
    for sku, quantity in lines:
        if sku is not None:
            pieces[sku] = pieces.get(sku, 0) + quantity
    return pieces


def attempt_ids(message: BookingRequested | OrderCancelled) -> list[str]:
    """All attempts that an order has made so far."""
    return [attempt_id(message.order_id, attempt) for attempt in range(1, message.attempt + 1)]


def _answer(reservation: Reservation) -> StockBooked | StockRefused:
    match reservation.status:
        case "booked" | "committed" | "restocked":
            return StockBooked(reservation.order_id, reservation.attempt)
        case "refused" | "released":
            return StockRefused(reservation.order_id, reservation.attempt, reservation.short)
        case _:
            assert_never(reservation.status)


def _ended(reservation: Reservation, status: ReservationStatus) -> Reservation:
    return msgspec.structs.replace(reservation, version=reservation.version + 1, status=status)


def _short(wanted: Mapping[str, int], skus: Mapping[str, Sku], freed: Mapping[str, int]) -> tuple[ShortLine, ...]:
    return tuple(
        ShortLine(sku, quantity, free)
        for sku, quantity in wanted.items()
        if (free := (skus[sku].available if sku in skus else 0) + freed.get(sku, 0)) < quantity
    )


def _moved(message: Message[StockCommand], kind: MovementKind, sku: Sku | None, reference: str) -> Decision:
    body = message.body
    (after,), gone = without_missing(message, [(sku or Sku(0, body.sku)).change(on_hand=body.quantity)])
    movement = Movement(message.id, body.sku, kind, body.quantity, reference, message.at)
    return Decision(save=[after, movement, *gone], send=_turn(sku, after), reply=Reply(200, level(after)))


def _left(message: Message[Body], reservation: Reservation, line: ReservedLine) -> Movement:
    name = f"{reservation.reservation_id}/{line.sku}"
    return Movement(name, line.sku, "committed", -line.quantity, reservation.order_id, message.at)


def _restocked(message: Message[Body], cause: str, line: ReservedLine) -> Movement:
    name = f"{cause}/{line.sku}/back"
    return Movement(name, line.sku, "returned", line.quantity, message.key, message.at)


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
