"""Stock over HTTP: staff receive and correct pieces and see all about a sku; anybody sees what is available."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter, QueryParameter
from msgspec import Meta

from sagamart.contracts.catalogue import SKU_PATTERN
from sagamart.messaging.message import first_id_at
from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Limit,
    NotFound,
    Page,
    Queries,
    RequestBody,
    key_of,
    page_of,
    roles,
)
from sagamart.shop.stock.decide import StockLevel
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock
from sagamart.shop.stock.records import MovementKind, ReservationStatus

PIECES_MAX = 1_000_000_000
"""The most pieces that one request moves."""

DAYS_DEFAULT = 30
DAYS_MAX = 366
"""A list of a sku goes through what the whole stock did in so many days: neither table has an index by sku, which every
order would pay for."""

SkuName = Annotated[str, Parameter(pattern=SKU_PATTERN, description="The product's sku")]
Days = Annotated[int, QueryParameter(ge=1, le=DAYS_MAX, description="How many days back, at most")]
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


class Moment(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of movements begins: just before this one."""

    at: Annotated[datetime, Meta(tz=True)]
    movement_id: Annotated[str, Meta(pattern="^[!-~]{0,400}$")]


NEWEST = Moment(datetime(9999, 1, 1, tzinfo=UTC), "")
ReservationId = Annotated[str, Meta(pattern=r"^ord_[0-9a-f]{1,40}/[0-9]{1,9}$(?!\n)")]


class MovementView(msgspec.Struct, frozen=True):
    """Pieces that came (positive) or went.  `reference` is the order, or who did it and why."""

    id: str
    kind: MovementKind
    quantity: int
    reference: str
    at: datetime


class ReservationView(msgspec.Struct, frozen=True):
    """What an attempt of an order reserved of a sku, and what has become of it; nothing where it was `refused`."""

    id: str
    order_id: str
    attempt: int
    status: ReservationStatus
    quantity: int


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


@get("/v1/stock/{sku:str}/movements", guards=[STAFF])
async def movements(  # noqa: PLR0913  each is something that Litestar hands in
    *,
    sku: SkuName,
    queries: Queries,
    kind: MovementKind | None = None,
    days: Days = DAYS_DEFAULT,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> Page[MovementView]:
    """What came and went of a sku in the last `days` days, the newest first: receipts, corrections, sales, returns."""
    before = key_of(cursor, Moment) or NEWEST
    rows = await queries.movements_of(
        sku=sku,
        kind=kind,
        since=datetime.now(UTC) - timedelta(days=days),
        before_at=before.at,
        before_id=before.movement_id,
        limit=limit + 1,
    )
    return page_of([MovementView(*row.values()) for row in rows], limit, lambda one: Moment(one.at, one.id))


@get("/v1/stock/{sku:str}/reservations", guards=[STAFF])
async def reservations(  # noqa: PLR0913  each is something that Litestar hands in
    *,
    sku: SkuName,
    queries: Queries,
    status: ReservationStatus | None = None,
    days: Days = DAYS_DEFAULT,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> Page[ReservationView]:
    """Which orders of the last `days` days were promised pieces of a sku, the newest order first."""
    since = "ord_" + first_id_at(datetime.now(UTC) - timedelta(days=days)).replace("-", "")
    rows = await queries.reservations_of(
        sku=sku, status=status, since=since, before=key_of(cursor, ReservationId), limit=limit + 1
    )
    return page_of([ReservationView(*row.values()) for row in rows], limit, lambda one: one.id)


@get("/v1/stock/{sku:str}/availability")
async def availability(sku: SkuName, queries: Queries) -> Availability:
    """What may still be ordered.  Readable without logging in, as the catalogue is."""
    found: Any = await queries.stock_of(sku=sku)
    return Availability(sku, found["available"] if found else 0)


ROUTES: Sequence[HTTPRouteHandler] = (receive, adjust, level, movements, reservations, availability)
