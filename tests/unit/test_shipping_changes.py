"""A shipment goes to another address: before the hand-over, where the method goes, and each change once."""

from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from one_service import OneService
from sagamart.contracts.order_requests import ShipmentChangeRequested, ShipmentRequested, ShipmentStopRequested
from sagamart.contracts.orders import Address, Delivery, Line
from sagamart.contracts.shipping import ShipmentCannotBeChanged, ShipmentChanged
from sagamart.messaging.message import Body
from sagamart.shop.shipping.records import Shipment
from sagamart.shop.shipping.service import SHIPPING
from shipping_examples import COURIER, HAND_OVER

HOME = Address("Anna", "RU", "Perm", "Lenina 1")
WORK = replace(HOME, street="Sibirskaya 7")
ABROAD = replace(HOME, country="FI", city="Turku")
ABOUT: dict[str, Any] = {
    "order_id": "ord_1",
    "version": 6,
    "status": "shipping_pending",
    "customer_id": "cus_1",
    "attempt": 1,
    "lines": (Line(None, "Gift wrap", 1, 10_000),),
    "total_minor": 40_000,
    "currency": "RUB",
}


def by_courier(address: Address) -> Delivery:
    return Delivery("courier", 30_000, needs_shipment=True, address=address)


def to(address: Address, change: int = 1) -> ShipmentChangeRequested:
    return ShipmentChangeRequested(**ABOUT, change=change, delivery=by_courier(address))


REQUESTED = ShipmentRequested(**ABOUT, delivery=by_courier(HOME))
STOP = ShipmentStopRequested(**ABOUT)


def shipping(*heard: Body) -> OneService:
    service = OneService(SHIPPING)
    service.hears(COURIER, REQUESTED, *heard)
    service.sent.clear()
    return service


def test_a_parcel_that_is_here_goes_to_the_other_address() -> None:
    service = shipping()

    service.hears(to(WORK), to(WORK))

    assert service.sent == [ShipmentChanged("ord_1", 1)] * 2
    assert service.record(Shipment, "shp_1").address == WORK
    assert service.record(Shipment, "shp_1").version == 2


@pytest.mark.parametrize("gone", [HAND_OVER, STOP])
def test_a_parcel_that_has_left_or_stays_goes_nowhere_else_for_ever(gone: Body) -> None:
    service = shipping(gone)

    service.hears(to(WORK), to(WORK))

    assert service.sent == [ShipmentCannotBeChanged("ord_1", 1, "not_here")] * 2
    assert service.record(Shipment, "shp_1").address == HOME


def test_where_the_method_does_not_go_nothing_is_changed_and_the_next_wish_may_be() -> None:
    service = shipping()

    service.hears(to(ABROAD), to(WORK, 2), to(ABROAD))

    assert service.sent == [ShipmentCannotBeChanged("ord_1", 1, "address_not_served"), ShipmentChanged("ord_1", 2)]
    assert service.record(Shipment, "shp_1").address == WORK


def test_a_change_and_the_hand_over_in_any_order_leave_one_answer_and_one_address() -> None:
    for heard in permutations((to(WORK), HAND_OVER, to(WORK))):
        service = shipping(*heard)
        service.hears(*heard)

        (answer,) = {one for one in service.sent if isinstance(one, ShipmentChanged | ShipmentCannotBeChanged)}
        went = service.record(Shipment, "shp_1").address
        assert went == (WORK if isinstance(answer, ShipmentChanged) else HOME)


def test_a_change_of_what_was_never_to_be_sent_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="nothing of it is here"):
        OneService(SHIPPING).hears(COURIER, to(WORK))
