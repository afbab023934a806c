"""The rules of stock, each heard by the service's own handlers."""

from itertools import permutations

import pytest

from one_service import AT
from sagamart.contracts.orders import Line, ReturnedLine, ShortLine
from sagamart.contracts.stock import (
    SkuBackInStock,
    SkuSoldOut,
    StockBooked,
    StockChecked,
    StockRefused,
)
from sagamart.messaging.decision import NOTHING, Reply
from sagamart.messaging.message import Body
from sagamart.shop.stock.decide import StockLevel
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock
from sagamart.shop.stock.records import Movement, Reservation, ReservedLine, Sku
from stock_ways import CUPS, GIFT_WRAP, PLATES, booking, cancelled, check, levels, paid, returned, statuses, stock


def test_a_booking_reserves_every_line() -> None:
    service = stock(CUP=5, PLATE=3)

    decision = service.hears(booking(CUPS, PLATES))

    assert decision.send == [StockBooked("ord_1", 1), SkuSoldOut("PLATE", 2)]
    assert levels(service) == {"CUP": (5, 2), "PLATE": (3, 3)}


def test_short_stock_names_each_short_line_and_reserves_nothing() -> None:
    service = stock(CUP=1, PLATE=2, SPOON=9)

    decision = service.hears(booking(CUPS, PLATES, Line("SPOON", "Spoon", 1, 100)))

    assert decision.send == [StockRefused("ord_1", 1, (ShortLine("CUP", 2, 1), ShortLine("PLATE", 3, 2)))]
    assert levels(service) == {"CUP": (1, 0), "PLATE": (2, 0), "SPOON": (9, 0)}


def test_a_sku_that_was_never_received_is_short() -> None:
    decision = stock().hears(booking(CUPS))

    assert decision.send == [StockRefused("ord_1", 1, (ShortLine("CUP", 2, 0),))]


def test_two_lines_of_one_sku_are_one_wish() -> None:
    decision = stock(CUP=3).hears(booking(CUPS, CUPS))

    assert decision.send == [StockRefused("ord_1", 1, (ShortLine("CUP", 4, 3),))]


def test_a_custom_line_needs_no_stock() -> None:
    service = stock()

    decision = service.hears(booking(GIFT_WRAP))

    assert decision.send == [StockBooked("ord_1", 1)]
    assert service.record(Reservation, "ord_1/1").lines == ()


@pytest.mark.parametrize("end", [paid(GIFT_WRAP), cancelled(GIFT_WRAP)], ids=["paid", "cancelled"])
def test_an_order_of_custom_lines_only_ends_without_a_trace_in_the_stock(end: Body) -> None:
    service = stock(CUP=5)

    decision = service.hears(end)

    assert decision.save == ()
    assert levels(service) == {"CUP": (5, 0)}


@pytest.mark.parametrize("earlier", [(), (booking(CUPS),)], ids=["never asked for", "refused"])
def test_goods_that_are_paid_without_a_booking_are_a_fault(earlier: tuple[Body, ...]) -> None:
    service = stock(CUP=1)
    service.hears(*earlier)

    with pytest.raises(AssertionError, match="ord_1/1 was paid without a booking"):
        service.hears(paid(CUPS))


@pytest.mark.parametrize("on_hand", [5, 1], ids=["booked", "refused"])
def test_a_repeated_booking_gets_the_same_answer_and_reserves_nothing_more(on_hand: int) -> None:
    service = stock(CUP=on_hand)
    first = service.hears(booking(CUPS)).send[0]
    before = levels(service)
    service.hears(ReceiveStock("CUP", 10, "usr_keeper"))

    again = service.hears(booking(CUPS))

    assert list(again.send) == [first]
    assert again.save == ()
    assert service.record(Sku, "CUP").reserved == before["CUP"][1]


def test_the_last_unit_goes_to_one_order() -> None:
    service = stock(CUP=1)
    cup = Line("CUP", "Blue cup", 1, 45_000)

    service.hears(*(booking(cup, order_id=f"ord_{number}") for number in range(100)))

    assert [sent for sent in service.sent if isinstance(sent, StockBooked)] == [StockBooked("ord_0", 1)]
    assert sum(isinstance(sent, StockRefused) for sent in service.sent) == 99
    assert levels(service) == {"CUP": (1, 1)}


