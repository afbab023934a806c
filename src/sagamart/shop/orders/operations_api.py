"""Orders over HTTP, for operators: which are stuck, and calling one off with a reason.

An order is stuck where its status should have been left, by the lifecycle's own deadline, some time ago: a message is
dead, a service is away, a timer is lost.  One in shipping waits for people and carriers, and is not.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from sagamart.contracts.order_numbers import number_of
from sagamart.contracts.orders import Status
from sagamart.messaging.message import first_id_at
from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Language,
    Limit,
    Page,
    Queries,
    RequestBody,
    key_of,
    page_of,
    roles,
)
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import CallOffOrder
from sagamart.shop.orders.records import ORDERS, Order
from sagamart.shop.orders.stepping import due_at
from sagamart.shop.orders.view import OrderView

SLACK_S_DEFAULT = 60
SLACK_S_MAX = 86_400
DAYS_DEFAULT = 30
DAYS_MAX = 366
WHY_CHARS_MAX = 500

MAY_BE_STUCK: tuple[Status, ...] = tuple(
    status for status, state in LIFECYCLE.items() if not state.final and status != "shipping_pending"
)
OrderId = Annotated[str, msgspec.Meta(pattern=r"^ord_[0-9a-f]{1,40}$(?!\n)")]


class StuckOrder(msgspec.Struct, frozen=True):
    """An order that should have left its status at `due_at`, and waits for one of `awaits`.

    `timer_at` is when it is woken next (null: never, its timer is lost).  `parked`: orders has a dead letter of it; one
    of another service is among the dead letters there.
    """

    id: str
    number: str
    status: Status
    customer_id: str
    total_minor: int
    currency: str
    placed_at: datetime
    changed_at: datetime
    due_at: datetime
    overdue_s: int
    awaits: Sequence[str]
    timer_at: datetime | None
    parked: bool


class CallingOff(RequestBody, frozen=True):
    """Why the operator does this.  It is kept, with the operator's id and the time."""

    why: Annotated[str, msgspec.Meta(min_length=1, max_length=WHY_CHARS_MAX, examples=["the customer called"])]


@get("/v1/operations/orders/stuck", guards=[roles("OPERATOR", "ADMIN")], tags=["operations"])
async def stuck_orders(
    queries: Queries,
    slack_s: Annotated[int, QueryParameter(ge=0, le=SLACK_S_MAX)] = SLACK_S_DEFAULT,
    days: Annotated[int, QueryParameter(ge=1, le=DAYS_MAX)] = DAYS_DEFAULT,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[StuckOrder]:
    """Orders that should have moved on more than `slack_s` seconds ago, of those placed in the last `days` days.

    The oldest come first.  A page may hold fewer than `limit`, or none: go on as long as there is a `next_cursor`.
    """
    now = datetime.now(UTC)
    slack = timedelta(seconds=slack_s)
    since = "ord_" + first_id_at(now - timedelta(days=days)).replace("-", "")
    rows = await queries.orders_unsettled(
        after=key_of(cursor, OrderId) or since, before=now - slack, statuses=list(MAY_BE_STUCK), limit=limit + 1
    )
    looked_at = page_of([_looked_at(row, now) for row in rows], limit, lambda one: one.id)
    return Page([one for one in looked_at.items if one.due_at + slack < now], looked_at.next_cursor)


@post(
    "/v1/operations/orders/{order_id:str}/cancellation",
    guards=[roles("OPERATOR", "ADMIN")],
    opt={"idempotent": "required"},
    status_code=200,
    tags=["operations"],
)
async def call_off_order(
    order_id: FromPath[str], data: CallingOff, ask: Ask, caller: Caller, language: Language
) -> Response[OrderView]:
    """Cancel an order for a reason that is kept.  What it reserved and held is let go, what it paid is refunded."""
    return await ask(CallOffOrder(order_id, caller.id, staff=True, language=language, why=data.why), content=data)


ROUTES: Sequence[HTTPRouteHandler] = (stuck_orders, call_off_order)


def _looked_at(row: Any, now: datetime) -> StuckOrder:
    (order,) = ORDERS.read([row])
    due = due_at(order)
    return StuckOrder(
        id=order.order_id,
        number=number_of(order.order_id),
        status=order.status,
        customer_id=order.customer_id,
        total_minor=order.total_minor,
        currency=order.currency,
        placed_at=order.placed_at,
        changed_at=order.changed_at,
        due_at=due,
        overdue_s=int((now - due).total_seconds()),
        awaits=_awaits(order),
        timer_at=row["timer_at"],
        parked=row["parked"],
    )


def _awaits(order: Order) -> list[str]:
    return [kind.__name__ for kind in LIFECYCLE[order.status].awaits]
