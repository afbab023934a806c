"""Looking at orders and baskets over HTTP: one, many, searched for, and one as it moves."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage
from msgspec.structs import asdict

from sagamart.contracts.orders import Status
from sagamart.messaging.requests import Overloaded
from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Caller,
    Cursor,
    Language,
    Limit,
    Malformed,
    NotFound,
    Page,
    Queries,
    etag_of,
    json_response,
    key_of,
    logged_in,
    page_of,
)
from sagamart.shop.orders.baskets import BasketView, shown
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.records import BASKETS, ORDERS, Order
from sagamart.shop.orders.searching import SEARCHED_MAX, Narrowed, Place, Sort, narrowed, place_of
from sagamart.shop.orders.view import OrderView, PaymentView, Stage, State, statuses_of, view
from sagamart.shop.orders.watching import ChangedSince, Watchers

STAFF = frozenset({"OPERATOR", "ADMIN"})
STREAM_S_MAX = 600
HEARTBEAT_S = 15

Words = Annotated[
    str | None,
    QueryParameter(
        max_length=200,
        description="A number, a date (2026-11-21), a status, stage or state in English or Russian,"
        " or a part of a product's title or sku",
    ),
]
Sorted = Annotated[
    Sort, QueryParameter(description=f"All but the newest first sort the newest {SEARCHED_MAX} that are found")
]


SeenId = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$(?!\n)", max_length=200)]
"""The last id of a page, in a cursor."""


def is_staff(caller: Caller) -> bool:
    """Whether the caller sees and moves everybody's orders."""
    return not STAFF.isdisjoint(caller.roles)


async def order_for(caller: Caller, order_id: str, queries: Queries) -> Order:
    """The order, if the caller may see it.  Raises NotFound: somebody else's looks like none."""
    row = await queries.order_by_id(order_id=order_id)
    orders = ORDERS.read([row] if row is not None else [])
    if not orders or not (is_staff(caller) or orders[0].customer_id == caller.id):
        raise NotFound("There is no such order")
    return orders[0]


def changed_since(queries: Queries) -> ChangedSince:
    """What watchers ask the database."""

    async def read(order_ids: list[str], versions: list[int]) -> list[Order]:
        return ORDERS.read(await queries.changed_since(order_ids=order_ids, versions=versions))

    return read


@get("/v1/orders/{order_id:str}", guards=[logged_in])
async def get_order(
    order_id: FromPath[str], caller: Caller, language: Language, queries: Queries
) -> Response[OrderView]:
    """One order, with its version as ETag."""
    order = await order_for(caller, order_id, queries)
    return json_response(view(order, language), headers={"ETag": etag_of(order.version)})


@get("/v1/orders/{order_id:str}/payments", guards=[logged_in])
async def list_payments(
    order_id: FromPath[str], caller: Caller, language: Language, queries: Queries
) -> Page[PaymentView]:
    """The payments of an order, the oldest first: all on one page, since an order takes few."""
    order = await order_for(caller, order_id, queries)
    return Page(view(order, language).payments)


