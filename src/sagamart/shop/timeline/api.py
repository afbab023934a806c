"""Timeline over HTTP: the story of an order, for its owner and for staff."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Caller,
    Cursor,
    Language,
    Limit,
    NotFound,
    Page,
    Queries,
    json_response,
    key_of,
    logged_in,
    page_of,
)
from sagamart.shop.timeline.heard import HEARD
from sagamart.shop.timeline.words import words

STAFF = frozenset({"OPERATOR", "ADMIN"})
TYPES = [kind.__name__ for kind in HEARD]

MessageId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f-]{36}$")]
Hearers = Mapping[str, Sequence[str]]
"""The services that hear each type of message."""


class ToldEntry(msgspec.Struct, frozen=True):
    """A message: `source` said it to `to`, at `at` (RFC 3339, UTC), in the process `node`.

    `number` is its place in the story.  `cause` is the message that it follows from, `because_of` that one's number;
    null where that is no part of the story (a request, a deadline, an answer of the bank).  `order_version` and
    `status` are the order's then, where orders speaks.  `body` is what it says, without personal data.
    """

    number: int
    message_id: str
    type: str
    text: str
    source: str
    to: Sequence[str]
    at: datetime
    node: str
    order_version: int | None
    status: str | None
    cause: str | None
    because_of: int | None
    correlation: str
    body: msgspec.Raw


def routes(hearers: Hearers) -> Sequence[HTTPRouteHandler]:
    """The routes of timeline, in a shop whose messages go to these services."""

    @get("/v1/orders/{order_id:str}/timeline", guards=[logged_in])
    async def order_timeline(  # noqa: PLR0913  each is something that Litestar hands in
        *,
        order_id: FromPath[str],
        queries: Queries,
        caller: Caller,
        language: Language,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Response[Page[ToldEntry]]:
        """Every message about an order in one story, each after what caused it.  Somebody else's looks like none.

        It is told in English or Russian, by `Accept-Language`, and may be seconds behind the order.
        """
        owner = await queries.customer_of(order_id=order_id)
        if owner is None or not (owner == caller.id or not STAFF.isdisjoint(caller.roles)):
            raise NotFound("There is no story of such an order")
        after = key_of(cursor, MessageId)
        found = await queries.story_of(order_id=order_id, types=TYPES, after=after, limit=limit + 1)
        page = page_of([_told(row, hearers, language) for row in found], limit, lambda one: one.message_id)
        return json_response(page, headers={"Content-Language": language, "Vary": "Accept-Language"})

    return (order_timeline,)


ROUTES = routes({})


def _told(row: Any, hearers: Hearers, language: Language) -> ToldEntry:
    kind: str = row["type"]
    return ToldEntry(
        number=row["number"],
        message_id=row["message_id"],
        type=kind,
        text=words(kind, language),
        source=row["source"],
        to=hearers.get(kind, ()),
        at=row["at"],
        node=row["node"],
        order_version=row["order_version"],
        status=row["status"],
        cause=row["cause"],
        because_of=row["because_of"],
        correlation=row["correlation"],
        body=msgspec.Raw(row["body"].encode()),
    )
