"""Orders of everybody: found by what one knows of them, and each with what staff may do."""

import asyncio
from collections.abc import Sequence
from typing import Any

from litestar import Response, get, post

from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.console.acting import act, why
from sagamart.web.console.people import names_of_staff
from sagamart.web.console.shipments import titles_of_methods
from sagamart.web.console.trouble import letters_of, missing_from
from sagamart.web.forms import Form
from sagamart.web.order_view import FINAL, OrderPage
from sagamart.web.visit import Visit

ORDERS = 25
ACTS = 200
UNREADABLE = 400
STATUSES = (
    "new",
    "booking_pending",
    "checked",
    "booked",
    "pay_pending",
    "partially_paid",
    "capturing",
    "paid",
    "shipping_pending",
    "completed",
    "cancelled",
    "returned",
)
FILTERS = ("q", "customer", "status", "placed_from", "placed_to", "cursor")
SETTLED = frozenset(("captured", "refunded", "declined", "failed", "voided"))
"""Where the bank owes no answer about a payment."""

DELIVERABLE = frozenset(("shipping_pending",))
"""Where staff may say that an order is complete: shipping has it, and refuses it no more."""


@get("/console/orders")
async def orders(visit: Visit) -> Response[Any]:
    """The newest orders, or those that are looked for."""
    asked = {name: visit.question(name) for name in FILTERS}
    asked["status"] = asked["status"] if asked["status"] in STATUSES else ""
    try:
        found = await visit.api.get("/v1/orders", **asked, limit=ORDERS)
    except ApiProblem as problem:
        if problem.status != UNREADABLE:
            raise
        found = {"items": [], "next_cursor": None}
    shown = [OrderPage(one) for one in found["items"]]
    template = "console/orders_list.html" if visit.is_fragment else "console/orders.html"
    return visit.page(template, shown=shown, next_cursor=found["next_cursor"], asked=asked, statuses=STATUSES)


@get("/console/orders/{order_id:str}")
async def order(visit: Visit, order_id: str) -> Response[Any]:
    """One order: what it is, what staff did to it, and what they may do now."""
    path = visit.path_of("/v1/orders", order_id)
    found = await visit.api.get(path)
    acts, letters, staff, methods = await asyncio.gather(
        visit.api.get("/v1/operations/actions", subject=order_id, limit=ACTS),
        letters_of(visit, [found["id"]]),
        names_of_staff(visit),
        titles_of_methods(visit),
    )
    return visit.page(
        "console/order.html",
        page=OrderPage(found),
        order=found,
        missing=missing_from(acts),
        acts=acts["items"],
        staff=staff,
        methods=methods,
        letters=letters.get(found["id"], []),
        moves=moves_of(found),
        unsettled=await _unsettled(visit, found),
    )


async def _unsettled(visit: Visit, order: Json) -> Sequence[Json]:
    """The payments through the bank of which more is expected, as far as they can be asked for."""
    asked = [one["id"] for one in order["payments"] if one["source"] == "bank"]
    found = await asyncio.gather(*(visit.api.reach(visit.path_of("/v1/payments", one)) for one in asked))
    return [one for one in found if one is not None and one["status"] not in SETTLED]


def moves_of(order: Json) -> Sequence[str]:
    """Where staff may move an order to."""
    if order["status"] in FINAL:
        return []
    return ["completed", "cancelled"] if order["status"] in DELIVERABLE else ["cancelled"]


@post("/console/orders/{order_id:str}/cancellation")
async def cancel(visit: Visit, order_id: str, form: Form) -> Response[Any]:
    """Call an order off: what it kept is let go, what it paid is refunded."""
    path = f"{visit.path_of('/v1/operations/orders', order_id)}/cancellation"
    return await act(visit, form, "POST", path, why(form), told="console.done_cancelled")


@post("/console/orders/{order_id:str}/status")
async def move(visit: Visit, order_id: str, form: Form) -> Response[Any]:
    """Move an order by the word of staff."""
    path = f"{visit.path_of('/v1/orders', order_id)}/status"
    body = {"status": form.text("status"), **why(form)}
    return await act(visit, form, "PUT", path, body, version=form.number("version"), told="console.done_moved")


ROUTES = (orders, order, cancel, move)
