"""Orders over HTTP: place, look at, list, cancel."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter

from sagamart.contracts.catalogue import SKU_PATTERN
from sagamart.contracts.orders import Status
from sagamart.messaging.requests import StoredReply
from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Language,
    Limit,
    Malformed,
    NotFound,
    Page,
    Queries,
    RequestBody,
    etag_of,
    json_response,
    key_of,
    logged_in,
    page_of,
)
from sagamart.shop.orders.messages import (
    LINES_MAX,
    CancelOrder,
    PlaceOrder,
    PlacingRules,
    PriceMinor,
    Quantity,
    WantedLine,
    order_id_of,
)
from sagamart.shop.orders.records import ORDERS, Order, Terms
from sagamart.shop.orders.view import OrderView, link_to, statuses_of, view
from sagamart.shop.orders.waiting import WAIT_S_MAX, Waiters

STAFF = frozenset({"OPERATOR", "ADMIN"})
TITLE_CHARS_MAX = 200
Stage = Literal["accepted", "awaiting_payment", "processing", "created", "cancelled"]
CurrencyCode = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", max_length=3)]
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\"?(?=$|[,;\s])", re.IGNORECASE)


class OrderSettings(msgspec.Struct, frozen=True):
    """What the shop allows.  `currency` is that of orders without products, where the client names none."""

    custom_lines: Literal["off", "staff", "all"] = "all"
    unpaid_orders_max: int = 1
    currency: str = "RUB"
    terms: Terms = Terms()

    def rules_for(self, caller: Caller) -> PlacingRules:
        """What this caller may."""
        custom = self.custom_lines == "all" or (self.custom_lines == "staff" and is_staff(caller))
        return PlacingRules(custom, self.unpaid_orders_max, self.currency, self.terms)


class NewLine(RequestBody, frozen=True):
    """A product (`sku`; `price_minor` is the price that was shown), or a custom line (`title` and `price_minor`)."""

    sku: Annotated[str, msgspec.Meta(pattern=SKU_PATTERN)] | None = None
    quantity: Quantity = 1
    price_minor: PriceMinor | None = None
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=TITLE_CHARS_MAX)] | None = None


class NewOrder(RequestBody, frozen=True):
    """An order to be placed, paid now from the wallet."""

    lines: Annotated[tuple[NewLine, ...], msgspec.Meta(min_length=1, max_length=LINES_MAX)]
    currency: CurrencyCode | None = None


def orders_of(rows: Sequence[Any]) -> list[Order]:
    """Orders from the rows of a query."""
    return ORDERS.rows([[row[column.name] for row in rows] for column in ORDERS.columns]) if rows else []


def is_staff(caller: Caller) -> bool:
    """Whether the caller sees and cancels everybody's orders."""
    return not STAFF.isdisjoint(caller.roles)


@get("/v1/orders/{order_id:str}", guards=[logged_in])
async def get_order(
    order_id: FromPath[str], caller: Caller, language: Language, queries: Queries
) -> Response[OrderView]:
    """One order, with its version as ETag.  Somebody else's looks like none."""
    row = await queries.order_by_id(order_id=order_id)
    orders = orders_of([row] if row is not None else [])
    if not orders or not (is_staff(caller) or orders[0].customer_id == caller.id):
        raise NotFound("There is no such order")
    return _shown(orders[0], language)


