"""Notifications over HTTP: what one was told, newest first, in the reader's language."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Caller,
    Cursor,
    Language,
    Limit,
    Page,
    Queries,
    key_of,
    logged_in,
    page_of,
)
from sagamart.shop.notifications.records import Facts, Kind
from sagamart.shop.notifications.words import GOOD, words


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of notifications begins: just before this one."""

    at: Annotated[datetime, Meta(tz=True)]
    notification_id: Annotated[str, Meta(pattern="^[!-~]{0,200}$")]


NEWEST = Place(datetime(9999, 1, 1, tzinfo=UTC), "")


class ShownNotification(msgspec.Struct, frozen=True):
    """A message to a person: the facts for programs, title and text for people.  `good` tells success from failure."""

    notification_id: str
    kind: Kind
    good: bool
    title: str
    text: str
    facts: Facts
    at: datetime


@get("/v1/notifications", guards=[logged_in])
async def notifications(
    queries: Queries, caller: Caller, language: Language, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response[Page[ShownNotification]]:
    """What one was told, newest first, in English or Russian by `Accept-Language`."""
    before = key_of(cursor, Place) or NEWEST
    found = await queries.notifications_of(
        customer_id=caller.id, before_at=before.at, before_id=before.notification_id, limit=limit + 1
    )
    shown = [_shown(row, language) for row in found]
    page = page_of(shown, limit, lambda one: Place(one.at, one.notification_id))
    return Response(page, headers={"Content-Language": language, "Vary": "Accept-Language"})


def _shown(row: Any, language: Language) -> ShownNotification:
    facts = msgspec.json.decode(row["facts"], type=Facts)
    kind: Kind = row["kind"]
    told = words(kind, facts, language)
    return ShownNotification(row["notification_id"], kind, GOOD[kind], told.title, told.text, facts, row["at"])


ROUTES: Sequence[HTTPRouteHandler] = (notifications,)
