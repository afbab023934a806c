"""Stock alone: its worker over its own real database, the other services played by the test."""

import pytest

from bank_at_work import until
from sagamart.contracts.order_requests import BookingRequested
from sagamart.contracts.orders import Line, OrderCancelled, OrderPaid, ShortLine
from sagamart.contracts.stock import ReservationRevoked, SkuBackInStock, SkuSoldOut, StockBooked, StockRefused
from sagamart.platform.http import Caller
from sagamart.shop.stock import outside
from sagamart.shop.stock.api import ROUTES
from sagamart.shop.stock.service import STOCK
from shop_fixtures import RunningService, Started

KEEPER = Caller("usr_keeper", frozenset({"STOCK_OPERATOR"}))
CUPS = Line("CUP", "Blue cup", 2, 45_000)
ONE_CUP = Line("CUP", "Blue cup", 1, 45_000)


def booking(order_id: str, line: Line = CUPS) -> BookingRequested:
    return BookingRequested(order_id, 2, "booking_pending", "cus_1", 1, (line,), 90_000, "RUB")


def paid(order_id: str) -> OrderPaid:
    return OrderPaid(order_id, 5, "paid", "cus_1", 1, (CUPS,), 90_000, "RUB")


def cancelled(order_id: str) -> OrderCancelled:
    return OrderCancelled(order_id, 4, "cancelled", "cus_1", 1, (CUPS,), 90_000, "RUB", "cancelled_by_customer")


async def levels(stock: RunningService) -> list[tuple[object, ...]]:
    return await stock.rows("select sku, on_hand, reserved from skus order by sku")


async def has_told(stock: RunningService, messages: int) -> None:
    async def so_many() -> bool:
        return len(stock.sent) >= messages

    await until(so_many)


@pytest.fixture
async def stock(started: Started) -> RunningService:
    """A stock that has five cups."""
    service = await started(STOCK, ROUTES)
    response = await service.post("/v1/stock/CUP/receipts", {"quantity": 5}, caller=KEEPER)
    assert response.status_code == 200
    service.sent.clear()
    return service


async def test_booked_pieces_leave_the_stock_when_the_order_is_paid(stock: RunningService) -> None:
    await stock.hears(booking("ord_1"))
    await stock.hears(paid("ord_1"))

    assert stock.sent == [StockBooked("ord_1", 1)]
    assert await levels(stock) == [("CUP", 3, 0)]
    assert await stock.rows("select sum(quantity)::bigint from movements") == [(3,)]


async def test_orders_of_one_batch_share_what_is_available(stock: RunningService) -> None:
    await stock.hears(*(booking(f"ord_{number}") for number in range(3)))

    assert stock.sent == [
        StockBooked("ord_0", 1),
        StockBooked("ord_1", 1),
        StockRefused("ord_2", 1, (ShortLine("CUP", 2, 1),)),
    ]
    assert await levels(stock) == [("CUP", 5, 4)]


async def test_the_last_units_go_to_as_many_buyers(stock: RunningService) -> None:
    await stock.hears(*(booking(f"ord_{number}", ONE_CUP) for number in range(100)))

    assert [type(sent) for sent in stock.sent].count(StockBooked) == 5
    assert [type(sent) for sent in stock.sent].count(StockRefused) == 95
    assert [type(sent) for sent in stock.sent].count(SkuSoldOut) == 1
    assert await levels(stock) == [("CUP", 5, 5)]


async def test_a_release_that_overtakes_its_booking_refuses_it(stock: RunningService) -> None:
    await stock.hears(cancelled("ord_1"))
    await stock.hears(booking("ord_1"))

    assert stock.sent == [StockRefused("ord_1", 1)]
    assert await levels(stock) == [("CUP", 5, 0)]


async def test_a_booking_and_its_release_in_one_batch_leave_the_pieces_free(stock: RunningService) -> None:
    await stock.hears(booking("ord_1", Line("CUP", "Blue cup", 5, 45_000)), cancelled("ord_1"))

    assert stock.sent[0] == StockBooked("ord_1", 1)
    assert isinstance(stock.sent[-1], SkuBackInStock)
    assert await levels(stock) == [("CUP", 5, 0)]


async def test_missing_pieces_are_asked_of_the_newest_orders_page_by_page_and_of_the_next_where_one_keeps_them(
    stock: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "PAGE_MAX", 1)
    stock.reaches(outside.seeking(stock.queries))
    await stock.hears(*(booking(f"ord_{number}", ONE_CUP) for number in range(5)))
    stock.sent.clear()

    body = {"quantity": -2, "reason": "stolen", "force": True}
    await stock.post("/v1/stock/CUP/adjustments", body, caller=KEEPER, key="stolen")
    await has_told(stock, 2)
    await stock.hears(paid("ord_4"))
    await has_told(stock, 4)

    assert stock.sent == [ReservationRevoked(f"ord_{number}", 1) for number in (4, 3, 3, 2)]
