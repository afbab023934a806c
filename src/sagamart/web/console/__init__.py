"""The operator's console: what staff see and do, each by their role.  Like every page it knows the public API only."""

from collections.abc import Sequence

from litestar.handlers import HTTPRouteHandler

from sagamart.web.console import (
    bank,
    board,
    demo,
    entrance,
    orders,
    people,
    products,
    promotions,
    recorder,
    settling,
    shipments,
    stock,
    trouble,
)

PARTS = (
    entrance,
    orders,
    recorder,
    trouble,
    settling,
    board,
    stock,
    products,
    promotions,
    shipments,
    people,
    demo,
    bank,
)

ROUTES: Sequence[HTTPRouteHandler] = tuple(route for part in PARTS for route in part.ROUTES)
