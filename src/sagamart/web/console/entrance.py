"""The way into the console: the sections that somebody's roles open.

What only a demonstration has is shown where it is there: the API is asked at the entrance, and the browser keeps it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import msgspec
from litestar import Response, get

from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.templates import environment
from sagamart.web.texts import is_text
from sagamart.web.visit import Visit

OFFICE = frozenset(("OPERATOR", "ADMIN"))
STOREROOM = frozenset(("STOCK_OPERATOR", "ADMIN"))
DISPATCH = frozenset(("SHIPPING_OPERATOR", "OPERATOR", "ADMIN"))
STAFF = OFFICE | STOREROOM | DISPATCH


Beside = Literal["demo", "bank"]
SHOWN_BY: Mapping[Beside, str] = {"demo": "/v1/operations/demo", "bank": "/v1/operations/bank/misbehaviour"}
"""What only a demonstration has, and what shows it."""


class Section(msgspec.Struct, frozen=True):
    """A part of the console: where it is, its icon, whose it is, and what there must be for it."""

    name: str
    path: str
    drawn: str
    roles: frozenset[str]
    needs: Beside | None = None


SECTIONS: Sequence[Section] = (
    Section("board", "/console/board", "half", OFFICE),
    Section("orders", "/console/orders", "orders", OFFICE),
    Section("trouble", "/console/trouble", "alert", OFFICE),
    Section("acts", "/console/acts", "clock", OFFICE),
    Section("stock", "/console/stock", "shelf", STOREROOM),
    Section("products", "/console/products", "tag", OFFICE),
    Section("promotions", "/console/promotions", "receipt", OFFICE),
    Section("shipments", "/console/shipments", "truck", DISPATCH),
    Section("people", "/console/people", "person", OFFICE),
    Section("demo", "/console/demo", "play", OFFICE, "demo"),
    Section("bank", "/console/bank", "card", OFFICE, "bank"),
)


def sections(visit: Visit) -> Sequence[Section]:
    """The sections of a visitor's roles.  Links only: what they may do, the API decides."""
    there = {None, *visit.beside}
    return [one for one in SECTIONS if one.needs in there and not one.roles.isdisjoint(visit.roles)]


async def shown_beside(visit: Visit, name: Beside) -> Json | None:
    """What only a demonstration has, as it is, if it is there, which the browser keeps in mind.  Raises ApiProblem."""
    found = await visit.api.find(SHOWN_BY[name])
    visit.keep_beside(name, there=found is not None)
    return found


@get("/console")
async def console(visit: Visit) -> Response[Any]:
    """On to the first section that is one's own."""
    if not visit.api.knows_visitor:
        raise ApiProblem(401, "unauthenticated")
    own = sections(visit)
    if not own:
        raise ApiProblem(403, "forbidden")
    if not visit.roles.isdisjoint(OFFICE):
        await asyncio.gather(*(_look(visit, name) for name in SHOWN_BY))
    return visit.go(own[0].path)


async def _look(visit: Visit, name: Beside) -> None:
    """See whether this is there; who cannot say now has not changed it."""
    with suppress(ApiProblem):
        await shown_beside(visit, name)


environment.globals.update(sections=sections, is_text=is_text)

ROUTES = (console,)
