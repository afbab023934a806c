"""The way into the console: the sections that somebody's roles open."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response, get

from sagamart.web.api_client import ApiProblem
from sagamart.web.templates import environment
from sagamart.web.texts import is_text
from sagamart.web.visit import Visit

OFFICE = frozenset(("OPERATOR", "ADMIN"))
STOREROOM = frozenset(("STOCK_OPERATOR", "ADMIN"))
DISPATCH = frozenset(("SHIPPING_OPERATOR", "OPERATOR", "ADMIN"))
STAFF = OFFICE | STOREROOM | DISPATCH


class Section(msgspec.Struct, frozen=True):
    """A part of the console: where it is, its icon, and whose it is."""

    name: str
    path: str
    drawn: str
    roles: frozenset[str]


SECTIONS: Sequence[Section] = (
    Section("board", "/console/board", "half", OFFICE),
    Section("orders", "/console/orders", "orders", OFFICE),
    Section("trouble", "/console/trouble", "alert", OFFICE),
    Section("acts", "/console/acts", "clock", OFFICE),
    Section("stock", "/console/stock", "shelf", STOREROOM),
    Section("products", "/console/products", "tag", OFFICE),
    Section("promotions", "/console/promotions", "receipt", OFFICE),
    Section("shipments", "/console/shipments", "truck", DISPATCH),
    Section("demo", "/console/demo", "play", OFFICE),
    Section("bank", "/console/bank", "card", OFFICE),
)


def sections(roles: frozenset[str]) -> Sequence[Section]:
    """The sections of somebody with these roles.  Links only: what they may do, the API decides."""
    return [one for one in SECTIONS if not one.roles.isdisjoint(roles)]


@get("/console")
async def console(visit: Visit) -> Response[Any]:
    """On to the first section that is one's own."""
    if not visit.api.knows_visitor:
        raise ApiProblem(401, "unauthenticated")
    own = sections(visit.roles)
    if not own:
        raise ApiProblem(403, "forbidden")
    return visit.go(own[0].path)


environment.globals.update(sections=sections, is_text=is_text)

ROUTES = (console,)
