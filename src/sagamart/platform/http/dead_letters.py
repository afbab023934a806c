"""Dead letters over HTTP, for operators: what lies there, of all services that run here; release one, discard one.

A letter's id is `<service>.<message id>`: one message may have died in two services, and each is a letter of its own.
A release or a discard that was done before is refused with 409, so a repeated click does no harm; so is the release of
a key that no dead letter parks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter, QueryParameter

from sagamart.messaging.dead_letters import LetterStatus
from sagamart.messaging.operations import FIRST, DeadLetters, Letter
from sagamart.platform.http.bodies import RequestBody
from sagamart.platform.http.callers import roles
from sagamart.platform.http.paging import LIMIT_DEFAULT, Cursor, JoinedPage, Limit, Page, key_of, page_of
from sagamart.platform.http.problems import NotFound, Problem
from sagamart.platform.tokens import Caller

WHY_CHARS_MAX = 500
KEYS_MAX = 50
STAFF = roles("OPERATOR", "ADMIN")

LetterId = Annotated[
    str,
    Parameter(
        pattern=r"^[a-z][a-z0-9_]{0,39}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$(?!\n)",
        description="The service and the message's id",
    ),
]


ServiceName = Annotated[str, Parameter(pattern=r"^[a-z][a-z0-9_]{0,39}$(?!\n)", description="The service")]
ParkedKey = Annotated[str, Parameter(pattern=r"^[!-~]{1,200}$(?!\n)", description="What the messages are about")]
Keys = Annotated[
    list[str] | None,
    QueryParameter(max_items=KEYS_MAX, description="Only about this order, customer or sku; repeat it for more"),
]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of letters begins: just after this one."""

    message_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$(?!\n)")]
    service: str


class ShownLetter(msgspec.Struct, frozen=True):
    """A message that could not be handled (`dead`), that waits for one of its key, or that an operator dealt with."""

    id: str
    service: str
    message_id: str
    type: str
    key: str
    status: LetterStatus
    error: str
    at: datetime


class Reason(RequestBody, frozen=True):
    """Why the operator does this.  It is kept, with the operator's id and the time."""

    why: Annotated[str, msgspec.Meta(min_length=1, max_length=WHY_CHARS_MAX, examples=["fixed by release 1.4.2"])]


_ACT: Mapping[str, Any] = {"guards": [STAFF], "tags": ["operations"], "status_code": 200, "opt": {"also": (409,)}}
"""How each act on letters is routed."""


def dead_letter_routes(letters: Mapping[str, DeadLetters]) -> list[HTTPRouteHandler]:
    """The routes over the letters of these services."""

    @get("/v1/operations/dead-letters", guards=[STAFF], tags=["operations"])
    async def dead_letters(
        status: LetterStatus | None = None, key: Keys = None, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> JoinedPage[ShownLetter]:
        """Dead letters and what waits for them, the oldest messages first."""
        place = key_of(cursor, Place)
        after = FIRST if place is None else (place.message_id, place.service)
        found = await asyncio.gather(*(one.after(after, status, limit + 1, key) for one in letters.values()))
        shown = [_shown(service, one) for service, some in zip(letters, found, strict=True) for one in some]
        shown.sort(key=lambda one: (one.message_id, one.service))
        return JoinedPage.of(page_of(shown, limit, lambda one: Place(one.message_id, one.service)))

    @post("/v1/operations/dead-letters/{letter_id:str}/release", **_ACT)
    async def release(letter_id: LetterId, data: Reason, caller: Caller) -> ShownLetter:
        """Have it handled again, and after it what waits for it."""
        return await _acted(letters, letter_id, lambda one, message_id: one.release(message_id, caller.id, data.why))

    @post("/v1/operations/dead-letters/{letter_id:str}/discard", **_ACT)
    async def discard(letter_id: LetterId, data: Reason, caller: Caller) -> ShownLetter:
        """Give it up for ever; what waits for it is handled."""
        return await _acted(letters, letter_id, lambda one, message_id: one.discard(message_id, caller.id, data.why))

    @post("/v1/operations/parked-keys/{service:str}/{key:str}/release", **_ACT)
    async def release_key(service: ServiceName, key: ParkedKey, data: Reason, caller: Caller) -> Page[ShownLetter]:
        """Have every dead letter of a key (an order, a customer, a sku) handled again, and what waits for them."""
        theirs = letters.get(service)
        if theirs is None:
            raise NotFound("There is no such service here")
        released = await theirs.release_key(key, caller.id, data.why)
        if not released:
            raise Problem(409, "key_not_parked", "No dead letter parks this key there")
        return Page([_shown(service, one) for one in released])

    return [dead_letters, release, discard, release_key]


async def _acted(
    letters: Mapping[str, DeadLetters], letter_id: str, act: Callable[[DeadLetters, str], Awaitable[Letter | None]]
) -> ShownLetter:
    service, _, message_id = letter_id.partition(".")
    theirs = letters.get(service)
    if theirs is None:
        raise NotFound("There is no such letter")
    letter = await act(theirs, message_id)
    if letter is not None:
        return _shown(service, letter)
    status = await theirs.status_of(message_id)
    if status is None:
        raise NotFound("There is no such letter")
    raise Problem(409, "letter_not_dead", f"The letter is {status}, not dead", facts={"letter_status": status})


def _shown(service: str, letter: Letter) -> ShownLetter:
    return ShownLetter(f"{service}.{letter.message_id}", service, *msgspec.structs.astuple(letter))
