"""What a changed order keeps of its lines.

- Pieces that were ordered before keep their price and their title; more of them cost what they cost now.
- A line for which the client shows a price takes over pieces of that price alone: nobody pays another one.
- Two prices of one product are two lines.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from sagamart.contracts.orders import Line
from sagamart.shop.orders.messages import WantedLine
from sagamart.shop.orders.records import ProductCopy


def pieces_of(lines: Sequence[Line | WantedLine]) -> Counter[str]:
    """Pieces by sku."""
    pieces: Counter[str] = Counter()
    for line in lines:
        if line.sku is not None:
            pieces[line.sku] += line.quantity
    return pieces


def taken_over(wanted: Sequence[WantedLine], kept: Sequence[Line]) -> list[tuple[tuple[Line, ...], int]]:
    """For each wanted line the pieces that it takes over, first come first served, and how many more it wants."""
    left: dict[str | None, list[Line]] = {}
    for line in kept:
        left.setdefault(line.sku, []).append(line)
    return [_share(line, left.get(line.sku, []) if line.sku is not None else []) for line in wanted]


def _share(wanted: WantedLine, left: list[Line]) -> tuple[tuple[Line, ...], int]:
    """What this line takes of the pieces that are left, which are then fewer."""
    taken: dict[int, Line] = {}
    more = wanted.quantity
    for place, line in enumerate(left):
        pieces = min(more, line.quantity)
        if pieces and wanted.price_minor in {None, line.price_minor}:
            before = taken.get(line.price_minor, replace(line, quantity=0))
            taken[line.price_minor] = replace(before, quantity=before.quantity + pieces)
            left[place] = replace(line, quantity=line.quantity - pieces)
            more -= pieces
    return tuple(taken.values()), more


def priced_anew(
    wanted: Sequence[WantedLine], kept: Sequence[Line], products: Mapping[str, ProductCopy]
) -> tuple[Line, ...]:
    """The lines of a changed order: what it takes over, and more at the prices of now."""
    return tuple(
        line
        for wish, (taken, more) in zip(wanted, taken_over(wanted, kept), strict=True)
        for line in _lines(wish, taken, more, products)
    )


def _lines(
    wish: WantedLine, taken: tuple[Line, ...], more: int, products: Mapping[str, ProductCopy]
) -> tuple[Line, ...]:
    if not more:
        return taken
    now = newly(wish, more, products)
    same = next((line for line in taken if line.price_minor == now.price_minor), None)
    if same is None:
        return (*taken, now)
    return tuple(replace(line, quantity=line.quantity + more) if line is same else line for line in taken)


def newly(wish: WantedLine, pieces: int, products: Mapping[str, ProductCopy]) -> Line:
    """So many pieces at the price of now; a custom line has a price of its own."""
    if wish.sku is None:
        return Line(None, wish.title or "", pieces, wish.price_minor or 0)
    product = products[wish.sku]
    return Line(wish.sku, product.title, pieces, product.price_minor)
