"""What a changed order keeps of its lines: their price, and what is reserved for it."""

import pytest
from msgspec.structs import replace

from orders_examples import BOOKED, CUP, TWO_CUPS, names, order_in
from orders_ways import changes, order, shop_with
from sagamart.contracts.orders import Line
from sagamart.contracts.stock import SkuSoldOut, StockBooked, StockChecked
from sagamart.messaging.decision import Reply
from sagamart.shop.orders.guards import ChangedPrice, PriceChanged, ProductInactive, SoldOut, TooManyLines
from sagamart.shop.orders.messages import LINES_MAX, WantedLine
from sagamart.shop.orders.records import Terms

FOUR_CUPS = WantedLine("CUP", 4)
AT_PAYMENT = Terms(later=True, at_payment=True)


def test_changed_lines_are_booked_anew_and_only_pieces_that_are_new_cost_what_they_cost_now() -> None:
    service = shop_with(order(), BOOKED)
    service.hears(replace(CUP, version=2, price_minor=50_000))

    decision = service.hears(changes(FOUR_CUPS))

    assert names(decision.send) == ["BookingRequested"]
    assert isinstance(decision.reply, Reply)
    assert decision.reply.status == 202
    changed = order_in(service)
    assert (changed.status, changed.attempt, changed.total_minor) == ("booking_pending", 2, 190_000)
    assert changed.lines == (Line("CUP", "Blue cup", 2, 45_000), Line("CUP", "Blue cup", 2, 50_000))
    assert names(service.hears(StockBooked("ord_1", 2)).send) == ["PaymentAwaited"]


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ((WantedLine("CUP", 1),), ((1, 45_000),)),
        ((WantedLine("CUP", 2), WantedLine("CUP", 1)), ((2, 45_000), (1, 50_000))),
        ((WantedLine("CUP", 1, 50_000), WantedLine("CUP", 2, 45_000)), ((1, 50_000), (2, 45_000))),
        ((WantedLine("CUP", 3, 50_000),), ((3, 50_000),)),
    ],
)
def test_pieces_that_were_ordered_keep_their_price_unless_another_one_is_shown(
    lines: tuple[WantedLine, ...], kept: tuple[tuple[int, int], ...]
) -> None:
    service = shop_with(order(), BOOKED)
    service.hears(replace(CUP, version=2, price_minor=50_000))

    service.hears(changes(*lines))

    assert tuple((line.quantity, line.price_minor) for line in order_in(service).lines) == kept


def test_more_pieces_at_the_price_of_before_are_on_the_same_line() -> None:
    service = shop_with(order(), BOOKED, changes(FOUR_CUPS))

    assert order_in(service).lines == (Line("CUP", "Blue cup", 4, 45_000),)


def test_more_pieces_than_were_ordered_are_not_sold_at_the_price_of_before() -> None:
    service = shop_with(order(), BOOKED)
    service.hears(replace(CUP, version=2, price_minor=50_000))

    decision = service.hears(changes(WantedLine("CUP", 3, 45_000)))

    assert decision.reply == PriceChanged((ChangedPrice("CUP", 45_000, 50_000, "RUB"),))


def test_whoever_holds_the_last_pieces_may_keep_them_or_take_fewer() -> None:
    service = shop_with(order(), BOOKED)
    service.hears(SkuSoldOut("CUP", 2))

    assert service.hears(changes(FOUR_CUPS)).reply == SoldOut(("CUP",))
    assert names(service.hears(changes(TWO_CUPS)).send) == ["BookingRequested"]
    service.hears(StockBooked("ord_1", 2))
    assert names(service.hears(changes(WantedLine("CUP", 1))).send) == ["BookingRequested"]


def test_goods_that_are_only_checked_are_not_held_against_who_has_bought_them() -> None:
    service = shop_with(order(AT_PAYMENT), StockChecked("ord_1", 1))
    service.hears(SkuSoldOut("CUP", 2))

    assert service.hears(changes(TWO_CUPS)).reply == SoldOut(("CUP",))


def test_what_is_not_for_sale_any_more_may_be_kept() -> None:
    service = shop_with(order(), BOOKED)
    service.hears(replace(CUP, version=2, active=False))

    assert service.hears(changes(FOUR_CUPS)).reply == ProductInactive(("CUP",))
    assert names(service.hears(changes(TWO_CUPS)).send) == ["BookingRequested"]


def test_a_changed_order_has_no_more_lines_than_an_order_takes() -> None:
    lines = tuple(WantedLine("CUP", 1) for _ in range(LINES_MAX))
    service = shop_with(replace(order(), lines=lines), BOOKED)
    service.hears(replace(CUP, version=2, price_minor=50_000))

    assert service.hears(changes(*lines[1:], TWO_CUPS)).reply == TooManyLines(LINES_MAX + 1)
