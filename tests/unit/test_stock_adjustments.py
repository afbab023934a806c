"""Staff correct the count of stock, and what orders were promised has to give way."""

from sagamart.contracts.orders import Line, ReturnedLine
from sagamart.contracts.stock import (
    ReservationRevoked,
    SkuBackInStock,
    SkuSoldOut,
)
from sagamart.messaging.decision import Reply
from sagamart.shop.stock.decide import BelowReserved, StockLevel
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock
from sagamart.shop.stock.records import Sku
from stock_ways import CUPS, booking, cancelled, levels, paid, returned, stock


def test_an_adjustment_may_take_all_that_is_not_reserved() -> None:
    service = stock(CUP=5)
    service.hears(booking(CUPS))

    decision = service.hears(AdjustStock("CUP", -3, "usr_keeper", "broken"))

    assert decision.reply == Reply(200, StockLevel("CUP", 2, 2, 0, 3))
    assert decision.send == [SkuSoldOut("CUP", 3)]


def test_an_adjustment_below_what_is_reserved_is_refused() -> None:
    service = stock(CUP=5)
    service.hears(booking(CUPS))

    decision = service.hears(AdjustStock("CUP", -4, "usr_keeper", "stolen"))

    assert decision.reply == BelowReserved("CUP", on_hand=5, reserved=2, adjustment=-4)
    assert levels(service) == {"CUP": (5, 2)}


def test_nothing_can_be_taken_of_what_was_never_there() -> None:
    service = stock()

    decision = service.hears(AdjustStock("CUP", -1, "usr_keeper", "typing error"))

    assert decision.reply == BelowReserved("CUP", on_hand=0, reserved=0, adjustment=-1)
    assert levels(service) == {}


def test_a_forced_adjustment_asks_the_newest_orders_to_let_go_of_just_enough() -> None:
    service = stock(CUP=6)
    service.hears(*(booking(CUPS, order_id=f"ord_{number}") for number in (1, 2, 3)))

    newest = ("ord_3/1", "ord_2/1", "ord_1/1")
    decision = service.hears(AdjustStock("CUP", -3, "usr_keeper", "stolen", newest))

    assert decision.send == [ReservationRevoked("ord_3", 1), ReservationRevoked("ord_2", 1)]
    assert decision.reply == Reply(200, StockLevel("CUP", 6, 6, 0, 5, missing=3))


def test_missing_pieces_leave_as_soon_as_orders_let_go_and_only_the_rest_is_free() -> None:
    service = stock(CUP=6)
    service.hears(*(booking(CUPS, order_id=f"ord_{number}") for number in (1, 2, 3)))
    service.hears(AdjustStock("CUP", -3, "usr_keeper", "stolen", ("ord_3/1", "ord_2/1")))

    assert list(service.hears(cancelled(CUPS, order_id="ord_3")).send) == []
    assert list(service.hears(cancelled(CUPS, order_id="ord_2")).send) == [SkuBackInStock("CUP", 7)]
    assert levels(service) == {"CUP": (3, 2)}
    assert service.records(Sku)["CUP"].missing == 0


def test_missing_pieces_are_covered_by_those_that_arrive() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS), AdjustStock("CUP", -1, "usr_keeper", "broken", ("ord_1/1",)), paid(CUPS))

    decision = service.hears(ReceiveStock("CUP", 4, "usr_keeper"))

    assert decision.reply == Reply(200, StockLevel("CUP", 3, 0, 3, 5))


def test_missing_pieces_are_covered_by_those_that_come_back() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS), AdjustStock("CUP", -1, "usr_keeper", "broken", ("ord_1/1",)), paid(CUPS))

    decision = service.hears(returned(ReturnedLine(0, 2)))

    assert decision.send == [SkuBackInStock("CUP", 5)]
    assert service.records(Sku)["CUP"] == Sku(5, "CUP", on_hand=1)


def test_missing_pieces_are_covered_by_what_comes_back_before_it_is_told_to_have_left() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS), AdjustStock("CUP", -1, "usr_keeper", "broken", ("ord_1/1",)))

    service.hears(returned(ReturnedLine(0, 2)))

    assert service.records(Sku)["CUP"] == Sku(4, "CUP", on_hand=1)


def test_missing_pieces_are_covered_by_those_that_a_changed_order_does_not_want_any_more() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS), AdjustStock("CUP", -1, "usr_keeper", "broken", ("ord_1/1",)))

    service.hears(booking(Line("CUP", "Blue cup", 1, 45_000), attempt=2))

    assert service.records(Sku)["CUP"] == Sku(4, "CUP", on_hand=1, reserved=1)


def test_a_forced_adjustment_that_is_covered_asks_nobody() -> None:
    service = stock(CUP=5)
    service.hears(booking(CUPS))

    decision = service.hears(AdjustStock("CUP", -3, "usr_keeper", "broken", ("ord_1/1",)))

    assert decision.send == [SkuSoldOut("CUP", 3)]
    assert levels(service) == {"CUP": (2, 2)}
