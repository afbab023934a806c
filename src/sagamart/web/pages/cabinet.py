"""The cabinet's first page: what is of interest now, and where the rest is."""

import asyncio
from typing import Any

from litestar import Response, get

from sagamart.web.order_view import OrderPage
from sagamart.web.visit import Visit

SHOWN = 3
"""Orders, and messages, on the first page."""

NOTIFICATIONS = 20


@get("/cabinet")
async def cabinet(visit: Visit) -> Response[Any]:
    """The wallet, the latest orders and messages; for htmx again while somebody looks."""
    me, wallet, orders, messages = await asyncio.gather(
        visit.api.get("/v1/me"),
        visit.api.get("/v1/wallet"),
        visit.api.get("/v1/orders", limit=SHOWN),
        visit.api.get("/v1/notifications", limit=SHOWN),
    )
    shown = [OrderPage(one) for one in orders["items"]]
    template = "cabinet_now.html" if visit.is_fragment else "cabinet.html"
    return visit.page(template, me=me, wallet=wallet, shown=shown, messages=messages["items"])


@get("/notifications")
async def notifications(visit: Visit) -> Response[Any]:
    """What one was told, the newest first."""
    found = await visit.api.get("/v1/notifications", limit=NOTIFICATIONS, cursor=visit.question("cursor"))
    return visit.page("notifications.html", messages=found["items"], next_cursor=found["next_cursor"])


ROUTES = (cabinet, notifications)