@get("/v1/orders", guards=[logged_in])
async def list_orders(  # noqa: PLR0913  each is something that Litestar hands in
    *,
    caller: Caller,
    language: Language,
    queries: Queries,
    status: FromQuery[Status | None] = None,
    stage: FromQuery[Stage | None] = None,
    customer: Annotated[str | None, QueryParameter(max_length=100)] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> Page[OrderView]:
    """The caller's orders, the newest first; staff see everybody's, or those of one `customer`."""
    page = {"before": key_of(cursor, str), "statuses": _statuses(status, stage), "limit": limit + 1}
    owner = customer if is_staff(caller) else caller.id
    if owner is None:
        orders = orders_of(await queries.orders_of_everybody(**page))
    else:
        orders = orders_of(await queries.orders_of_customer(customer_id=owner, **page))
    return page_of([view(order, language) for order in orders], limit, lambda shown: shown.id)


@post(
    "/v1/orders/{order_id:str}/cancellation",
    guards=[logged_in],
    opt={"idempotent": "required"},
    status_code=200,
)
async def cancel_order(order_id: FromPath[str], ask: Ask, caller: Caller, language: Language) -> Response[OrderView]:
    """Cancel an order: refused from the moment on that its money is being taken."""
    return await ask(CancelOrder(order_id, caller.id, is_staff(caller), language))


def routes(settings: OrderSettings, waiters: Waiters) -> Sequence[HTTPRouteHandler]:
    """The routes of orders.  `waiters.on_committed` belongs into the worker's `on_commit`."""

    @post("/v1/orders", guards=[logged_in], opt={"idempotent": "required"}, status_code=202)
    async def place_order(  # noqa: PLR0913  each is something that Litestar hands in
        *,
        data: JSONBody[NewOrder],
        ask: Ask,
        caller: Caller,
        language: Language,
        queries: Queries,
        prefer: Annotated[str | None, HeaderParameter(name="Prefer", max_length=200)] = None,
    ) -> Response[OrderView]:
        """Place an order: 202 and where it is, or with `Prefer: wait=N` what has become of it within N seconds.

        201: completed.  200: cancelled, with the reason.  A refusal to place it is a problem: there is no order then.
        """

        async def settled_among(order_ids: list[str]) -> list[Order]:
            return orders_of(await queries.settled_among(order_ids=order_ids))

        lines = tuple(_wanted(place, line) for place, line in enumerate(data.lines))
        rules = settings.rules_for(caller)
        reply = await ask.reply_to(
            lambda message_id: PlaceOrder(order_id_of(message_id), caller.id, lines, rules, data.currency, language),
            content=data,
        )
        wait_s = _wait_s(prefer)
        if reply.refused or reply.location is None or wait_s is None:
            return _given(reply)
        order = await waiters.wait(reply.location.rpartition("/")[2], wait_s, settled_among)
        return _given(reply) if order is None else _settled(order, language, wait_s)

    return place_order, get_order, list_orders, cancel_order


ROUTES = routes(OrderSettings(), Waiters())


def _wanted(place: int, line: NewLine) -> WantedLine:
    if line.sku is not None and line.title is not None:
        raise Malformed(f"lines[{place}].title", "the catalogue has the title of a product")
    if line.sku is None and (line.title is None or line.price_minor is None):
        raise Malformed(f"lines[{place}]", "a line needs a sku, or a title and a price_minor of its own")
    return WantedLine(line.sku, line.quantity, line.price_minor, line.title)


def _wait_s(prefer: str | None) -> int | None:
    """The seconds of `Prefer: wait=N` (RFC 7240), WAIT_S_MAX at most; what is no such preference is passed over."""
    found = _WAIT.search(prefer or "")
    return min(int(found[1]), WAIT_S_MAX) if found else None


def _statuses(status: Status | None, stage: Stage | None) -> list[Status] | None:
    """The statuses that both filters let through; None where there is no filter."""
    if stage is None:
        return None if status is None else [status]
    return [one for one in statuses_of(stage) if status is None or one == status]


def _given(reply: StoredReply) -> Response[Any]:
    headers = None if reply.location is None else {"Location": reply.location}
    return Response(reply.body, status_code=reply.status, media_type=reply.media_type, headers=headers)


def _settled(order: Order, language: Language, wait_s: int) -> Response[Any]:
    headers = {
        "Location": link_to(order.order_id),
        "ETag": etag_of(order.version),
        "Preference-Applied": f"wait={wait_s}",
    }
    return json_response(view(order, language), status=201 if order.status == "completed" else 200, headers=headers)


def _shown(order: Order, language: Language) -> Response[Any]:
    return json_response(view(order, language), headers={"ETag": etag_of(order.version)})
