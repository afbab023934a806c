"""What stands before an order: every guard, and the slots of a customer."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from one_service import OneService
from orders_examples import (
    BOOKED,
    CANCEL,
    CAPTURED,
    CUP,
    GIFT_WRAP,
    HELD,
    ONE_PLATE,
    ORDERED,
    RULES,
    TOTAL_MINOR,
    TWO_CUPS,
    order_in,
    shop,
    shop_with_order,
    wish,
)
from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.orders import Line
from sagamart.contracts.stock import SkuBackInStock, SkuSoldOut
from sagamart.messaging.decision import Reply
from sagamart.messaging.message import Body
from sagamart.shop.orders.guards import (
    ChangedPrice,
    CurrencyMismatch,
    CustomLinesNotAllowed,
    PriceChanged,
    ProductInactive,
    SoldOut,
    TotalTooLarge,
    UnknownProduct,
    UnpaidOrderExists,
)
from sagamart.shop.orders.messages import WantedLine
from sagamart.shop.orders.records import Order, ProductCopy, UnpaidOrders
from sagamart.shop.orders.view import OrderView


def assert_nothing_was_placed(service: OneService) -> None:
    assert service.records(Order) == {}
    assert service.records(UnpaidOrders) == {}
    assert service.sent == []


def test_an_order_is_accepted_with_its_place_and_the_prices_of_now() -> None:
    service = shop()

    reply = service.hears(wish()).reply

    assert isinstance(reply, Reply)
    assert (reply.status, reply.location) == (202, "/v1/orders/ord_1")
    assert isinstance(reply.body, OrderView)
    assert reply.body.status == "booking_pending"
    assert order_in(service).lines == ORDERED
    assert order_in(service).total_minor == TOTAL_MINOR
    assert order_in(service).version == 1


def test_what_is_not_in_the_catalogue_cannot_be_ordered() -> None:
    service = shop()

    decision = service.hears(wish(TWO_CUPS, WantedLine("SPOON", 1), WantedLine("FORK", 1)))

    assert decision.reply == UnknownProduct(("FORK", "SPOON"))
    assert_nothing_was_placed(service)


def test_a_product_of_which_only_the_stock_has_spoken_is_not_in_the_catalogue() -> None:
    service = shop()
    service.hears(SkuBackInStock("SPOON", 1))

    assert service.hears(wish(WantedLine("SPOON", 1))).reply == UnknownProduct(("SPOON",))


def test_what_is_not_for_sale_cannot_be_ordered() -> None:
    service = shop()
    service.hears(replace(CUP, version=2, active=False))

    assert service.hears(wish()).reply == ProductInactive(("CUP",))
    assert_nothing_was_placed(service)


def test_nobody_pays_another_price_than_the_one_that_was_shown() -> None:
    service = shop()
    service.hears(replace(CUP, version=2, price_minor=50_000))

    decision = service.hears(wish(replace(TWO_CUPS, price_minor=45_000), replace(ONE_PLATE, price_minor=70_000)))

    assert decision.reply == PriceChanged((ChangedPrice("CUP", 45_000, 50_000, "RUB"),))
    assert_nothing_was_placed(service)


def test_the_price_stays_as_it_was_when_the_order_was_placed() -> None:
    service = shop_with_order()

    service.hears(replace(CUP, version=2, price_minor=50_000), BOOKED)

    assert order_in(service).total_minor == TOTAL_MINOR


def test_what_is_known_to_be_sold_out_is_refused_at_once() -> None:
    service = shop()
    service.hears(SkuSoldOut("CUP", 7))

    assert service.hears(wish()).reply == SoldOut(("CUP",))
    assert_nothing_was_placed(service)


def test_what_is_back_in_stock_can_be_ordered_again() -> None:
    service = shop()
    service.hears(SkuSoldOut("CUP", 7), SkuBackInStock("CUP", 8))

    assert isinstance(service.hears(wish()).reply, Reply)


def test_custom_lines_are_for_those_whom_the_settings_let() -> None:
    service = shop()

    decision = service.hears(wish(TWO_CUPS, GIFT_WRAP, rules=replace(RULES, custom_lines=False)))

    assert decision.reply == CustomLinesNotAllowed()
    assert_nothing_was_placed(service)


def test_an_order_can_consist_of_just_a_price() -> None:
    service = shop()

    service.hears(wish(GIFT_WRAP))

    assert order_in(service).lines == (Line(None, "Gift wrap", 1, 10_000),)
    assert (order_in(service).total_minor, order_in(service).currency) == (10_000, "RUB")


def test_the_client_may_name_the_currency_of_custom_lines() -> None:
    service = shop()

    service.hears(wish(GIFT_WRAP, currency="EUR"))

    assert order_in(service).currency == "EUR"


@pytest.mark.parametrize(("lines", "named"), [((TWO_CUPS, WantedLine("TEA", 1)), None), ((TWO_CUPS,), "EUR")])
def test_an_order_has_one_currency(lines: Sequence[WantedLine], named: str | None) -> None:
    service = shop()
    service.hears(ProductChanged("TEA", 1, "Tea", 500, "EUR", active=True))

    assert service.hears(wish(*lines, currency=named)).reply == CurrencyMismatch(("EUR", "RUB"))
    assert_nothing_was_placed(service)


def test_a_total_that_clients_cannot_read_exactly_is_refused() -> None:
    service = shop()
    gold = WantedLine(None, 1_000_000, 9_000_000_001, "Gold")

    assert service.hears(wish(gold)).reply == TotalTooLarge(9_000_000_001_000_000)
    assert isinstance(service.hears(wish(replace(gold, price_minor=9_000_000_000))).reply, Reply)


def test_the_same_product_may_stand_in_two_lines() -> None:
    service = shop()

    service.hears(wish(TWO_CUPS, TWO_CUPS))

    assert order_in(service).total_minor == 180_000


def test_a_second_unpaid_order_is_refused_with_a_link_to_the_first() -> None:
    service = shop_with_order("pay_pending")

    decision = service.hears(wish(order_id="ord_2"))

    assert decision.reply == UnpaidOrderExists(("/v1/orders/ord_1",), 1)
    assert set(service.records(Order)) == {"ord_1"}


def test_every_customer_has_slots_of_their_own() -> None:
    service = shop_with_order("pay_pending")

    assert isinstance(service.hears(wish(order_id="ord_2", customer_id="cus_2")).reply, Reply)


@pytest.mark.parametrize("told", [(BOOKED, HELD, CAPTURED), (CANCEL,)])
def test_a_settled_order_has_freed_its_slot(told: Sequence[Body]) -> None:
    service = shop_with_order()

    service.hears(*told)

    assert isinstance(service.hears(wish(order_id="ord_2")).reply, Reply)
    assert service.record(UnpaidOrders, "cus_1").order_ids == ("ord_2",)


def test_an_order_that_is_being_captured_keeps_its_slot() -> None:
    service = shop_with_order("capturing")

    assert isinstance(service.hears(wish(order_id="ord_2")).reply, UnpaidOrderExists)


def test_a_shop_may_give_its_customers_more_slots() -> None:
    service = shop()
    two = replace(RULES, unpaid_orders_max=2)

    service.hears(wish(rules=two), wish(order_id="ord_2", rules=two))
    decision = service.hears(wish(order_id="ord_3", rules=two))

    assert decision.reply == UnpaidOrderExists(("/v1/orders/ord_1", "/v1/orders/ord_2"), 2)
    assert service.record(UnpaidOrders, "cus_1") == UnpaidOrders(2, "cus_1", ("ord_1", "ord_2"), 2)


def test_an_older_version_of_a_product_changes_nothing() -> None:
    service = shop()
    service.hears(replace(CUP, version=3, price_minor=50_000))

    service.hears(replace(CUP, version=2, price_minor=99_999))

    assert service.record(ProductCopy, "CUP").price_minor == 50_000


def test_an_older_word_of_the_stock_changes_nothing() -> None:
    service = shop()
    service.hears(SkuBackInStock("CUP", 8), SkuSoldOut("CUP", 7))

    assert not service.record(ProductCopy, "CUP").sold_out


def test_a_product_that_was_sold_out_before_it_was_in_the_catalogue_is_sold_out() -> None:
    service = shop()
    service.hears(SkuSoldOut("TEA", 2), ProductChanged("TEA", 1, "Tea", 500, "RUB", active=True))

    assert service.hears(wish(WantedLine("TEA", 1))).reply == SoldOut(("TEA",))
