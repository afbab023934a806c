"""Parcels from weight and measures.

- The heaviest pieces first (then the bulkiest, then the longest, then by line), each into the first parcel that takes
  it: the same order always makes the same parcels, and they are few.
- What is not known of a product (a weight of 0, a measure that is missing, a custom line) fills no parcel.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sagamart.shop.shipping.records import PackedPieces, Parcel, ParcelLimits, ProductMeasures

PARCELS_MAX = 20
MM3_PER_CM3 = 1_000


class Wanted(NamedTuple):
    """So many pieces of a line."""

    line: int
    sku: str | None
    quantity: int


class Pieces(NamedTuple):
    """Equal pieces: what one of them weighs and measures."""

    weight_g: int
    volume_mm3: int
    side_mm: int
    line: int
    quantity: int


class _Open:
    """A parcel that is being filled."""

    def __init__(self, limits: ParcelLimits) -> None:
        self.weight_g = 0
        self.volume_mm3 = 0
        self.pieces: list[PackedPieces] = []
        self._limits = limits

    def take(self, one: Pieces, quantity: int) -> int:
        """Take as many of these as fit, `quantity` at most; says how many."""
        by_weight = _room(self._limits.weight_g - self.weight_g, one.weight_g, quantity)
        by_volume = _room(self._limits.volume_cm3 * MM3_PER_CM3 - self.volume_mm3, one.volume_mm3, quantity)
        taken = min(by_weight, by_volume)
        if taken:
            self.weight_g += taken * one.weight_g
            self.volume_mm3 += taken * one.volume_mm3
            self.pieces.append(PackedPieces(one.line, taken))
        return taken

    @property
    def parcel(self) -> Parcel:
        return Parcel(self.weight_g, self.volume_mm3, tuple(sorted(self.pieces, key=lambda packed: packed.line)))


def pack(
    wanted: Iterable[Wanted], measures: Mapping[str, ProductMeasures], limits: ParcelLimits
) -> tuple[Parcel, ...] | None:
    """The parcels of these lines; None where a piece fits into none, or where it takes more than PARCELS_MAX."""
    opened: list[_Open] = []
    for one in sorted(_pieces(wanted, measures), key=_largest_first):
        left = one.quantity
        for parcel in opened:
            left -= parcel.take(one, left)
        while left:
            if one.side_mm > limits.side_mm or len(opened) == PARCELS_MAX:
                return None
            opened.append(_Open(limits))
            taken = opened[-1].take(one, left)
            if not taken:
                return None
            left -= taken
    return tuple(parcel.parcel for parcel in opened)


def _pieces(wanted: Iterable[Wanted], measures: Mapping[str, ProductMeasures]) -> Iterator[Pieces]:
    for line, sku, quantity in wanted:
        known = measures.get(sku) if sku is not None else None
        if known is None:
            yield Pieces(0, 0, 0, line, quantity)
        else:
            sides = [side or 0 for side in (known.length_mm, known.width_mm, known.height_mm)]
            yield Pieces(known.weight_g, sides[0] * sides[1] * sides[2], max(sides), line, quantity)


def _largest_first(one: Pieces) -> tuple[int, ...]:
    return -one.weight_g, -one.volume_mm3, -one.side_mm, one.line


def _room(free: int, each: int, quantity: int) -> int:
    return quantity if each == 0 else min(quantity, free // each)
