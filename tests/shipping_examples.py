"""Shipping for tests: a courier, the largest box that it takes, and a parcel that is given to it."""

from sagamart.shop.shipping.messages import HandOverShipment, SetMethod
from sagamart.shop.shipping.records import ParcelLimits

BOX = ParcelLimits(weight_g=1_000, side_mm=600, volume_cm3=30_000)
COURIER = SetMethod(
    "courier",
    None,
    "Courier",
    "Курьер",
    30_000,
    0,
    "RUB",
    needs_shipment=True,
    needs_address=True,
    countries=("RU", "BY"),
    parcel_max=BOX,
    active=True,
)
HAND_OVER = HandOverShipment("shp_1", "usr_packer", "en", "Post", "RA1RU")
