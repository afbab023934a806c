"""Before the payment: promo codes, deliveries, changes of lines, and baskets."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from one_service import AT, OneService
from orders_examples import BOOKED, CUP, GIFT_WRAP, PLATE, TOTAL_MINOR, TWO_CUPS, names, order_in, shop, wish
from orders_ways import COURIER, HOME, LATER, changes, held, order, pays, shop_with
from sagamart.contracts.order_requests import PromoRedemptionRequested
from sagamart.contracts.orders import Delivery, PaymentAwaited
from sagamart.contracts.promotions import PromoRedeemed, PromoRefused
from sagamart.contracts.shipping import DeliveryMethodChanged, charged_g, delivery_price_minor
from sagamart.contracts.wallet import MoneyHeld
from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Body
from sagamart.shop.orders.baskets import BasketView
from sagamart.shop.orders.changing import NotChangeableNow
from sagamart.shop.orders.guards import AddressMissing, CurrencyMismatch, UnknownDeliveryMethod, UnknownProduct
from sagamart.shop.orders.messages import FillBasket, WantedDelivery, WantedLine
from sagamart.shop.orders.records import BasketLine, DeliveryCopy
from sagamart.shop.orders.wishes import NotFound, VersionChanged

FOUR_CUPS = WantedLine("CUP", 4)
BY_WEIGHT = (
    replace(CUP, version=2, weight_g=900),
    replace(PLATE, version=2, weight_g=300, length_mm=200, width_mm=200, height_mm=200),
    replace(COURIER, per_kg_minor=4_000),
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


def test_a_change_to_lines_that_need_no_stock_still_lets_go_of_what_was_reserved() -> None:
    service = shop_with(order(), BOOKED)

    assert told(service.hears(changes(GIFT_WRAP))) == ["BookingRequested"]


def test_a_changed_order_redeems_its_code_anew() -> None:
    service = shop_with(order(promo_code="SPRING"), PromoRedeemed("ord_1", 1, "SPRING", 16_000), BOOKED)

    assert told(service.hears(changes(FOUR_CUPS))) == ["PromoRedemptionRequested"]
    assert order_in(service).status == "new"
    service.hears(PromoRedeemed("ord_1", 2, "SPRING", 18_000))
    assert (order_in(service).status, order_in(service).total_minor) == ("booking_pending", 162_000)


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