def test_paid_pieces_leave_the_stock_once() -> None:
    service = stock(CUP=5)

    service.hears(booking(CUPS), paid(CUPS), paid(CUPS))

    assert levels(service) == {"CUP": (3, 0)}
    assert service.record(Reservation, "ord_1/1").status == "committed"
    assert [(m.movement_id, m.quantity) for m in service.entries(Movement) if m.kind == "committed"] == [
        ("ord_1/1/CUP", -2)
    ]


def test_what_is_on_hand_is_the_sum_of_its_movements() -> None:
    service = stock(CUP=5)

    service.hears(booking(CUPS), AdjustStock("CUP", -1, "usr_keeper", "broken"), paid(CUPS))

    assert sum(movement.quantity for movement in service.entries(Movement)) == 2
    assert levels(service) == {"CUP": (2, 0)}


def test_a_cancelled_order_gives_its_pieces_back_once() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS))

    decision = service.hears(cancelled(CUPS))
    again = service.hears(cancelled(CUPS))

    assert decision.send == [SkuBackInStock("CUP", 3)]
    assert again.save == []
    assert levels(service) == {"CUP": (2, 0)}


def test_what_an_earlier_attempt_reserved_is_free_for_the_next_one() -> None:
    service = stock(CUP=3)
    service.hears(booking(CUPS, attempt=1))
    service.sent.clear()

    decision = service.hears(booking(Line("CUP", "Blue cup", 3, 45_000), attempt=2))

    assert decision.send == [StockBooked("ord_1", 2), SkuSoldOut("CUP", 3)]
    assert levels(service) == {"CUP": (3, 3)}
    assert statuses(service) == {"ord_1/1": "released", "ord_1/2": "booked"}


def test_a_booking_of_other_goods_lets_go_of_what_is_not_wanted_any_more() -> None:
    service = stock(CUP=2, PLATE=3)
    service.hears(booking(CUPS, attempt=1))

    decision = service.hears(booking(PLATES, attempt=2))

    assert decision.send == [StockBooked("ord_1", 2), SkuSoldOut("PLATE", 2), SkuBackInStock("CUP", 3)]
    assert levels(service) == {"CUP": (2, 0), "PLATE": (3, 3)}


def test_an_order_of_custom_lines_now_lets_go_of_what_it_had_reserved() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS, attempt=1))

    service.hears(booking(GIFT_WRAP, attempt=2))

    assert levels(service) == {"CUP": (2, 0)}


def test_a_booking_that_is_refused_leaves_what_an_earlier_attempt_reserved() -> None:
    service = stock(CUP=3)
    service.hears(booking(CUPS, attempt=1))

    decision = service.hears(booking(Line("CUP", "Blue cup", 4, 45_000), attempt=2))

    assert decision.send == [StockRefused("ord_1", 2, (ShortLine("CUP", 4, 3),))]
    assert levels(service) == {"CUP": (3, 2)}
    assert statuses(service) == {"ord_1/1": "booked", "ord_1/2": "refused"}


def test_a_cancellation_frees_every_attempt() -> None:
    service = stock(CUP=4)
    service.hears(booking(CUPS, attempt=1), booking(CUPS, attempt=2))

    service.hears(cancelled(CUPS, attempt=2))

    assert levels(service) == {"CUP": (4, 0)}


def test_a_check_says_what_is_there_and_reserves_nothing() -> None:
    service = stock(CUP=2)

    assert service.hears(check(CUPS)).send == [StockChecked("ord_1", 1)]
    assert service.hears(check(PLATES)).send == [StockRefused("ord_1", 1, (ShortLine("PLATE", 3, 0),))]
    assert levels(service) == {"CUP": (2, 0)}


def test_pieces_of_a_completed_order_come_back() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS, GIFT_WRAP), paid(CUPS, GIFT_WRAP))

    decision = service.hears(returned(ReturnedLine(0, 1), ReturnedLine(1, 1)))

    assert decision.send == [SkuBackInStock("CUP", 4)]
    assert levels(service) == {"CUP": (1, 0)}
    assert service.entries(Movement)[-1] == Movement("ret_1/CUP/back", "CUP", "returned", 1, "ord_1", AT)


