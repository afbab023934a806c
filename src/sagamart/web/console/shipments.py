"""Shipments: handed over to a carrier, delivered, and what comes back."""

import asyncio
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post

from sagamart.web.console.acting import act
from sagamart.web.forms import Form
from sagamart.web.order_view import OrderPage, pieces_back
from sagamart.web.visit import Visit

SHIPMENTS = 25
STATUSES = ("pending", "handed_over", "delivered", "returned", "stopped", "refused")
ANNOUNCERS = frozenset(("OPERATOR", "ADMIN"))
"""Who may say of an order that it comes back undelivered."""

KINDS = {"pending": "warm", "handed_over": "", "delivered": "good", "refused": "bad"}


@get("/console/shipments")
async def shipments(visit: Visit) -> Response[Any]:
    """Shipments in one state; those to be handed over first."""
    asked = visit.question("status") or STATUSES[0]
    at = asked if asked in STATUSES else STATUSES[0]
    found, methods = await asyncio.gather(
        visit.api.get("/v1/shipments", status=at, cursor=visit.question("cursor"), limit=SHIPMENTS),
        titles_of_methods(visit),
    )
    facts = {"shipments": found["items"], "next_cursor": found["next_cursor"], "at": at, "methods": methods}
    return visit.page("console/shipments.html", statuses=STATUSES, kinds=KINDS, **facts)


@get("/console/shipments/{shipment_id:str}")
async def shipment(visit: Visit, shipment_id: str) -> Response[Any]:
    """One shipment, and what of it comes back."""
    found = await visit.api.get(visit.path_of("/v1/shipments", shipment_id))
    order, methods = await asyncio.gather(
        visit.api.reach(visit.path_of("/v1/orders", found["order_id"])),  # dispatchers are told of no order
        titles_of_methods(visit),
    )
    is_out = found["status"] == "handed_over" and not visit.roles.isdisjoint(ANNOUNCERS)
    out = OrderPage(order).out if order is not None and is_out else []
    return visit.page("console/shipment.html", shipment=found, order=order, methods=methods, kinds=KINDS, out=out)


async def titles_of_methods(visit: Visit) -> Mapping[str, str]:
    """What the ways of delivery are called, in the visitor's language; none where shipping does not answer."""
    found = await visit.api.reach("/v1/delivery-methods")
    return {} if found is None else {one["method"]: one["title"] for one in found["items"]}


@post("/console/shipments/{shipment_id:str}/hand-over")
async def hand_over(visit: Visit, shipment_id: str, form: Form) -> Response[Any]:
    """Give it to a carrier."""
    path = f"{visit.path_of('/v1/shipments', shipment_id)}/hand-over"
    return await act(visit, form, "POST", path, form.fields("carrier", "tracking"), told="console.done_handed_over")


@post("/console/shipments/{shipment_id:str}/delivery")
async def deliver(visit: Visit, shipment_id: str, form: Form) -> Response[Any]:
    """Say that the customer has it."""
    path = f"{visit.path_of('/v1/shipments', shipment_id)}/delivery"
    return await act(visit, form, "POST", path, told="console.done_delivered")


@post("/console/shipments/{shipment_id:str}/undelivered")
async def expect_back(visit: Visit, shipment_id: str, form: Form) -> Response[Any]:
    """Say what of it comes back without having reached the customer; the page of the shipment has it then."""
    lines = pieces_back(form)
    if not lines:
        return visit.go(visit.path_of("/console/shipments", shipment_id), told="problem.nothing_to_return")
    path = f"{visit.path_of('/v1/orders', form.text('order'))}/returns"
    return await act(visit, form, "POST", path, {"lines": lines}, told="console.done_undelivered")


@post("/console/shipments/{shipment_id:str}/returns/{return_id:str}")
async def receive(visit: Visit, shipment_id: str, return_id: str, form: Form) -> Response[Any]:
    """Take in what came back."""
    path = f"{visit.path_of('/v1/shipments', shipment_id, 'returns', return_id)}/receipt"
    return await act(visit, form, "POST", path, told="console.done_returned")


ROUTES = (shipments, shipment, hand_over, deliver, expect_back, receive)
