"""The flight recorder: an order's whole story across services, which grows while the order is on its way."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, get

from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.console.story import Row, Story, story_of
from sagamart.web.order_view import FINAL, OrderPage
from sagamart.web.visit import Visit

PAGE = 200
PAGES_MAX = 3
"""A story is shown up to so many pages of the API."""

STRAGGLERS_S = 20
"""So long after its last change an ended order's story may still grow: others let go of what they kept."""

NOTHING_NEW = 204
VIEWS = ("diagram", "list")


@get("/console/orders/{order_id:str}/story")
async def story(visit: Visit, order_id: str) -> Response[Any]:
    """The story, as a diagram or a list; for htmx only what has come, if anything has."""
    order, told = await _told(visit, order_id)
    now = f"{len(told.rows)}.{order['version']}"
    is_live = _grows(order)
    if visit.is_fragment and visit.question("seen") == now and is_live:
        return Response(None, status_code=NOTHING_NEW)
    seen = visit.question("seen").partition(".")[0]
    known = int(seen) if seen.isdecimal() else len(told.rows)
    opened = visit.question("open")
    message = told.row(int(opened)) if opened.isdecimal() else None
    view = visit.question("as") if visit.question("as") in VIEWS else VIEWS[0]
    facts: dict[str, Any] = {
        "order": order,
        "page": OrderPage(order),
        "story": told,
        "view": view,
        "seen": now,
        "is_live": is_live,
    }
    facts |= {"known": known, "row": message, "content": content_of(message), "content_of": content_of}
    return visit.page("console/told.html" if visit.is_fragment else "console/story.html", **facts)


@get("/console/orders/{order_id:str}/messages/{number:int}")
async def message(visit: Visit, order_id: str, number: int) -> Response[Any]:
    """One message: its content, its cause and what followed; the part of the page that a script asks for."""
    order, told = await _told(visit, order_id)
    row = told.row(number)
    if row is None:
        raise ApiProblem(404, "not_found")
    return visit.page("console/message.html", order=order, story=told, row=row, content=content_of(row), view="diagram")


async def _told(visit: Visit, order_id: str) -> tuple[Json, Story]:
    path = visit.path_of("/v1/orders", order_id)
    order = await visit.api.get(path)
    return order, story_of(await _entries(visit, path))


async def _entries(visit: Visit, path: str) -> Sequence[Json]:
    found: list[Json] = []
    cursor = None
    for _ in range(PAGES_MAX):
        page = await visit.api.find(f"{path}/timeline", limit=PAGE, cursor=cursor)
        found += [] if page is None else page["items"]
        cursor = None if page is None else page["next_cursor"]
        if cursor is None:
            break
    return found


def _grows(order: Json) -> bool:
    age = datetime.now(UTC) - datetime.fromisoformat(order["changed_at"])
    return order["status"] not in FINAL or age.total_seconds() < STRAGGLERS_S


def content_of(row: Row | None) -> str:
    """What a message says, to be read."""
    return "" if row is None else msgspec.json.format(msgspec.json.encode(row.entry["body"]), indent=2).decode()


ROUTES = (story, message)
