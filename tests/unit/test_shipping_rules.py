"""The rules of shipping, each heard by the service's own handlers."""

from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from one_service import OneService
from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.order_requests import ReturnRequested, ShipmentRequested, ShipmentStopRequested
from sagamart.contracts.orders import Address, Delivery, DeliveryReported, Line, ReturnedLine
from sagamart.contracts.shipping import (
    DeliveryMethodChanged,
    ReturnReceived,
    ShipmentCannotBeStopped,
    ShipmentDelivered,
    ShipmentHandedOver,
    ShipmentPending,
    ShipmentRefused,
    ShipmentStopped,
)
from sagamart.messaging.decision import Reply
from sagamart.messaging.message import Body
from sagamart.shop.shipping.decide import MoreThanSent, NotHandedOver, NotPending, UnknownReturn, UnknownShipment
from sagamart.shop.shipping.messages import ConfirmDelivery, ReceiveReturn, SetMethod
from sagamart.shop.shipping.methods import MethodTaken, UnknownMethod, VersionChanged
from sagamart.shop.shipping.records import (
    DeliveryMethod,
    HandOver,
    ProductMeasures,
    Return,
    Shipment,
)
from sagamart.shop.shipping.service import SHIPPING
from shipping_examples import BOX, COURIER, HAND_OVER

CUPS = Line("CUP", "Blue cup", 3, 45_000)
GIFT_WRAP = Line(None, "Gift wrap", 1, 10_000)
MOSCOW = Address("Анна", "RU", "Москва", "Тверская, 1")
BY_COURIER = Delivery("courier", 30_000, needs_shipment=True, address=MOSCOW)
CUP = ProductChanged("CUP", 4, "Blue cup", 45_000, "RUB", active=True, weight_g=400)

DELIVERED = ConfirmDelivery("shp_1", "usr_packer", "en")
RECEIVE = ReceiveReturn("shp_1", "usr_packer", "en", "ret_1")
REPORTED = DeliveryReported("ord_1", 9, "completed", "cus_1", 1, (CUPS,), 165_000, "RUB")


def requested(*lines: Line, delivery: Delivery = BY_COURIER, order_id: str = "ord_1") -> ShipmentRequested:
    return ShipmentRequested(order_id, 6, "paid", "cus_1", 1, lines or (CUPS,), 165_000, "RUB", delivery)


def stopping(order_id: str = "ord_1") -> ShipmentStopRequested:
    return ShipmentStopRequested(order_id, 7, "paid", "cus_1", 1, (CUPS,), 165_000, "RUB")


def returning(quantity: int = 3, return_id: str = "ret_1", order_id: str = "ord_1") -> ReturnRequested:
    pieces = (ReturnedLine(0, quantity),)
    return ReturnRequested(order_id, 8, "completed", "cus_1", 1, (CUPS,), 165_000, "RUB", return_id, pieces)


def shipping(*heard: Body) -> OneService:
    """A shipping service that has a courier, knows the cup, and has heard this."""
    service = OneService(SHIPPING)
    service.hears(COURIER, CUP, *heard)
    service.sent.clear()
    return service


def test_a_paid_order_gets_parcels_that_are_not_too_heavy() -> None:
    service = shipping()

    decision = service.hears(requested())

    assert list(decision.send) == [ShipmentPending("ord_1", "shp_1", "cus_1")]
    assert [one.weight_g for one in service.record(Shipment, "shp_1").parcels] == [800, 400]


