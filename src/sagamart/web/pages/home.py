"""The shelf: every product, searched as one types, narrowed by price, sorted."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get

from sagamart.web import money
from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.visit import Visit

SHELF = 24
"""Products on one page."""

SORTS = ("", "price", "-price", "title")
UNREADABLE = 400


@get("/")
async def home(visit: Visit) -> Response[Any]:
    """Products, or those that answer a question."""
    asked = {name: visit.question(name) for name in ("q", "sort", "from", "to", "currency", "cursor")}
    found = await _found(visit, asked)
    template = "shelf.html" if visit.is_fragment else "home.html"
    return visit.page(
        template,
        question=asked["q"],
        asked=asked,
        found=found,
        currency=_currency(found, asked),
        sorts=SORTS,
        narrowed=any(asked[name] for name in ("q", "sort", "from", "to")),
    )


async def _found(visit: Visit, asked: Mapping[str, str]) -> Json:
    currency = asked["currency"]
    try:
        return await visit.api.get(
            "/v1/products",
            q=asked["q"],
            sort=asked["sort"] if asked["sort"] in SORTS else "",
            price_from=money.typed(asked["from"], currency),
            price_to=money.typed(asked["to"], currency),
            limit=SHELF,
            cursor=asked["cursor"],
        )
    except ApiProblem as problem:
        if problem.status != UNREADABLE:
            raise
        return {"items": [], "next_cursor": None, "corrected_question": None}


def _currency(found: Json, asked: Mapping[str, str]) -> str:
    """The currency that prices are typed in: that of what is on the shelf."""
    return found["items"][0]["currency"] if found["items"] else asked["currency"]


ROUTES = (home,)
