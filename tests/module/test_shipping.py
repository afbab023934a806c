"""Shipping alone: its worker over its own real database, the other services played by the test."""

import asyncio

import pytest

from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.order_requests import ReturnRequested, ShipmentRequested, ShipmentStopRequested
from sagamart.contracts.orders import Address, Delivery, Line, ReturnedLine
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
from sagamart.platform.http import Caller
from sagamart.shop.shipping.api import ROUTES
from sagamart.shop.shipping.service import SHIPPING
from shop_fixtures import RunningService, Started

PACKER = Caller("usr_packer", frozenset({"SHIPPING_OPERATOR"}))
CUPS = Line("CUP", "Blue cup", 2, 45_000)
DELIVERY = Delivery("courier", 30_000, needs_shipment=True, address=Address("Анна", "RU", "Москва", "Тверская, 1"))
COURIER = {
    "method": "courier",
    "title_en": "Courier",
    "title_ru": "Курьер",
    "price_minor": 30_000,
    "currency": "RUB",
}
BY_POST = {"carrier": "Post", "tracking": "RA1RU"}


def requested(order_id: str = "ord_1") -> ShipmentRequested:
    return ShipmentRequested(order_id, 6, "paid", "cus_1", 1, (CUPS,), 120_000, "RUB", DELIVERY)


def stopping(order_id: str = "ord_1") -> ShipmentStopRequested:
    return ShipmentStopRequested(order_id, 7, "paid", "cus_1", 1, (CUPS,), 120_000, "RUB")


@pytest.fixture
async def shipping(started: Started) -> RunningService:
    """A shipping service that has a courier and knows what a cup weighs."""
    service = await started(SHIPPING, ROUTES)
    response = await service.post("/v1/delivery-methods", COURIER, caller=PACKER)
    assert response.status_code == 201
    await service.hears(ProductChanged("CUP", 1, "Blue cup", 45_000, "RUB", active=True, weight_g=400))
    assert service.sent == [
        DeliveryMethodChanged(
            "courier", 1, "Courier", "Курьер", 30_000, "RUB", needs_shipment=True, needs_address=True, active=True
        )
    ]
    service.sent.clear()
    return service


async def test_an_order_goes_out_arrives_and_comes_back(shipping: RunningService) -> None:
    back = (ReturnedLine(0, 2),)

    await shipping.hears(requested())
    await shipping.post("/v1/shipments/shp_1/hand-over", BY_POST, caller=PACKER)
    await shipping.post("/v1/shipments/shp_1/delivery", None, caller=PACKER)
    await shipping.hears(ReturnRequested("ord_1", 8, "completed", "cus_1", 1, (CUPS,), 1, "RUB", "ret_1", back))
    await shipping.post("/v1/shipments/shp_1/returns/ret_1/receipt", None, caller=PACKER)

    assert shipping.sent == [
        ShipmentPending("ord_1", "shp_1", "cus_1"),
        ShipmentHandedOver("ord_1", "shp_1", "RA1RU", "cus_1"),
        ShipmentDelivered("ord_1", "shp_1"),
        ReturnReceived("ord_1", "ret_1", back),
    ]
    assert await shipping.rows("select status, pieces_back, version from shipments") == [("returned", 2, 4)]
    assert await shipping.rows("select parcel_id from hand_overs") == [("shp_1-1",)]


async def test_a_stop_that_overtakes_its_request_refuses_it(shipping: RunningService) -> None:
    await shipping.hears(stopping())
    await shipping.hears(requested())

    assert shipping.sent == [ShipmentStopped("ord_1"), ShipmentRefused("ord_1", "stopped")]
    assert await shipping.rows("select status, version from shipments") == [("stopped", 1)]


async def test_a_request_its_stop_and_both_again_in_one_batch_end_stopped(shipping: RunningService) -> None:
    await shipping.hears(requested(), stopping(), requested(), stopping())

    assert shipping.sent == [ShipmentPending("ord_1", "shp_1", "cus_1"), *[ShipmentStopped("ord_1")] * 3]


async def test_of_a_cancellation_and_a_hand_over_that_race_exactly_one_wins(shipping: RunningService) -> None:
    orders = [f"ord_{number}" for number in range(20)]
    await shipping.hears(*(requested(order_id) for order_id in orders))

    answers, _ = await asyncio.gather(
        asyncio.gather(
            *(
                shipping.post(f"/v1/shipments/shp_{number}/hand-over", BY_POST, caller=PACKER, key=str(number))
                for number in range(20)
            )
        ),
        shipping.hears(*(stopping(order_id) for order_id in orders)),
    )

    for order_id, answer in zip(orders, answers, strict=True):
        told = [one for one in shipping.sent if getattr(one, "order_id", None) == order_id]
        gone = any(isinstance(one, ShipmentHandedOver) for one in told)
        assert any(isinstance(one, ShipmentStopped) for one in told) is not gone
        assert any(isinstance(one, ShipmentCannotBeStopped) for one in told) is gone
        assert answer.status_code == (200 if gone else 409)
    taken = await shipping.rows("select 'ord_' || substr(shipment_id, 5) from hand_overs order by 1")
    gone_orders = await shipping.rows("select order_id from shipments where status = 'handed_over' order by 1")
    assert taken == gone_orders
