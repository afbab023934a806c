"""Parcels from weight and measures, and what sending them costs."""

from sagamart.contracts.shipping import charged_g, delivery_price_minor
from sagamart.shop.shipping.parcels import PARCELS_MAX, Wanted, pack
from sagamart.shop.shipping.records import DeliveryMethod, PackedPieces, ParcelLimits, ProductMeasures

LIMITS = ParcelLimits(weight_g=10_000, side_mm=1_000, volume_cm3=50_000)
COURIER = DeliveryMethod(
    1,
    "courier",
    "Courier",
    "Курьер",
    30_000,
    4_000,
    "RUB",
    needs_shipment=True,
    needs_address=True,
    countries=(),
    parcel_max=LIMITS,
    active=True,
)
MEASURES = {
    "ANVIL": ProductMeasures(1, "ANVIL", 1, 6_000, 300, 200, 200),
    "MUG": ProductMeasures(1, "MUG", 1, 400, 100, 100, 100),
    "PILLOW": ProductMeasures(1, "PILLOW", 1, 500, 500, 400, 150),
    "SKI": ProductMeasures(1, "SKI", 1, 2_000, 1_800, 100, 50),
    "SAFE": ProductMeasures(1, "SAFE", 1, 10_001),
    "CARD": ProductMeasures(1, "CARD", 1, 0),
}


def contents(*wanted: tuple[str | None, int]) -> list[tuple[int, tuple[PackedPieces, ...]]] | None:
    """Weight and pieces of each parcel."""
    lines = [Wanted(place, sku, quantity) for place, (sku, quantity) in enumerate(wanted)]
    parcels = pack(lines, MEASURES, LIMITS)
    return None if parcels is None else [(one.weight_g, one.pieces) for one in parcels]


def test_what_fits_into_one_parcel_goes_into_one() -> None:
    assert contents(("MUG", 2), ("ANVIL", 1)) == [(6_800, (PackedPieces(0, 2), PackedPieces(1, 1)))]


def test_what_is_too_heavy_together_goes_into_several_parcels_and_light_things_fill_them() -> None:
    assert contents(("MUG", 11), ("ANVIL", 2)) == [
        (10_000, (PackedPieces(0, 10), PackedPieces(1, 1))),
        (6_400, (PackedPieces(0, 1), PackedPieces(1, 1))),
    ]


def test_what_is_too_bulky_together_goes_into_several_parcels() -> None:
    assert contents(("PILLOW", 2)) == [(500, (PackedPieces(0, 1),)), (500, (PackedPieces(0, 1),))]


def test_parcels_are_the_same_whatever_the_order_of_the_lines() -> None:
    one, other = contents(("MUG", 11), ("ANVIL", 2)), contents(("ANVIL", 2), ("MUG", 11))

    assert one is not None
    assert other is not None
    assert [weight for weight, _ in one] == [weight for weight, _ in other]


def test_a_piece_that_is_too_heavy_or_too_long_for_any_parcel_cannot_be_sent() -> None:
    assert contents(("SAFE", 1)) is None
    assert contents(("MUG", 1), ("SKI", 1)) is None


def test_more_parcels_than_the_greatest_number_are_not_sent() -> None:
    assert len(contents(("ANVIL", PARCELS_MAX)) or ()) == PARCELS_MAX
    assert contents(("ANVIL", PARCELS_MAX + 1)) is None


def test_a_million_pieces_are_weighed_line_by_line() -> None:
    assert contents(("ANVIL", 1_000_000)) is None
    assert contents(("CARD", 1_000_000)) == [(0, (PackedPieces(0, 1_000_000),))]


def test_what_nobody_has_weighed_fills_no_parcel() -> None:
    assert contents((None, 3), ("NEW", 2)) == [(0, (PackedPieces(0, 3), PackedPieces(1, 2)))]


def test_each_started_kilogram_is_charged() -> None:
    assert [delivery_price_minor(30_000, 4_000, grams) for grams in (0, 1, 1_000, 1_001)] == [
        30_000,
        34_000,
        34_000,
        38_000,
    ]


def test_what_is_light_and_bulky_is_charged_by_its_room_and_what_is_not_known_takes_none() -> None:
    assert charged_g(500, 300, 200, 500) == 6_000
    assert charged_g(500, 300, None, 500) == 500
