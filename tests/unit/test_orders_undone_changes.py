"""Changes that do not come about, and how often an order may be changed, and for how long."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest

from orders_examples import BOOKED, ONE_PLATE, ORDERED, TOTAL_MINOR, deadline, names, order_in
from orders_ways import HOME, changes, held, order, pays, shop_with
from sagamart.contracts.order_requests import PromoRedemptionRequested
from sagamart.contracts.orders import Line, OrderChangeUndone, ShortLine
from sagamart.contracts.promotions import PromoRedeemed, PromoRefused
from sagamart.contracts.stock import StockBooked, StockChecked, StockRefused
from sagamart.messaging.decision import Arm, Reply
from sagamart.messaging.message import Body
from sagamart.shop.orders.changing import TooManyChanges
from sagamart.shop.orders.messages import CHANGES_MAX, OrderDeadline, WantedDelivery, WantedLine
from sagamart.shop.orders.records import Terms
from sagamart.shop.orders.view import Unchanged, view

FOUR_CUPS = WantedLine("CUP", 4)
AT_PAYMENT = Terms(later=True, at_payment=True)


def test_a_change_whose_goods_are_not_there_is_undone() -> None:
    service = shop_with(order(), BOOKED, changes(FOUR_CUPS))

    decision = service.hears(StockRefused("ord_1", 2))

    assert names(decision.send) == ["OrderChangeUndone", "BookingRequested"]
    assert (order_in(service).lines, order_in(service).attempt) == (ORDERED, 3)
    service.hears(StockBooked("ord_1", 3))
    assert (order_in(service).status, order_in(service).total_minor) == ("booked", TOTAL_MINOR)


def test_a_change_that_is_undone_is_told_with_what_it_lacked() -> None:
    short = (ShortLine("CUP", 4, 3),)
    service = shop_with(order(), BOOKED, changes(FOUR_CUPS))

    told, _ = service.hears(StockRefused("ord_1", 2, short)).send

    assert isinstance(told, OrderChangeUndone)
    assert (told.wished, told.short, told.promo) == ((Line("CUP", "Blue cup", 4, 45_000),), short, None)
    assert (told.lines, told.total_minor) == (ORDERED, TOTAL_MINOR)
    assert view(order_in(service), "en").unchanged == (
        Unchanged("lines", "The order could not be changed: not all goods are in stock", short),
    )
    service.hears(StockBooked("ord_1", 3), changes(ONE_PLATE))
    assert view(order_in(service), "en").unchanged == ()


def test_a_change_that_lacks_both_its_code_and_its_goods_is_told_of_once() -> None:
    for answers in permutations((StockRefused("ord_1", 2), REFUSED)):
        service = shop_with(
            order(AT_PAYMENT, promo_code="SPRING"), redeemed(1, 16_000), StockChecked("ord_1", 1), changes(FOUR_CUPS)
        )
        service.sent.clear()

        service.hears(*answers)

        assert names(service.sent).count("OrderChangeUndone") == 1


def test_what_a_code_took_off_a_change_may_be_told_after_it_was_undone() -> None:
    service = shop_with(
        order(AT_PAYMENT, promo_code="SPRING"),
        redeemed(1, 16_000),
        StockChecked("ord_1", 1),
        changes(WantedLine("CUP", 40)),
    )

    service.hears(StockRefused("ord_1", 2), redeemed(2, TOTAL_MINOR + 20_000))

    assert (order_in(service).status, order_in(service).total_minor) == ("new", TOTAL_MINOR - 16_000)


def test_late_money_does_not_count_for_a_change_that_may_yet_be_undone() -> None:
    service = shop_with(order(Terms(later=True, revive=True)), BOOKED, pays("bank"))
    service.now += timedelta(seconds=900)
    service.hears(deadline("pay_pending"), changes(WantedLine("CUP", 1)), StockBooked("ord_1", 2), changes(FOUR_CUPS))
    service.sent.clear()

    service.hears(held(1), StockRefused("ord_1", 3), StockBooked("ord_1", 4))

    assert (order_in(service).status, order_in(service).total_minor) == ("booked", 45_000)
    assert "BankVoidRequested" in names(service.sent)
    assert "BankCaptureRequested" not in names(service.sent)


def test_a_change_that_stands_is_not_undone_later() -> None:
    service = shop_with(
        order(AT_PAYMENT), StockChecked("ord_1", 1), changes(FOUR_CUPS), StockChecked("ord_1", 2), pays("bank")
    )

    service.hears(StockRefused("ord_1", 2))

    assert (order_in(service).status, order_in(service).reason) == ("cancelled", "stock_refused")


def test_a_change_does_not_open_the_payment_window_anew() -> None:
    service = shop_with(order(), BOOKED)
    service.now += timedelta(seconds=240)
    service.hears(changes(FOUR_CUPS))

    decision = service.hears(StockBooked("ord_1", 2))

    assert decision.timers == [Arm("deadline", 60, OrderDeadline("ord_1", "booked"))]


def test_an_order_takes_so_many_changes_of_its_lines() -> None:
    service = shop_with(order(), BOOKED)
    for number in range(CHANGES_MAX):
        service.hears(changes(WantedLine("CUP", number + 1)), StockBooked("ord_1", number + 2))

    assert service.hears(changes(ONE_PLATE)).reply == TooManyChanges()
    assert isinstance(service.hears(changes(delivery=WantedDelivery("courier", HOME))).reply, Reply)


def redeemed(attempt: int, discount_minor: int) -> PromoRedeemed:
    return PromoRedeemed("ord_1", attempt, "SPRING", discount_minor)


REFUSED = PromoRefused("ord_1", 2, "SPRING", "expired")


@pytest.mark.parametrize("answers", [(REFUSED,), (redeemed(2, 18_000), StockRefused("ord_1", 2))])
def test_a_change_that_does_not_come_about_leaves_the_order_the_discount_that_it_had(answers: Sequence[Body]) -> None:
    service = shop_with(order(promo_code="SPRING"), redeemed(1, 16_000), BOOKED, changes(FOUR_CUPS))

    decision = service.hears(*answers)

    _, again = decision.send
    assert isinstance(again, PromoRedemptionRequested)
    assert (again.attempt, again.goods_minor, again.again_minor) == (3, TOTAL_MINOR, 16_000)
    undone = order_in(service)
    assert (undone.status, undone.lines, undone.total_minor) == ("new", ORDERED, 144_000)
    service.hears(redeemed(3, 16_000), StockBooked("ord_1", 3))
    assert (order_in(service).status, order_in(service).total_minor) == ("booked", 144_000)


def test_the_code_of_a_change_is_redeemed_by_the_rules_of_now() -> None:
    service = shop_with(order(promo_code="SPRING"), redeemed(1, 16_000), BOOKED, changes(FOUR_CUPS), REFUSED)
    service.hears(redeemed(3, 16_000), StockBooked("ord_1", 3))

    (asked,) = service.hears(changes(FOUR_CUPS)).send

    assert isinstance(asked, PromoRedemptionRequested)
    assert (asked.attempt, asked.again_minor) == (4, None)


def test_a_change_is_undone_whether_its_code_is_refused_before_its_goods_are_seen_or_after() -> None:
    for answers in permutations((StockChecked("ord_1", 2), REFUSED)):
        service = shop_with(
            order(AT_PAYMENT, promo_code="SPRING"), redeemed(1, 16_000), StockChecked("ord_1", 1), changes(FOUR_CUPS)
        )

        service.hears(*answers)

        assert (order_in(service).reason, order_in(service).lines, order_in(service).attempt) == (None, ORDERED, 3)


def test_a_change_that_stands_is_not_undone_by_its_code_later() -> None:
    for answers in permutations((StockChecked("ord_1", 2), redeemed(2, 18_000))):
        service = shop_with(
            order(AT_PAYMENT, promo_code="SPRING"), redeemed(1, 16_000), StockChecked("ord_1", 1), changes(FOUR_CUPS)
        )

        service.hears(*answers)

        assert (order_in(service).status, order_in(service).plan.before) == ("checked", None)
