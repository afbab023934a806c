"""The way into the console: the sections that somebody's roles open.

What only a demonstration has is shown where there is one: whether there is, the API is asked at the entrance, and the
browser keeps it.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from litestar import Response, get

from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.templates import environment
from sagamart.web.texts import is_text
from sagamart.web.visit import DEMO, Visit

OFFICE = frozenset(("OPERATOR", "ADMIN"))
STOREROOM = frozenset(("STOCK_OPERATOR", "ADMIN"))
DISPATCH = frozenset(("SHIPPING_OPERATOR", "OPERATOR", "ADMIN"))
STAFF = OFFICE | STOREROOM | DISPATCH


class Section(msgspec.Struct, frozen=True):
    """A part of the console: where it is, its icon, whose it is, and what there must be for it."""

    name: str
    path: str
    drawn: str
    roles: frozenset[str]
    needs: Literal["demo", "bank"] | None = None


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
    there = {None, *(["demo"] if visit.has_demo else []), *(["bank"] if visit.bank.url else [])}
    return [one for one in SECTIONS if one.needs in there and not one.roles.isdisjoint(visit.roles)]


async def demonstration_of(visit: Visit) -> Json | None:
    """The demonstration as it is, if there is one, which the browser keeps in mind.  Raises ApiProblem."""
    found = await visit.api.find("/v1/operations/demo")
    if found is None:
        visit.cookies.drop(DEMO)
    elif not visit.has_demo:
        visit.cookies.set(DEMO, "on")
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
        await demonstration_of(visit)
    return visit.go(own[0].path)


environment.globals.update(sections=sections, is_text=is_text)

ROUTES = (console,)
