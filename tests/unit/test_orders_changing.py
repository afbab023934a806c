"""Before the payment: promo codes, deliveries, changes of lines, and baskets."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from msgspec.structs import replace

from one_service import AT, OneService
from orders_examples import BOOKED, CUP, GIFT_WRAP, ORDERED, PLATE, TOTAL_MINOR, TWO_CUPS, names, order_in, shop, wish
from orders_ways import COURIER, HOME, LATER, held, order, pays, rules, shop_with
from sagamart.contracts.order_requests import PromoRedemptionRequested
from sagamart.contracts.orders import Delivery, Line, PaymentAwaited
from sagamart.contracts.promotions import PromoRedeemed, PromoRefused
from sagamart.contracts.shipping import DeliveryMethodChanged, charged_g, delivery_price_minor
from sagamart.contracts.stock import SkuSoldOut, StockBooked, StockChecked, StockRefused
from sagamart.contracts.wallet import MoneyHeld
from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Body
from sagamart.shop.orders.baskets import BasketView
from sagamart.shop.orders.changing import NotChangeableNow
from sagamart.shop.orders.guards import (
    AddressMissing,
    ChangedPrice,
    CurrencyMismatch,
    PriceChanged,
    ProductInactive,
    SoldOut,
    TooManyLines,
    UnknownDeliveryMethod,
    UnknownProduct,
)
from sagamart.shop.orders.messages import LINES_MAX, ChangeOrder, FillBasket, WantedDelivery, WantedLine
from sagamart.shop.orders.records import BasketLine, DeliveryCopy, Terms
from sagamart.shop.orders.wishes import NotFound, VersionChanged

FOUR_CUPS = WantedLine("CUP", 4)
AT_PAYMENT = Terms(later=True, at_payment=True)
BY_WEIGHT = (
    replace(CUP, version=2, weight_g=900),
    replace(PLATE, version=2, weight_g=300, length_mm=200, width_mm=200, height_mm=200),
    replace(COURIER, per_kg_minor=4_000),
)


def changes(
    *lines: WantedLine, delivery: WantedDelivery | None = None, version: int | None = None, caller: str = "cus_1"
) -> ChangeOrder:
    return ChangeOrder(
        "ord_1", caller, staff=False, rules=rules(), lines=lines or None, delivery=delivery, version=version
    )


def told(decision: Decision) -> list[str]:
    return names(decision.send)


def test_a_promo_code_is_redeemed_before_anything_is_booked_and_the_total_is_fixed_then() -> None:
    service = shop()

    decision = service.hears(replace(wish(), promo_code="SPRING"))

    (asked,) = decision.send
    assert isinstance(asked, PromoRedemptionRequested)
    assert (asked.code, asked.goods_minor) == ("SPRING", TOTAL_MINOR)
    assert order_in(service).status == "new"

    decision = service.hears(PromoRedeemed("ord_1", 1, "SPRING", 16_000))
    assert told(decision) == ["BookingRequested"]
    assert order_in(service).total_minor == 144_000
    service.hears(BOOKED, MoneyHeld("ord_1", 1, 144_000, "RUB"))
    assert order_in(service).status == "capturing"


def test_a_promo_code_that_does_not_count_ends_the_order() -> None:
    service = shop_with(order(promo_code="SPRING"))

    assert told(service.hears(PromoRefused("ord_1", 1, "SPRING", "used_up"))) == ["OrderCancelled"]
    assert order_in(service).reason == "promo_refused"


def test_a_code_cannot_take_more_off_than_there_is() -> None:
    with pytest.raises(AssertionError, match="off"):
        shop_with(order(promo_code="SPRING")).hears(PromoRedeemed("ord_1", 1, "SPRING", TOTAL_MINOR + 1))


def test_a_code_that_takes_everything_off_leaves_nothing_to_be_paid() -> None:
    service = shop_with(order(promo_code="SPRING"))

    service.hears(PromoRedeemed("ord_1", 1, "SPRING", TOTAL_MINOR))

    assert told(service.hears(BOOKED)) == ["OrderPaid", "OrderCompleted"]


def test_a_delivery_is_part_of_the_total_at_the_price_of_now() -> None:
    service = shop_with(order(shipped=True))

    assert order_in(service).total_minor == TOTAL_MINOR + 30_000
    assert order_in(service).plan.delivery == Delivery("courier", 30_000, needs_shipment=True, address=HOME)


def test_a_delivery_by_weight_costs_what_shipping_offers_it_for() -> None:
    service = shop()
    service.hears(*BY_WEIGHT, order(shipped=True))

    grams = 2 * 900 + charged_g(300, 200, 200, 200)  # two cups, and a plate that takes more room than it weighs
    price_minor = delivery_price_minor(30_000, 4_000, grams)
    assert price_minor == 30_000 + 4 * 4_000
    assert order_in(service).total_minor == TOTAL_MINOR + price_minor


@pytest.mark.parametrize("another", [changes(FOUR_CUPS), changes(delivery=WantedDelivery("courier", HOME))])
def test_a_delivery_by_weight_is_priced_anew_for_what_a_changed_order_holds(another: Body) -> None:
    service = shop()
    service.hears(*BY_WEIGHT, order(shipped=True), BOOKED)

    service.hears(another)

    kilograms = 4  # four cups, or two cups and a plate
    assert order_in(service).plan.delivery == Delivery(
        "courier", 30_000 + kilograms * 4_000, needs_shipment=True, address=HOME
    )


@pytest.mark.parametrize(
    ("method", "wanted", "refusal"),
    [
        (COURIER, WantedDelivery("drone", HOME), UnknownDeliveryMethod("drone")),
        (replace(COURIER, active=False), WantedDelivery("courier", HOME), UnknownDeliveryMethod("courier")),
        (COURIER, WantedDelivery("courier"), AddressMissing("courier")),
        (replace(COURIER, currency="EUR"), WantedDelivery("courier", HOME), CurrencyMismatch(("EUR", "RUB"))),
    ],
)
def test_a_delivery_that_is_not_offered_so_is_refused(
    method: DeliveryMethodChanged, wanted: WantedDelivery, refusal: Refusal
) -> None:
    service = shop()
    service.hears(method)

    assert service.hears(replace(wish(), delivery=wanted)).reply == refusal


def test_a_copy_of_a_delivery_method_keeps_the_highest_version() -> None:
    service = shop()

    service.hears(replace(COURIER, version=3, price_minor=1), replace(COURIER, version=2))

    assert service.record(DeliveryCopy, "courier").price_minor == 1


def test_changed_lines_are_booked_anew_and_only_pieces_that_are_new_cost_what_they_cost_now() -> None:
    service = shop_with(order(), BOOKED)
    service.hears(replace(CUP, version=2, price_minor=50_000))

    decision = service.hears(changes(FOUR_CUPS))

    assert told(decision) == ["BookingRequested"]
    assert isinstance(decision.reply, Reply)
    assert decision.reply.status == 202
    changed = order_in(service)
    assert (changed.status, changed.attempt, changed.total_minor) == ("booking_pending", 2, 190_000)
    assert changed.lines == (Line("CUP", "Blue cup", 2, 45_000), Line("CUP", "Blue cup", 2, 50_000))
    assert told(service.hears(StockBooked("ord_1", 2))) == ["PaymentAwaited"]


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
    assert told(service.hears(changes(TWO_CUPS))) == ["BookingRequested"]
    service.hears(StockBooked("ord_1", 2))
    assert told(service.hears(changes(WantedLine("CUP", 1)))) == ["BookingRequested"]


def test_goods_that_are_only_checked_are_not_held_against_who_has_bought_them() -> None:
    service = shop_with(order(AT_PAYMENT), StockChecked("ord_1", 1))
    service.hears(SkuSoldOut("CUP", 2))

    assert service.hears(changes(TWO_CUPS)).reply == SoldOut(("CUP",))


def test_what_is_not_for_sale_any_more_may_be_kept() -> None:
    service = shop_with(order(), BOOKED)
    service.hears(replace(CUP, version=2, active=False))

    assert service.hears(changes(FOUR_CUPS)).reply == ProductInactive(("CUP",))
    assert told(service.hears(changes(TWO_CUPS))) == ["BookingRequested"]


def test_a_changed_order_has_no_more_lines_than_an_order_takes() -> None:
    lines = tuple(WantedLine("CUP", 1) for _ in range(LINES_MAX))
    service = shop_with(replace(order(), lines=lines), BOOKED)
    service.hears(replace(CUP, version=2, price_minor=50_000))

    assert service.hears(changes(*lines[1:], TWO_CUPS)).reply == TooManyLines(LINES_MAX + 1)


def test_a_change_whose_goods_are_not_there_is_undone() -> None:
    service = shop_with(order(), BOOKED, changes(FOUR_CUPS))

    decision = service.hears(StockRefused("ord_1", 2))

    assert told(decision) == ["BookingRequested"]
    assert (order_in(service).lines, order_in(service).attempt) == (ORDERED, 3)
    service.hears(StockBooked("ord_1", 3))
    assert (order_in(service).status, order_in(service).total_minor) == ("booked", TOTAL_MINOR)


def test_a_change_that_stands_is_not_undone_later() -> None:
    service = shop_with(
        order(AT_PAYMENT), StockChecked("ord_1", 1), changes(FOUR_CUPS), StockChecked("ord_1", 2), pays("bank")
    )

    service.hears(StockRefused("ord_1", 2))

    assert (order_in(service).status, order_in(service).reason) == ("cancelled", "stock_refused")


def test_a_change_to_lines_that_need_no_stock_still_lets_go_of_what_was_reserved() -> None:
    service = shop_with(order(), BOOKED)

    assert told(service.hears(changes(GIFT_WRAP))) == ["BookingRequested"]


def test_a_changed_order_redeems_its_code_anew() -> None:
    service = shop_with(order(promo_code="SPRING"), PromoRedeemed("ord_1", 1, "SPRING", 16_000), BOOKED)

    assert told(service.hears(changes(FOUR_CUPS))) == ["PromoRedemptionRequested"]
    assert order_in(service).status == "new"
    service.hears(PromoRedeemed("ord_1", 2, "SPRING", 18_000))
    assert (order_in(service).status, order_in(service).total_minor) == ("booking_pending", 162_000)


def redeemed(attempt: int, discount_minor: int) -> PromoRedeemed:
    return PromoRedeemed("ord_1", attempt, "SPRING", discount_minor)


REFUSED = PromoRefused("ord_1", 2, "SPRING", "expired")


@pytest.mark.parametrize("answers", [(REFUSED,), (redeemed(2, 18_000), StockRefused("ord_1", 2))])
def test_a_change_that_does_not_come_about_leaves_the_order_the_discount_that_it_had(answers: Sequence[Body]) -> None:
    service = shop_with(order(promo_code="SPRING"), redeemed(1, 16_000), BOOKED, changes(FOUR_CUPS))

    decision = service.hears(*answers)

    (again,) = decision.send
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


def test_another_delivery_changes_the_total_and_books_nothing() -> None:
    service = shop_with(order(), BOOKED)

    decision = service.hears(changes(delivery=WantedDelivery("courier", HOME)))

    assert told(decision) == ["PaymentAwaited"]
    assert (order_in(service).status, order_in(service).total_minor) == ("booked", TOTAL_MINOR + 30_000)


def test_who_changes_what_is_due_is_told_so_with_the_time_that_is_left() -> None:
    service = shop_with(order(), BOOKED)
    service.now += timedelta(seconds=100)

    (awaited,) = service.hears(changes(delivery=WantedDelivery("courier", HOME))).send

    assert isinstance(awaited, PaymentAwaited)
    assert (awaited.due_minor, awaited.window_s, awaited.version) == (TOTAL_MINOR + 30_000, 200, 3)


def test_an_order_is_changed_only_while_nothing_is_held_or_in_flight() -> None:
    service = shop_with(order(), BOOKED, pays("bank", 1_000))
    assert service.hears(changes(FOUR_CUPS)).reply == NotChangeableNow("ord_1", "pay_pending")

    service.hears(held(1, 1_000))
    assert service.hears(changes(FOUR_CUPS)).reply == NotChangeableNow("ord_1", "partially_paid")


def test_a_change_passes_the_same_guards_as_an_order() -> None:
    service = shop_with(order(), BOOKED)

    assert service.hears(changes(WantedLine("SPOON", 1))).reply == UnknownProduct(("SPOON",))
    assert service.hears(changes(FOUR_CUPS, caller="cus_2")).reply == NotFound()


def test_who_has_seen_an_earlier_version_changes_nothing() -> None:
    service = shop_with(order(), BOOKED)

    assert service.hears(changes(FOUR_CUPS, version=1)).reply == VersionChanged(2)
    assert told(service.hears(changes(FOUR_CUPS, version=2))) == ["BookingRequested"]


def test_a_change_to_what_it_is_changes_nothing() -> None:
    service = shop_with(order(), BOOKED)

    decision = service.hears(changes(TWO_CUPS, WantedLine("PLATE", 1)))

    assert decision.save == ()
    assert isinstance(decision.reply, Reply)


def test_a_basket_holds_each_product_once() -> None:
    service = OneService(shop().service)

    reply = service.hears(
        FillBasket("cus_1", (BasketLine("CUP", 1), BasketLine("PLATE", 2), BasketLine("CUP", 2)))
    ).reply

    assert isinstance(reply, Reply)
    assert reply.body == BasketView((BasketLine("CUP", 3), BasketLine("PLATE", 2)), AT, 1)


def test_terms_are_those_of_the_moment_when_the_order_was_placed() -> None:
    service = shop_with(order(replace(LATER, window_s=60)), BOOKED)

    assert order_in(service).plan.terms.window_s == 60