def test_an_order_without_known_products_goes_into_one_parcel() -> None:
    service = shipping(requested(GIFT_WRAP))

    assert [one.weight_g for one in service.record(Shipment, "shp_1").parcels] == [0]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (requested(delivery=Delivery("pigeon", 1, needs_shipment=True, address=MOSCOW)), "unknown_method"),
        (requested(delivery=Delivery("courier", 1, needs_shipment=True)), "address_not_served"),
        (
            requested(
                delivery=Delivery(
                    "courier", 1, needs_shipment=True, address=Address("Ann", "GB", "London", "12 Reed Lane")
                )
            ),
            "address_not_served",
        ),
        (requested(Line("CUP", "Blue cup", 41, 45_000)), "too_heavy"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name_and_again_when_asked_again(
    request_: ShipmentRequested, reason: Any
) -> None:
    service = shipping()

    service.hears(request_, request_)

    assert service.sent == [ShipmentRefused("ord_1", reason)] * 2
    assert service.record(Shipment, "shp_1").version == 1


def test_a_method_that_is_no_longer_offered_still_sends_what_was_ordered_by_it() -> None:
    service = shipping()
    method = service.record(DeliveryMethod, "courier")
    gone = replace(COURIER, expected_version=method.version, countries=(), active=False)

    service.hears(gone, requested())

    assert service.sent[-1] == ShipmentPending("ord_1", "shp_1", "cus_1")


@pytest.mark.parametrize(
    ("earlier", "answer"),
    [
        ((), ShipmentPending("ord_1", "shp_1", "cus_1")),
        ((stopping(),), ShipmentStopped("ord_1")),
        ((HAND_OVER,), ShipmentHandedOver("ord_1", "shp_1", "RA1RU", "cus_1")),
        ((HAND_OVER, DELIVERED), ShipmentDelivered("ord_1", "shp_1")),
        ((HAND_OVER, DELIVERED, returning(), RECEIVE), ShipmentHandedOver("ord_1", "shp_1", "RA1RU", "cus_1")),
        ((HAND_OVER, returning(), RECEIVE), ShipmentHandedOver("ord_1", "shp_1", "RA1RU", "cus_1")),
    ],
)
def test_a_repeated_request_is_answered_with_how_far_the_parcel_is(earlier: tuple[Body, ...], answer: Body) -> None:
    service = shipping(requested(), *earlier)
    before = service.record(Shipment, "shp_1")

    decision = service.hears(requested())

    assert list(decision.send) == [answer]
    assert service.record(Shipment, "shp_1") == before


def test_a_shipment_is_handed_over_with_a_carrier_and_a_number() -> None:
    service = shipping(requested())

    decision = service.hears(HAND_OVER)

    assert list(decision.send) == [ShipmentHandedOver("ord_1", "shp_1", "RA1RU", "cus_1")]
    assert [(one.parcel_id, one.carrier, one.by) for one in service.entries(HandOver)] == [
        ("shp_1-1", "Post", "usr_packer"),
        ("shp_1-2", "Post", "usr_packer"),
    ]


@pytest.mark.parametrize(
    ("earlier", "status"),
    [
        ((requested(), HAND_OVER), "handed_over"),
        ((requested(), HAND_OVER, DELIVERED), "delivered"),
        ((requested(), stopping()), "stopped"),
        ((stopping(),), "stopped"),
    ],
)
def test_a_parcel_is_handed_over_once_and_not_after_it_was_stopped(earlier: tuple[Body, ...], status: Any) -> None:
    service = shipping(*earlier)
    before = len(service.entries(HandOver))

    decision = service.hears(HAND_OVER)

    assert decision.reply == NotPending("shp_1", status)
    assert len(service.entries(HandOver)) == before
    assert service.sent == []


def test_a_stop_before_the_hand_over_succeeds_and_again_when_asked_again() -> None:
    service = shipping(requested())

    service.hears(stopping(), stopping())

    assert service.sent == [ShipmentStopped("ord_1")] * 2
    assert service.record(Shipment, "shp_1").status == "stopped"


@pytest.mark.parametrize(
    "earlier", [(HAND_OVER,), (HAND_OVER, DELIVERED), (HAND_OVER, DELIVERED, returning(), RECEIVE)]
)
def test_a_stop_after_the_hand_over_is_refused_for_ever(earlier: tuple[Body, ...]) -> None:
    service = shipping(requested(), *earlier)

    service.hears(stopping(), stopping())

    assert service.sent == [ShipmentCannotBeStopped("ord_1")] * 2


def test_a_stop_that_overtakes_its_request_refuses_it() -> None:
    service = shipping()

    service.hears(stopping(), requested(), requested(), stopping())

    refused = ShipmentRefused("ord_1", "stopped")
    assert service.sent == [ShipmentStopped("ord_1"), refused, refused, ShipmentStopped("ord_1")]
    assert service.record(Shipment, "shp_1").parcels == ()


def test_what_was_refused_is_stopped_without_more() -> None:
    service = shipping(requested(delivery=Delivery("pigeon", 1, needs_shipment=True)))

    decision = service.hears(stopping())

    assert list(decision.send) == [ShipmentStopped("ord_1")]
    assert service.record(Shipment, "shp_1").status == "refused"


ONE_ORDER = (requested(), stopping(), HAND_OVER, DELIVERED)


@pytest.mark.parametrize("twice", ONE_ORDER, ids=lambda body: type(body).__name__)
def test_whatever_the_order_of_its_messages_a_shipment_is_stopped_or_handed_over_and_never_both(twice: Body) -> None:
    ends = set()
    for heard in permutations((*ONE_ORDER, twice)):
        service = shipping(*heard)
        service.hears(*heard)  # everything comes once more, as after a crash
        shipment = service.record(Shipment, "shp_1")
        sent = {type(body) for body in service.sent}
        went = bool(service.entries(HandOver))
        ends.add(shipment.status)
        assert went == (shipment.status in {"handed_over", "delivered"})
        assert (ShipmentCannotBeStopped in sent) == went
        assert (ShipmentStopped in sent) == (shipment.status == "stopped")
        assert len({one.parcel_id for one in service.entries(HandOver)}) == len(service.entries(HandOver))

    assert ends == {"stopped", "delivered"}


def test_whatever_the_order_of_its_messages_a_return_is_received_once() -> None:
    for heard in permutations((requested(), HAND_OVER, returning(), RECEIVE, returning())):
        service = shipping(*heard)
        service.hears(*heard, RECEIVE)

        assert service.record(Shipment, "shp_1").status == "returned"
        assert service.record(Return, "ret_1").version == 2
        assert service.record(Shipment, "shp_1").pieces_back == 3


def test_what_arrives_was_on_its_way() -> None:
    for earlier in ((), (stopping(),), (HAND_OVER, DELIVERED)):
        service = shipping(requested(), *earlier)
        status = service.record(Shipment, "shp_1").status

        assert service.hears(DELIVERED).reply == NotHandedOver("shp_1", status)


@pytest.mark.parametrize(
    ("earlier", "status", "told"),
    [
        ((HAND_OVER,), "delivered", [ShipmentDelivered("ord_1", "shp_1")]),
        ((HAND_OVER, DELIVERED), "delivered", []),
        ((HAND_OVER, returning(), RECEIVE), "returned", []),
    ],
)
def test_what_staff_say_of_the_order_is_noted_of_its_parcel(
    earlier: tuple[Body, ...], status: str, told: list[Body]
) -> None:
    service = shipping(requested(), *earlier)

    decision = service.hears(REPORTED)

    assert list(decision.send) == told
    assert service.record(Shipment, "shp_1").status == status


@pytest.mark.parametrize("earlier", [(), (requested(),), (requested(), stopping())])
def test_a_parcel_that_is_said_to_be_delivered_and_never_left_is_a_fault(earlier: tuple[Body, ...]) -> None:
    with pytest.raises(AssertionError, match="was never handed over"):
        shipping(*earlier).hears(REPORTED)


def test_part_of_a_shipment_comes_back_and_then_the_rest() -> None:
    service = shipping(requested(), HAND_OVER, DELIVERED, returning(1), returning(2, "ret_2"))

    first = service.hears(RECEIVE)
    assert service.record(Shipment, "shp_1").status == "delivered"
    service.hears(ReceiveReturn("shp_1", "usr_packer", "en", "ret_2"))

    assert list(first.send) == [ReturnReceived("ord_1", "ret_1", (ReturnedLine(0, 1),))]
    assert service.record(Shipment, "shp_1").status == "returned"


def test_a_return_that_is_announced_again_is_answered_when_it_is_here() -> None:
    service = shipping(requested(), HAND_OVER, DELIVERED, returning())

    assert service.hears(returning()).send == ()
    service.hears(RECEIVE)
    again = service.hears(returning())

    assert list(again.send) == [ReturnReceived("ord_1", "ret_1", (ReturnedLine(0, 3),))]


@pytest.mark.parametrize(
    ("earlier", "refusal"),
    [
        ((), UnknownShipment("shp_1")),
        ((requested(),), UnknownReturn("ret_1")),
        ((requested(), returning(order_id="ord_2")), UnknownReturn("ret_1")),
        ((requested(), returning()), NotHandedOver("shp_1", "pending")),
        ((requested(), HAND_OVER, returning(4)), MoreThanSent(4, 3)),
    ],
)
def test_what_was_not_announced_or_not_sent_cannot_come_back(earlier: tuple[Body, ...], refusal: Any) -> None:
    decision = shipping(*earlier).hears(RECEIVE)

    assert decision.reply == refusal
    assert (decision.save, decision.send) == ((), ())


def test_the_newest_measures_of_a_product_are_kept() -> None:
    service = shipping()

    older = ProductChanged("CUP", 3, "Cup", 1, "RUB", active=True, weight_g=9)
    newer = ProductChanged(
        "CUP", 5, "Cup", 1, "RUB", active=True, weight_g=450, length_mm=90, width_mm=80, height_mm=70
    )
    service.hears(newer, older, newer)

    assert service.record(ProductMeasures, "CUP") == ProductMeasures(2, "CUP", 5, 450, 90, 80, 70)


def test_a_new_method_is_told_with_its_price() -> None:
    service = OneService(SHIPPING)

    decision = service.hears(COURIER)

    told = DeliveryMethodChanged(
        "courier", 1, "Courier", "Курьер", 30_000, "RUB", needs_shipment=True, needs_address=True, active=True
    )
    assert list(decision.send) == [told]
    assert isinstance(decision.reply, Reply)


def changed(version: int | None, price_minor: int = 30_000, method: str = "courier") -> SetMethod:
    return SetMethod(
        method,
        version,
        "Courier",
        "Курьер",
        price_minor,
        0,
        "RUB",
        needs_shipment=True,
        needs_address=True,
        countries=("RU", "BY"),
        parcel_max=BOX,
        active=True,
    )


def test_a_method_changes_under_the_version_that_was_seen() -> None:
    service = shipping()

    assert service.hears(changed(None)).reply == MethodTaken("courier")
    assert service.hears(changed(1, method="pigeon")).reply == UnknownMethod("pigeon")
    assert service.hears(changed(1)).send == ()  # nothing is different
    service.hears(changed(1, 35_000))
    assert service.hears(changed(1, 36_000)).reply == VersionChanged(2)

    assert [one.price_minor for one in service.sent if isinstance(one, DeliveryMethodChanged)] == [35_000]
