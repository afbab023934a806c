"""Staff correct the count of stock, and what orders were promised has to give way."""

import pytest

from sagamart.contracts.orders import Line, ReturnedLine
from sagamart.contracts.stock import (
    ReservationRevoked,
    SkuBackInStock,
    SkuSoldOut,
    StockBooked,
)
from sagamart.messaging.decision import Reply
from sagamart.shop.stock.decide import BelowReserved, MoreThanOnHand, StockLevel
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock, ReservationsFound, ReservationsSought
from sagamart.shop.stock.records import Sku
from stock_ways import CUPS, booking, cancelled, levels, looked, paid, returned, stock, stolen


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


@pytest.mark.parametrize("force", [False, True], ids=["by itself", "forced"])
def test_nothing_can_be_taken_of_what_was_never_there(*, force: bool) -> None:
    service = stock()

    decision = service.hears(AdjustStock("CUP", -1, "usr_keeper", "typing error", force=force))

    assert decision.reply == MoreThanOnHand("CUP", on_hand=0, missing=0, adjustment=-1)
    assert levels(service) == {}


def test_a_forced_adjustment_takes_no_more_than_there_is() -> None:
    service = stock(CUP=10)
    service.hears(booking(CUPS), booking(CUPS, order_id="ord_2"))

    refused = service.hears(stolen(11))
    taken = service.hears(stolen(9))
    again = service.hears(stolen(2))

    assert refused.reply == MoreThanOnHand("CUP", on_hand=10, missing=0, adjustment=-11)
    assert taken.reply == Reply(200, StockLevel("CUP", 4, 4, 0, 4, missing=3))
    assert again.reply == MoreThanOnHand("CUP", on_hand=4, missing=3, adjustment=-2)


def test_pieces_that_are_found_again_are_not_missing_any_more() -> None:
    service = stock(CUP=4)
    service.hears(booking(CUPS), booking(CUPS, order_id="ord_2"), stolen(3))

    decision = service.hears(AdjustStock("CUP", 1, "usr_keeper", "it was under the shelf"))

    assert decision.reply == Reply(200, StockLevel("CUP", 4, 4, 0, 5, missing=2))


async def test_a_forced_adjustment_asks_the_newest_orders_to_let_go_of_just_enough() -> None:
    service = stock(CUP=6)
    service.hears(*(booking(CUPS, order_id=f"ord_{number}") for number in (1, 2, 3)))

    decision = service.hears(stolen(3))
    asked = await looked(service)

    assert decision.reply == Reply(200, StockLevel("CUP", 6, 6, 0, 5, missing=3))
    assert decision.send == [ReservationsSought("CUP", 3)]
    assert asked.send == [ReservationRevoked("ord_3", 1), ReservationRevoked("ord_2", 1)]


async def test_where_an_order_that_was_asked_keeps_its_pieces_the_next_newest_is_asked() -> None:
    service = stock(CUP=6)
    service.hears(*(booking(CUPS, order_id=f"ord_{number}") for number in (1, 2, 3)), stolen(2))
    first = await looked(service)

    kept = service.hears(paid(CUPS, order_id="ord_3"))
    then = await looked(service)
    service.hears(cancelled(CUPS, order_id="ord_2"))
    last = service.hears(paid(CUPS, order_id="ord_1"))

    assert first.send == [ReservationRevoked("ord_3", 1)]
    assert kept.send == [ReservationsSought("CUP", 2)]
    assert then.send == [ReservationRevoked("ord_2", 1)]
    assert last.send == []
    assert service.record(Sku, "CUP") == Sku(8, "CUP", on_hand=0)


async def test_an_order_that_is_changed_meanwhile_is_asked_again_for_its_new_attempt() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS), stolen(1))
    first = await looked(service)

    changed = service.hears(booking(CUPS, attempt=2))
    again = await looked(service)

    assert first.send == [ReservationRevoked("ord_1", 1)]
    assert changed.send == [StockBooked("ord_1", 2), ReservationsSought("CUP", 1)]
    assert again.send == [ReservationRevoked("ord_1", 2)]


def test_older_orders_are_looked_for_where_a_page_of_newer_ones_is_not_enough() -> None:
    service = stock(CUP=6)
    service.hears(*(booking(CUPS, order_id=f"ord_{number}") for number in (1, 2, 3)), stolen(3))

    decision = service.hears(ReservationsFound("CUP", 3, ("ord_3/1",), before="ord_3"))

    assert decision.send == [ReservationRevoked("ord_3", 1), ReservationsSought("CUP", 1, before="ord_3")]


def test_what_was_settled_since_it_was_looked_for_is_asked_of_nobody() -> None:
    service = stock(CUP=4)
    service.hears(booking(CUPS), booking(CUPS, order_id="ord_2"), stolen(2), ReceiveStock("CUP", 1, "usr_keeper"))

    one = service.hears(ReservationsFound("CUP", 2, ("ord_2/1", "ord_1/1")))
    service.hears(cancelled(CUPS, order_id="ord_2"))
    none = service.hears(ReservationsFound("CUP", 2, ("ord_2/1", "ord_1/1")))

    assert one.send == [ReservationRevoked("ord_2", 1)]
    assert none.send == []


def test_missing_pieces_leave_as_soon_as_orders_let_go_and_only_the_rest_is_free() -> None:
    service = stock(CUP=6)
    service.hears(*(booking(CUPS, order_id=f"ord_{number}") for number in (1, 2, 3)))
    service.hears(stolen(3))

    assert list(service.hears(cancelled(CUPS, order_id="ord_3")).send) == []
    assert list(service.hears(cancelled(CUPS, order_id="ord_2")).send) == [SkuBackInStock("CUP", 7)]
    assert levels(service) == {"CUP": (3, 2)}
    assert service.records(Sku)["CUP"].missing == 0


def test_missing_pieces_are_covered_by_those_that_arrive() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS), stolen(1), paid(CUPS))

    decision = service.hears(ReceiveStock("CUP", 4, "usr_keeper"))

    assert decision.reply == Reply(200, StockLevel("CUP", 3, 0, 3, 5))


def test_missing_pieces_are_covered_by_those_that_come_back() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS), stolen(1), paid(CUPS))

    decision = service.hears(returned(ReturnedLine(0, 2)))

    assert decision.send == [SkuBackInStock("CUP", 5)]
    assert service.records(Sku)["CUP"] == Sku(5, "CUP", on_hand=1)


def test_missing_pieces_are_covered_by_what_comes_back_before_it_is_told_to_have_left() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS), stolen(1))

    service.hears(returned(ReturnedLine(0, 2)))

    assert service.records(Sku)["CUP"] == Sku(4, "CUP", on_hand=1)


def test_missing_pieces_are_covered_by_those_that_a_changed_order_does_not_want_any_more() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS), stolen(1))

    service.hears(booking(Line("CUP", "Blue cup", 1, 45_000), attempt=2))

    assert service.records(Sku)["CUP"] == Sku(4, "CUP", on_hand=1, reserved=1)


def test_a_forced_adjustment_that_is_covered_asks_nobody() -> None:
    service = stock(CUP=5)
    service.hears(booking(CUPS))

    decision = service.hears(stolen(3))

    assert decision.send == [SkuSoldOut("CUP", 3)]
    assert levels(service) == {"CUP": (2, 2)}
