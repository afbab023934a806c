"""Notifications over HTTP: what one was told, newest first, in the reader's language; by which channels, as one likes.

What a letter's one-time link holds is in the letter alone.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, patch
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

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
    if_match,
    key_of,
    logged_in,
    page_of,
    versioned,
)
from sagamart.shop.notifications.messages import ChangePreferences
from sagamart.shop.notifications.preferring import PreferencesView
from sagamart.shop.notifications.records import Channel, DispatchStatus, Facts, Kind
from sagamart.shop.notifications.words import GOOD, words


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of notifications begins: just before this one."""

    at: Annotated[datetime, Meta(tz=True)]
    notification_id: Annotated[str, Meta(pattern="^[!-~]{0,200}$")]


NEWEST = Place(datetime(9999, 1, 1, tzinfo=UTC), "")


Phone = Annotated[str, Meta(pattern=r"^(\+[1-9][0-9]{6,14})?$(?!\n)", description="E.164", examples=["+442079460000"])]


class ShownDispatch(msgspec.Struct, frozen=True):
    """How a message went out by one channel; `reason` says why it did not."""

    channel: Channel
    status: DispatchStatus
    reason: str | None = None


class ShownNotification(msgspec.Struct, frozen=True):
    """A message to a person: the facts for programs, title and text for people.  `good` tells success from failure."""

    notification_id: str
    kind: Kind
    good: bool
    title: str
    text: str
    facts: Facts
    at: datetime
    sent: tuple[ShownDispatch, ...] = ()


class WantedPreferences(RequestBody, frozen=True):
    """By which channels to be told.  What is left out stays; an empty `phone` takes the number away."""

    email: bool | None = None
    sms: bool | None = None
    phone: Phone | None = None

    def __repr__(self) -> str:
        return "WantedPreferences()"  # representations end in logs


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
    sent = msgspec.json.decode(row["sent"], type=tuple[ShownDispatch, ...])
    return ShownNotification(row["notification_id"], kind, GOOD[kind], told.title, told.text, facts, row["at"], sent)


@get("/v1/notifications/preferences", guards=[logged_in], opt={"also": (304,)})
async def preferences(request: Request[Any, Any, Any], queries: Queries, caller: Caller) -> Response[PreferencesView]:
    """By which channels one is told.  The language is the profile's."""
    found = await queries.preferences_of(customer_id=caller.id)
    if found is None:
        return versioned(request, PreferencesView(), 0)
    return versioned(request, PreferencesView(found["email"], found["sms"], found["phone"]), found["version"])


@patch("/v1/notifications/preferences", guards=[logged_in], opt={"also": (412,)})
async def change_preferences(
    request: Request[Any, Any, Any], data: WantedPreferences, ask: Ask, caller: Caller
) -> Response[PreferencesView]:
    """Switch e-mail and SMS on or off.  Letters that one asks for, such as for a new password, come in any case."""
    seen = if_match(request)
    return await ask(ChangePreferences(caller.id, data.email, data.sms, data.phone, seen), content=data)


ROUTES: Sequence[HTTPRouteHandler] = (notifications, preferences, change_preferences)
