"""One product."""

import asyncio
from typing import Any

from litestar import Response, get

from sagamart.web.visit import Visit

PRICES = 5
"""Earlier prices that are shown."""


@get("/products/{sku:str}")
async def product(visit: Visit, sku: str) -> Response[Any]:
    """A product: what it costs and has cost, and how many there are."""
    path = visit.path_of("/v1/products", sku)
    found, stock, prices = await asyncio.gather(
        visit.api.get(path),
        visit.api.find(visit.path_of("/v1/stock", sku, "availability")),
        visit.api.get(f"{path}/prices", limit=PRICES),
    )
    return visit.page(
        "product.html",
        product=found,
        available=None if stock is None else stock["available"],
        prices=prices["items"],
        quantity=visit.question("quantity") or "1",
    )


ROUTES = (product,)