def test_a_return_that_overtakes_its_payment_takes_the_pieces_out_first() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS, GIFT_WRAP))

    service.hears(returned(ReturnedLine(0, 1)), paid(CUPS, GIFT_WRAP))

    assert levels(service) == {"CUP": (1, 0)}
    assert sum(movement.quantity for movement in service.entries(Movement)) == 1


def test_custom_lines_come_back_to_nowhere() -> None:
    assert stock().hears(returned(ReturnedLine(1, 1))) == NOTHING


def test_what_never_left_cannot_come_back() -> None:
    with pytest.raises(AssertionError, match="never left"):
        stock(CUP=2).hears(returned(ReturnedLine(0, 1)))


def test_a_release_that_overtakes_its_booking_refuses_it() -> None:
    service = stock(CUP=5)

    service.hears(cancelled(CUPS))
    decision = service.hears(booking(CUPS))

    assert decision.send == [StockRefused("ord_1", 1)]
    assert levels(service) == {"CUP": (5, 0)}


@pytest.mark.parametrize("heard", sorted(set(permutations(["paid", "paid", "cancelled", "cancelled"]))), ids="-".join)
def test_a_paid_order_that_is_cancelled_has_its_pieces_here_whatever_came_first(heard: tuple[str, ...]) -> None:
    service = stock(CUP=5)
    service.hears(booking(CUPS))
    said: dict[str, Body] = {"paid": paid(CUPS), "cancelled": cancelled(CUPS)}

    service.hears(*(said[name] for name in heard))

    assert levels(service) == {"CUP": (5, 0)}
    assert sum(movement.quantity for movement in service.entries(Movement)) == 5
    assert statuses(service) == {"ord_1/1": "restocked" if heard[0] == "paid" else "released"}


@pytest.mark.parametrize(
    "heard",
    sorted(set(permutations(["booking", "booking", "cancelled", "cancelled"]))),
    ids="-".join,
)
def test_any_order_and_doubling_of_a_booking_and_its_cancellation_ends_the_same(heard: tuple[str, ...]) -> None:
    service = stock(CUP=5, PLATE=3)
    said: dict[str, Body] = {"booking": booking(CUPS, PLATES), "cancelled": cancelled(CUPS, PLATES)}

    service.hears(*(said[name] for name in heard))

    assert levels(service) == {"CUP": (5, 0), "PLATE": (3, 0)}
    assert {key: row.status for key, row in service.records(Reservation).items()} == {"ord_1/1": "released"}


@pytest.mark.parametrize(
    "heard",
    [order for order in sorted(set(permutations(["booking", "booking", "paid", "paid"]))) if order[0] == "booking"],
    ids="-".join,
)
def test_any_doubling_of_a_booking_and_its_payment_ends_the_same(heard: tuple[str, ...]) -> None:
    service = stock(CUP=5)
    said: dict[str, Body] = {"booking": booking(CUPS), "paid": paid(CUPS)}

    service.hears(*(said[name] for name in heard))

    assert levels(service) == {"CUP": (3, 0)}
    assert service.record(Reservation, "ord_1/1").lines == (ReservedLine("CUP", 2),)
    assert len(service.entries(Movement)) == 2
    assert {type(sent) for sent in service.sent} == {StockBooked}


def test_the_first_pieces_bring_a_sku_into_being() -> None:
    service = stock()

    decision = service.hears(ReceiveStock("CUP", 7, "usr_keeper"))

    assert decision.reply == Reply(200, StockLevel("CUP", 7, 0, 7, 1))
    assert decision.send == [SkuBackInStock("CUP", 1)]


def test_more_pieces_of_what_is_there_are_no_news() -> None:
    assert list(stock(CUP=1).hears(ReceiveStock("CUP", 7, "usr_keeper")).send) == []


def test_what_is_sold_out_is_not_told_again() -> None:
    service = stock(CUP=2)
    service.hears(booking(CUPS))

    decision = service.hears(booking(GIFT_WRAP, order_id="ord_2"), AdjustStock("CUP", 0, "usr_keeper", "counted"))

    assert list(decision.send) == []