@get("/v1/orders", guards=[logged_in])
async def list_orders(  # noqa: PLR0913  each is something that Litestar hands in
    *,
    caller: Caller,
    language: Language,
    queries: Queries,
    status: FromQuery[Status | None] = None,
    stage: FromQuery[Stage | None] = None,
    in_state: Annotated[State | None, QueryParameter(name="state")] = None,
    customer: Annotated[str | None, QueryParameter(max_length=100)] = None,
    placed_from: FromQuery[date | None] = None,
    placed_to: FromQuery[date | None] = None,
    q: Words = None,
    sort: Sorted = "-placed",
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> Page[OrderView]:
    """The caller's orders, the newest first; staff see everybody's, or those of one `customer`."""
    wanted = narrowed(q=q, statuses=_statuses(status, stage, in_state), placed_from=placed_from, placed_to=placed_to)
    owner = customer if is_staff(caller) else caller.id
    if sort == "-placed":
        rows = await _newest(queries, wanted.until(key_of(cursor, SeenId)), owner, limit + 1)
        return page_of(_views(rows, language), limit, lambda one: one.id)
    place = key_of(cursor, Place)
    if place is not None and place.sort != sort:
        raise Malformed("cursor", "this is not a cursor of this list")
    rows = await _sorted(queries, wanted, owner, place or Place(sort), limit + 1)
    return page_of(_views(rows, language), limit, lambda one: place_of(one, sort))


@get("/v1/basket", guards=[logged_in])
async def get_basket(caller: Caller, queries: Queries) -> Response[BasketView]:
    """What the caller has laid aside, with its version as ETag."""
    row = await queries.basket_of(customer_id=caller.id)
    (basket,) = BASKETS.read([row]) if row is not None else [None]
    seen = shown(basket)
    return json_response(seen, headers={"ETag": etag_of(seen.version)})


def progress(watchers: Watchers) -> HTTPRouteHandler:
    """The route that shows an order as it moves."""

    @get("/v1/orders/{order_id:str}/events", guards=[logged_in], opt={"gives": ("text/event-stream",), "also": (204,)})
    async def order_events(
        *,
        order_id: FromPath[str],
        caller: Caller,
        language: Language,
        queries: Queries,
        last_seen: Annotated[str | None, HeaderParameter(name="Last-Event-ID", max_length=20)] = None,
    ) -> Response[Any]:
        """Server-sent events: the order (`order`) now and after each change, until its `end`, ten minutes at most.

        An event's id is the order's version.  Whoever has seen the end and asks again gets 204: no more will come.
        """
        order = await order_for(caller, order_id, queries)
        if last_seen == str(order.version) and LIFECYCLE[order.status].final:
            return Response(None, status_code=204)
        if watchers.is_full:
            raise Overloaded
        return ServerSentEvent(events(order, language, watchers, changed_since(queries)))

    return order_events


async def events(
    order: Order, language: Language, watchers: Watchers, changed: ChangedSince, *, heartbeat_s: float = HEARTBEAT_S
) -> AsyncGenerator[ServerSentEventMessage, None]:
    """An order's events, and a comment whenever nothing has happened for `heartbeat_s`."""
    yield _event(order, language)
    if LIFECYCLE[order.status].final:
        yield _end(order)
        return
    ends = asyncio.get_running_loop().time() + STREAM_S_MAX
    async with aclosing(watchers.changes(order.order_id, order.version, changed, idle_s=heartbeat_s)) as changes:
        async for now in changes:
            if now is None:
                yield ServerSentEventMessage(data=None, comment="nothing new")
            else:
                yield _event(now, language)
                if LIFECYCLE[now.status].final:
                    yield _end(now)
                    return
            if asyncio.get_running_loop().time() >= ends:
                return  # the client comes back if it still wants to know


def _event(order: Order, language: Language) -> ServerSentEventMessage:
    data = msgspec.json.encode(view(order, language)).decode()
    return ServerSentEventMessage(data=data, event="order", id=order.version)


def _end(order: Order) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=order.status, event="end", id=order.version)


def _views(rows: Sequence[Any], language: Language) -> list[OrderView]:
    return [view(order, language) for order in ORDERS.read(rows)]


async def _newest(queries: Queries, wanted: Narrowed, owner: str | None, limit: int) -> Sequence[Any]:
    """The newest first, which is how the index has them."""
    rows: Sequence[Any]
    if owner is None:
        rows = await queries.orders_of_everybody(**wanted.parameters(), searched=SEARCHED_MAX, limit=limit)
    else:
        rows = await queries.orders_of_customer(**wanted.parameters(), customer_id=owner, limit=limit)
    return rows


async def _sorted(queries: Queries, wanted: Narrowed, owner: str | None, place: Place, limit: int) -> Sequence[Any]:
    rows: Sequence[Any] = await queries.orders_sorted(
        **wanted.parameters(), **asdict(place), customer_id=owner, searched=SEARCHED_MAX, limit=limit
    )
    return rows


def _statuses(status: Status | None, stage: Stage | None, state: State | None) -> list[Status] | None:
    """The statuses that all filters let through; None where there is no filter."""
    if status is None and stage is None and state is None:
        return None
    return [one for one in statuses_of(stage, state) if status is None or one == status]
