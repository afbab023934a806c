"""The shelf: every product, searched as one types."""

from typing import Any

from litestar import Response, get

from sagamart.web.visit import Visit

SHELF = 24
"""Products on one page."""


@get("/")
async def home(visit: Visit, q: str = "") -> Response[Any]:
    """Products, or those that answer a question."""
    found = await visit.api.get("/v1/products", q=q.strip(), limit=SHELF)
    template = "shelf.html" if visit.is_fragment else "home.html"
    return visit.page(template, question=q, found=found)


ROUTES = (home,)
