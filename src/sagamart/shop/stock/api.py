"""Stock over HTTP: staff receive and correct pieces and see the whole level; anybody sees what is available."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from sagamart.contracts.catalogue import SKU_PATTERN
from sagamart.platform.http import Ask, Caller, NotFound, Queries, RequestBody, roles
from sagamart.shop.stock.decide import StockLevel
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock

PIECES_MAX = 1_000_000_000
"""The most pieces that one request moves."""

SkuName = Annotated[str, Parameter(pattern=SKU_PATTERN, description="The product's sku")]
STAFF = roles("STOCK_OPERATOR", "ADMIN")


class Receipt(RequestBody, frozen=True):
    """So many pieces have arrived."""

    quantity: Annotated[int, Meta(ge=1, le=PIECES_MAX, examples=[10])]


class Adjustment(RequestBody, frozen=True):
    """The count was wrong by so many pieces (negative: there are fewer), and why."""

    quantity: Annotated[int, Meta(ge=-PIECES_MAX, le=PIECES_MAX, examples=[-1])]
    reason: Annotated[str, Meta(min_length=1, max_length=500, examples=["one was broken"])]
    force: Annotated[bool, Meta(description="Where promised pieces are gone: cancel the newest unpaid orders")] = False


class Availability(msgspec.Struct, frozen=True):
    """What customers see of a sku: the pieces that may still be ordered."""

    sku: str
    available: int


@post("/v1/stock/{sku:str}/receipts", guards=[STAFF], opt={"idempotent": "required"}, status_code=200)
async def receive(sku: SkuName, data: Receipt, ask: Ask, caller: Caller) -> Response[StockLevel]:
    """Take pieces in.  A sku begins to exist with its first receipt."""
    return await ask(ReceiveStock(sku, data.quantity, caller.id), content=data)


@post("/v1/stock/{sku:str}/adjustments", guards=[STAFF], opt={"idempotent": "required"}, status_code=200)
async def adjust(sku: SkuName, data: Adjustment, ask: Ask, caller: Caller) -> Response[StockLevel]:
    """Correct the count.  Refused with `below_reserved` where pieces that orders hold would be missing.

    With `force` it is not: the newest orders of the sku that are not paid are cancelled, as many as it takes; where one
    is paid meanwhile and keeps its pieces, the next newest.  `more_than_on_hand`: there are not so many to take.
    """
    return await ask(AdjustStock(sku, data.quantity, caller.id, data.reason, data.force), content=data)


@get("/v1/stock/{sku:str}", guards=[STAFF])
async def level(sku: SkuName, queries: Queries) -> StockLevel:
    """The whole level: on hand, reserved, available."""
    found: Any = await queries.stock_of(sku=sku)
    if found is None:
        raise NotFound(f"The stock has never had {sku}")
    return StockLevel(*found.values())


@get("/v1/stock/{sku:str}/availability")
async def availability(sku: SkuName, queries: Queries) -> Availability:
    """What may still be ordered.  Readable without logging in, as the catalogue is."""
    found: Any = await queries.stock_of(sku=sku)
    return Availability(sku, found["available"] if found else 0)


ROUTES: Sequence[HTTPRouteHandler] = (receive, adjust, level, availability)
