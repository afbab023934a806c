"""What needs an operator: orders that stand still, payments without an answer, dead letters, paused services."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response, get, post

from sagamart.web.api_client import Json
from sagamart.web.console.acting import act, why
from sagamart.web.console.durations import duration
from sagamart.web.console.people import names_of_staff
from sagamart.web.console.settling import unanswered
from sagamart.web.forms import Form
from sagamart.web.visit import Visit

STUCK = 50
STUCK_PAGES_MAX = 4
"""A page of the API may hold few or none; so many are looked at."""

LETTERS = 25
LETTERS_OF_STUCK = 200
ACTS = 50
LETTER_STATUSES = ("dead", "waiting", "released", "discarded")


@get("/console/trouble")
async def trouble(visit: Visit) -> Response[Any]:
    """Stuck orders, payments without an answer, dead letters and paused services."""
    status = visit.question("letters")
    status = status if status in LETTER_STATUSES else LETTER_STATUSES[0]
    letters, stuck, unknown, consumers = await asyncio.gather(
        visit.api.get("/v1/operations/dead-letters", status=status, cursor=visit.question("cursor"), limit=LETTERS),
        _stuck(visit),
        unanswered(visit),
        visit.api.get("/v1/operations/consumers"),
    )
    return visit.page(
        "console/trouble.html",
        stuck=stuck,
        missing=missing_from(letters, consumers),
        stopped_by=await letters_of(visit, [one["id"] for one in stuck or ()]),
        unknown=unknown,
        letters=letters["items"],
        next_cursor=letters["next_cursor"],
        lying=status,
        statuses=LETTER_STATUSES,
        consumers=consumers["items"],
        duration=duration,
    )


def missing_from(*pages: Json) -> list[str]:
    """The services that did not answer for one of these lists."""
    return sorted({service for page in pages for service in page.get("missing", ())})


async def _stuck(visit: Visit) -> list[Any] | None:
    """Orders that stand still; None where the orders do not answer."""
    found: list[Any] = []
    cursor = None
    for _ in range(STUCK_PAGES_MAX):
        page = await visit.api.reach("/v1/operations/orders/stuck", slack_s=visit.question("slack_s"), cursor=cursor)
        if page is None:
            return None
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None or len(found) >= STUCK:
            break
    return found[:STUCK]


async def letters_of(visit: Visit, order_ids: Sequence[str]) -> Mapping[str, Sequence[Json]]:
    """The dead letters of these orders, in whichever service they died."""
    found: dict[str, list[Json]] = defaultdict(list)
    if order_ids:
        query = {"key": order_ids, "status": "dead", "limit": LETTERS_OF_STUCK}
        for one in (await visit.api.get("/v1/operations/dead-letters", **query))["items"]:
            found[one["key"]].append(one)
    return found


@get("/console/acts")
async def acts(visit: Visit) -> Response[Any]:
    """What operators did, the newest first."""
    found, staff = await asyncio.gather(
        visit.api.get("/v1/operations/actions", cursor=visit.question("cursor"), limit=ACTS), names_of_staff(visit)
    )
    facts = {"acts": found["items"], "next_cursor": found["next_cursor"], "missing": missing_from(found)}
    return visit.page("console/journal.html", staff=staff, **facts)


@post("/console/letters/{letter_id:str}/release")
async def release(visit: Visit, letter_id: str, form: Form) -> Response[Any]:
    """Have a message handled again, and after it what waits for it."""
    path = f"{visit.path_of('/v1/operations/dead-letters', letter_id)}/release"
    return await act(visit, form, "POST", path, why(form), told="console.done_released")


@post("/console/letters/{letter_id:str}/discard")
async def discard(visit: Visit, letter_id: str, form: Form) -> Response[Any]:
    """Give a message up for ever."""
    path = f"{visit.path_of('/v1/operations/dead-letters', letter_id)}/discard"
    return await act(visit, form, "POST", path, why(form), told="console.done_discarded")


@post("/console/parked/{service:str}/{key:str}/release")
async def release_key(visit: Visit, service: str, key: str, form: Form) -> Response[Any]:
    """Have everything of an order, a customer or a sku handled again that a service could not handle."""
    path = f"{visit.path_of('/v1/operations/parked-keys', service, key)}/release"
    return await act(visit, form, "POST", path, why(form), told="console.done_released")


@post("/console/consumers/{service:str}/pause")
async def pause(visit: Visit, service: str, form: Form) -> Response[Any]:
    """Have a service take no messages from others."""
    path = f"{visit.path_of('/v1/operations/consumers', service)}/pause"
    return await act(visit, form, "POST", path, why(form), told="console.done_paused")


@post("/console/consumers/{service:str}/resume")
async def resume(visit: Visit, service: str, form: Form) -> Response[Any]:
    """Have a service take messages again."""
    path = f"{visit.path_of('/v1/operations/consumers', service)}/resume"
    return await act(visit, form, "POST", path, why(form), told="console.done_resumed")


ROUTES = (trouble, acts, release, discard, release_key, pause, resume)
