"""A visitor's basket with what its products are called and cost now."""

import asyncio
from collections.abc import Mapping, Sequence

import httpx
import msgspec

from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.visit import Visit

QUANTITY_MAX = 1_000
TRIES_MAX = 3


class Line(msgspec.Struct, frozen=True):
    """So many pieces of a product; None where the shop has it no more.  `shown_minor` is the price it was put in at."""

    sku: str
    quantity: int
    shown_minor: int | None
    product: Json | None

    @property
    def price_minor(self) -> int:
        """What a piece costs now."""
        return int(self.product["price_minor"]) if self.product is not None else 0

    @property
    def amount_minor(self) -> int:
        """What all pieces cost now."""
        return self.quantity * self.price_minor

    @property
    def is_dearer(self) -> bool:
        """Whether the price is another one than when it was put in."""
        return self.product is not None and self.shown_minor not in (None, self.price_minor)

    @property
    def is_on_sale(self) -> bool:
        """Whether it can be ordered."""
        return self.product is not None and bool(self.product["active"])


class Filled(msgspec.Struct, frozen=True):
    """All that is in a basket."""

    lines: Sequence[Line]
    version: int

    @property
    def goods_minor(self) -> int:
        """What it costs."""
        return sum(line.amount_minor for line in self.lines)

    @property
    def pieces(self) -> int:
        """How many pieces there are."""
        return sum(line.quantity for line in self.lines)

    @property
    def currency(self) -> str:
        """The currency of its first product."""
        return next((line.product["currency"] for line in self.lines if line.product is not None), "")

    @property
    def is_fit(self) -> bool:
        """Whether it can be ordered as it is."""
        return bool(self.lines) and all(line.is_on_sale and not line.is_dearer for line in self.lines)

    @property
    def wanted(self) -> list[str]:
        """As delivery is asked for: `MUG:2`."""
        return [f"{line.sku}:{line.quantity}" for line in self.lines]


async def basket_of(visit: Visit) -> Filled:
    """The visitor's basket.  Raises ApiProblem."""
    basket = await visit.api.get("/v1/basket")
    lines = basket["lines"]
    products = await asyncio.gather(*(visit.api.find(visit.path_of("/v1/products", line["sku"])) for line in lines))
    filled = Filled(
        [
            Line(line["sku"], line["quantity"], line["price_minor"], product)
            for line, product in zip(lines, products, strict=True)
        ],
        basket["version"],
    )
    count(visit, filled.pieces)
    return filled


async def put_in(visit: Visit, sku: str, quantity: int, price_minor: int | None) -> None:
    """Add pieces of a product.  Raises ApiProblem."""
    for left in reversed(range(TRIES_MAX)):
        basket = await visit.api.get("/v1/basket")
        pieces = {line["sku"]: line for line in basket["lines"]}
        before = pieces.get(sku, {"quantity": 0})["quantity"]
        pieces[sku] = {"sku": sku, "quantity": min(before + quantity, QUANTITY_MAX), "price_minor": price_minor}
        try:
            await fill(visit, list(pieces.values()), basket["version"])
        except ApiProblem as problem:
            if problem.status != httpx.codes.PRECONDITION_FAILED or not left:
                raise
        else:
            return


async def fill(visit: Visit, lines: Sequence[Mapping[str, object]], version: int) -> None:
    """Have these lines in the basket and no others, if it is still at this version.  Raises ApiProblem."""
    after = await visit.api.send("PUT", "/v1/basket", {"lines": lines}, version=version)
    count(visit, sum(line["quantity"] for line in after["lines"]))


def count(visit: Visit, pieces: int) -> None:
    """Have the browser remember how many pieces there are, for the frame of other pages."""
    if pieces != visit.pieces:
        visit.cookies.set("pieces", str(pieces))
