"""A paid order goes to another address, as long as its parcel is here: shipping decides, the order asks."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from msgspec.structs import replace

from one_service import OneService
from orders_examples import BOOKED, CANCEL, TWO_CUPS, order_in
from orders_ways import HOME, order, paid_shipped_order, rules, shop_with
from sagamart.contracts.order_requests import ShipmentChangeRequested
from sagamart.contracts.orders import Address, AddressNotChanged
from sagamart.contracts.shipping import (
    ShipmentCannotBeChanged,
    ShipmentCannotBeStopped,
    ShipmentChanged,
    ShipmentHandedOver,
    ShipmentPending,
    ShipmentStopped,
)
from sagamart.messaging.decision import Reply
from sagamart.messaging.message import Body
from sagamart.shop.orders.changing import NotChangeableNow
from sagamart.shop.orders.messages import ChangeOrder, WantedDelivery, WantedLine
from sagamart.shop.orders.readdressing import AnotherChangeUnderWay, OnlyTheAddress, TooLateToReaddress
from sagamart.shop.orders.view import Unchanged, view

WORK = Address("Anna", "RU", "Perm", "Sibirskaya 7")
PARENTS = replace(HOME, street="Kuibysheva 3")
PENDING = ShipmentPending("ord_1", "shp_1")
HANDED_OVER = ShipmentHandedOver("ord_1", "shp_1")
CHANGED = ShipmentChanged("ord_1", 1)
CANNOT = ShipmentCannotBeChanged("ord_1", 1, "not_here")


def wants(
    address: Address | None = WORK, *, method: str = "courier", lines: tuple[WantedLine, ...] | None = None
) -> ChangeOrder:
    delivery = WantedDelivery(method, address)
    return ChangeOrder("ord_1", "cus_1", staff=False, rules=rules(), delivery=delivery, lines=lines)


def waiting_for_the_carrier() -> OneService:
    service = paid_shipped_order()
    service.hears(PENDING)
    service.sent.clear()
    return service


def address_of(service: OneService) -> Address | None:
    delivery = order_in(service).plan.delivery
    assert delivery is not None
    return delivery.address


def test_shipping_is_asked_and_the_order_keeps_its_address_until_it_has_answered() -> None:
    service = waiting_for_the_carrier()

    decision = service.hears(wants())

    (asked,) = decision.send
    assert isinstance(asked, ShipmentChangeRequested)
    assert (asked.change, asked.delivery.address, asked.delivery.price_minor) == (1, WORK, 30_000)
    assert isinstance(decision.reply, Reply)
    assert decision.reply.status == 202
    assert (address_of(service), order_in(service).plan.elsewhere) == (HOME, WORK)
    service.hears(CHANGED)
    assert (address_of(service), order_in(service).plan.elsewhere) == (WORK, None)
    assert order_in(service).total_minor == 190_000


def test_what_shipping_cannot_change_goes_where_it_was_to_go() -> None:
    service = waiting_for_the_carrier()

    service.hears(wants(), CANNOT)

    assert (address_of(service), order_in(service).plan.elsewhere) == (HOME, None)
    assert order_in(service).status == "shipping_pending"
    told = service.sent[-1]
    assert isinstance(told, AddressNotChanged)
    assert told.reason == "not_here"
    text = "The parcel goes to the first address: the carrier had it already"
    assert view(order_in(service), "en").unchanged == (Unchanged("address", text),)


def test_another_wish_takes_the_place_of_what_could_not_be_changed() -> None:
    service = waiting_for_the_carrier()

    service.hears(wants(), replace(CANNOT, reason="address_not_served"), wants(PARENTS))

    assert view(order_in(service), "en").unchanged == ()


def test_the_same_address_again_asks_nothing_and_another_one_waits_for_the_answer() -> None:
    service = waiting_for_the_carrier()
    service.hears(wants())

    assert service.hears(wants()).send == ()
    assert service.hears(wants(PARENTS)).reply == AnotherChangeUnderWay("ord_1")
    service.hears(CHANGED)
    again = service.hears(wants(PARENTS)).send

    assert [(one.change, one.delivery.address) for one in again if isinstance(one, ShipmentChangeRequested)] == [
        (2, PARENTS)
    ]


def test_an_answer_to_an_earlier_change_changes_nothing() -> None:
    service = waiting_for_the_carrier()
    service.hears(wants(), CHANGED, wants(PARENTS))

    service.hears(CHANGED)

    assert (address_of(service), order_in(service).plan.elsewhere) == (WORK, PARENTS)


@pytest.mark.parametrize("wish", [wants(method="post"), wants(None), wants(lines=(TWO_CUPS,))])
def test_of_a_paid_order_nothing_but_the_address_is_changed(wish: ChangeOrder) -> None:
    assert waiting_for_the_carrier().hears(wish).reply == OnlyTheAddress("ord_1", "shipping_pending")


def test_a_price_of_today_is_no_matter_for_what_is_paid() -> None:
    service = waiting_for_the_carrier()
    wish = wants(lines=(WantedLine("CUP", 2, price_minor=1),))

    assert service.hears(wish).reply == OnlyTheAddress("ord_1", "shipping_pending")


def test_before_shipping_has_it_and_after_the_hand_over_it_goes_nowhere_else() -> None:
    service = paid_shipped_order()

    assert service.hears(wants()).reply == NotChangeableNow("ord_1", "paid")
    service.hears(HANDED_OVER)
    assert service.hears(wants()).reply == TooLateToReaddress("ord_1")


def test_what_is_being_stopped_goes_nowhere_else() -> None:
    service = waiting_for_the_carrier()
    service.hears(CANCEL)

    assert service.hears(wants()).reply == TooLateToReaddress("ord_1")


@pytest.mark.parametrize("answers", list(permutations([CHANGED, HANDED_OVER, ShipmentCannotBeStopped("ord_1")])))
def test_a_change_the_hand_over_and_a_stop_may_be_told_in_any_order(answers: Sequence[Body]) -> None:
    service = waiting_for_the_carrier()
    service.hears(wants(), CANCEL)

    service.hears(*answers, *answers)

    assert (address_of(service), order_in(service).status) == (WORK, "shipping_pending")


@pytest.mark.parametrize("answers", list(permutations([CANNOT, ShipmentStopped("ord_1")])))
def test_a_stop_that_overtakes_a_change_cancels_the_order(answers: Sequence[Body]) -> None:
    service = waiting_for_the_carrier()
    service.hears(wants(), CANCEL)

    service.hears(*answers)

    assert order_in(service).status == "cancelled"
    assert order_in(service).plan.elsewhere is None
    assert AddressNotChanged not in map(type, service.sent)


def test_an_answer_to_a_change_that_was_never_asked_for_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="about change 1 of 0"):
        waiting_for_the_carrier().hears(CHANGED)


def test_an_order_that_waits_for_its_payment_is_changed_as_before() -> None:
    service = shop_with(order(shipped=True), BOOKED)

    service.hears(wants())

    assert (address_of(service), order_in(service).plan.elsewhere) == (WORK, None)
