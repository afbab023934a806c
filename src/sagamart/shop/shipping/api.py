"""Shipping over HTTP: anybody sees what delivery costs, customers where their parcels are; staff send them."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter, QueryParameter
from msgspec import Meta

from sagamart.contracts.orders import ReturnedLine
from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Language,
    Limit,
    NotFound,
    Page,
    Queries,
    RequestBody,
    key_of,
    logged_in,
    page_of,
    roles,
    versioned,
)
from sagamart.shop.shipping import methods_api
from sagamart.shop.shipping.messages import ConfirmDelivery, HandOverShipment, ReceiveReturn
from sagamart.shop.shipping.records import RETURNS, SHIPMENTS, ReturnStatus, ShipmentStatus
from sagamart.shop.shipping.view import ShipmentView, view

STAFF = roles("SHIPPING_OPERATOR", "ADMIN")
READERS = frozenset({"SHIPPING_OPERATOR", "OPERATOR", "ADMIN"})
"""Who sees everybody's shipments."""

ShipmentId = Annotated[str, Parameter(max_length=100, description="The shipment's id")]
ReturnId = Annotated[str, Parameter(max_length=200, description="The return's id")]
OrderId = Annotated[
    str | None, QueryParameter(pattern=r"^[!-~]+$(?!\n)", max_length=100, description="Only that of this order")
]


class Dispatch(RequestBody, frozen=True):
    """Who takes the parcels, and under which number they can be followed."""

    carrier: Annotated[str, Meta(pattern=r"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]{0,63}$(?!\n)", examples=["Post"])]
    tracking: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$(?!\n)", examples=["RA123456789RU"])]


class ReturnView(msgspec.Struct, frozen=True):
    """What comes back."""

    id: str
    status: ReturnStatus
    returned: tuple[ReturnedLine, ...]


class ShipmentDetail(ShipmentView, frozen=True):
    """A shipment, and what of it was announced to come back."""

    returns: tuple[ReturnView, ...]


@get("/v1/shipments", guards=[logged_in])
async def list_shipments(  # noqa: PLR0913  each is something that Litestar hands in
    *,
    caller: Caller,
    language: Language,
    queries: Queries,
    status: ShipmentStatus | None = None,
    order: OrderId = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> Page[ShipmentView]:
    """The caller's shipments, or that of one order, the newest first; staff see everybody's."""
    page = {"order_id": order, "before": key_of(cursor, str), "status": status, "limit": limit + 1}
    if _sees_all(caller):
        rows = await queries.shipments_of_everybody(**page)
    else:
        rows = await queries.shipments_of_customer(customer_id=caller.id, **page)
    return page_of([view(one, language) for one in SHIPMENTS.read(rows)], limit, lambda shown: shown.id)


@get("/v1/shipments/{shipment_id:str}", guards=[logged_in], opt={"also": (304,)})
async def read_shipment(
    request: Request[Any, Any, Any], shipment_id: ShipmentId, caller: Caller, language: Language, queries: Queries
) -> Response[ShipmentDetail]:
    """One shipment and its returns, with an ETag of both.  Somebody else's looks like none."""
    row = await queries.shipment_by_id(shipment_id=shipment_id)
    found = SHIPMENTS.read([row] if row is not None else [])
    if not found or not (_sees_all(caller) or found[0].customer_id == caller.id):
        raise NotFound("There is no such shipment")
    rows = await queries.returns_of(order_id=found[0].order_id)
    returns = RETURNS.read(rows)
    shown = tuple(ReturnView(one.return_id, one.status, one.returned) for one in returns)
    detail = ShipmentDetail(**msgspec.structs.asdict(view(found[0], language)), returns=shown)
    versions = found[0].version + sum(one.version for one in returns)
    return versioned(request, detail, versions)


@post("/v1/shipments/{shipment_id:str}/hand-over", guards=[STAFF], opt={"idempotent": "required"}, status_code=200)
async def hand_over(
    shipment_id: ShipmentId, data: Dispatch, ask: Ask, caller: Caller, language: Language
) -> Response[ShipmentView]:
    """Give all its parcels to a carrier.  Refused with `not_pending` where it was stopped, or has left before."""
    command = HandOverShipment(shipment_id, caller.id, language, data.carrier, data.tracking)
    return await ask(command, content=data)


@post("/v1/shipments/{shipment_id:str}/delivery", guards=[STAFF], opt={"idempotent": "required"}, status_code=200)
async def confirm_delivery(
    shipment_id: ShipmentId, ask: Ask, caller: Caller, language: Language
) -> Response[ShipmentView]:
    """Say that the customer has it.  Refused with `not_handed_over` where it is not on its way."""
    return await ask(ConfirmDelivery(shipment_id, caller.id, language))


@post(
    "/v1/shipments/{shipment_id:str}/returns/{return_id:str}/receipt",
    guards=[STAFF],
    opt={"idempotent": "required"},
    status_code=200,
)
async def receive_return(
    shipment_id: ShipmentId, return_id: ReturnId, ask: Ask, caller: Caller, language: Language
) -> Response[ShipmentView]:
    """Take in what was announced to come back, all of it."""
    return await ask(ReceiveReturn(shipment_id, caller.id, language, return_id))


def _sees_all(caller: Caller) -> bool:
    return not READERS.isdisjoint(caller.roles)


ROUTES: Sequence[HTTPRouteHandler] = (
    list_shipments,
    read_shipment,
    hand_over,
    confirm_delivery,
    receive_return,
    *methods_api.ROUTES,
)
