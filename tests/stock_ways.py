"""What orders and staff say to stock, on literals, and what stock looks like then."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from one_service import OneService, message
from sagamart.contracts.order_requests import BookingRequested, StockCheckRequested
from sagamart.contracts.orders import Line, OrderCancelled, OrderPaid, OrderReturned, ReturnedLine
from sagamart.messaging.decision import Decision
from sagamart.messaging.outside import Outside
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock, ReservationsSought
from sagamart.shop.stock.outside import seeking
from sagamart.shop.stock.records import Reservation, Sku
from sagamart.shop.stock.service import STOCK

CUPS = Line("CUP", "Blue cup", 2, 45_000)
PLATES = Line("PLATE", "White plate", 3, 70_000)
GIFT_WRAP = Line(None, "Gift wrap", 1, 10_000)


def booking(*lines: Line, order_id: str = "ord_1", attempt: int = 1) -> BookingRequested:
    return BookingRequested(order_id, 2, "booking_pending", "cus_1", attempt, lines, 300_000, "RUB")


def paid(*lines: Line, order_id: str = "ord_1", attempt: int = 1) -> OrderPaid:
    return OrderPaid(order_id, 5, "paid", "cus_1", attempt, lines, 300_000, "RUB")


def cancelled(*lines: Line, order_id: str = "ord_1", attempt: int = 1) -> OrderCancelled:
    return OrderCancelled(order_id, 4, "cancelled", "cus_1", attempt, lines, 300_000, "RUB", "cancelled_by_customer")


def stock(**on_hand: int) -> OneService:
    """A stock that has received these pieces."""
    service = OneService(STOCK)
    service.hears(*(ReceiveStock(sku, quantity, "usr_keeper") for sku, quantity in on_hand.items()))
    service.sent.clear()
    return service


def stolen(pieces: int) -> AdjustStock:
    return AdjustStock("CUP", -pieces, "usr_keeper", "stolen", force=True)


class Promised:
    """The queries of a stock in memory: who has been promised pieces, the newest order first."""

    def __init__(self, reservations: Callable[[], Iterable[Reservation]]) -> None:
        self._reservations = reservations

    async def newest_reservations_of(self, sku: str, before: str | None, limit: int) -> list[dict[str, str]]:
        booked = [
            one
            for one in self._reservations()
            if one.status == "booked" and any(line.sku == sku for line in one.lines)
            if before is None or one.order_id < before
        ]
        newest = sorted(booked, key=lambda one: one.order_id, reverse=True)[:limit]
        return [{"reservation_id": one.reservation_id, "order_id": one.order_id} for one in newest]


def looking_in(reservations: Callable[[], Iterable[Reservation]]) -> Outside:
    """Stock's own adapter, over rows in memory."""
    return seeking(cast("Any", Promised(reservations)))


async def looked(service: OneService) -> Decision:
    """Who has what is missing has been looked for, as stock has just asked."""
    sought = next(sent for sent in reversed(service.sent) if isinstance(sent, ReservationsSought))
    seek = looking_in(lambda: service.records(Reservation).values()).calls[ReservationsSought]
    found = await seek(message(sought))
    assert found is not None
    return service.hears(found)


def check(*lines: Line) -> StockCheckRequested:
    return StockCheckRequested("ord_1", 1, "new", "cus_1", 1, lines, 300_000, "RUB")


def returned(*lines: ReturnedLine) -> OrderReturned:
    ordered = (CUPS, GIFT_WRAP)
    return OrderReturned("ord_1", 6, "completed", "cus_1", 1, ordered, 100_000, "RUB", "ret_1", lines, 45_000)


def statuses(service: OneService) -> dict[str, str]:
    return {key: row.status for key, row in service.records(Reservation).items()}


def levels(service: OneService) -> dict[str, tuple[int, int]]:
    """On hand and reserved of each sku."""
    return {sku: (row.on_hand, row.reserved) for sku, row in service.records(Sku).items()}
