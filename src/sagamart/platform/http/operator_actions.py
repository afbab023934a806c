"""What operators did, over HTTP, for operators: who, when, why, in all services that run here, the newest first."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from sagamart.messaging.operator_actions import Action, DoneAction, OperatorActions
from sagamart.platform.http.dead_letters import STAFF
from sagamart.platform.http.paging import LIMIT_DEFAULT, Cursor, JoinedPage, Limit, key_of, page_of


class Moment(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of acts begins: just before this one."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    action_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f-]{0,36}$(?!\n)")]


NOW = Moment(datetime(9999, 1, 1, tzinfo=UTC), "")


class ShownAction(msgspec.Struct, frozen=True):
    """An act: `by` did it at `at` (RFC 3339, UTC) to `subject`, in `service`.  `letter` is the dead letter's id.

    An order had `status_before` and has `status_after` the act; of the bank they are the ways in which it misbehaves.
    """

    id: str
    service: str
    action: Action
    subject: str | None
    letter: str | None
    by: str
    why: str
    at: datetime
    status_before: str | None = None
    status_after: str | None = None


Subject = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[^\x00]*$(?!\n)", max_length=200, description="Only what was done to this order, payment or key"
    ),
]


def operator_action_routes(actions: Mapping[str, OperatorActions]) -> list[HTTPRouteHandler]:
    """The route over the acts in these services."""

    @get("/v1/operations/actions", guards=[STAFF], tags=["operations"])
    async def operator_actions(
        subject: Subject = None, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> JoinedPage[ShownAction]:
        """What operators and other staff did, the newest first.  Nobody can change or delete it over the API."""
        before = key_of(cursor, Moment) or NOW
        place = before.at, before.action_id
        found = await asyncio.gather(*(one.before(*place, limit + 1, subject) for one in actions.values()))
        shown = [_shown(service, one) for service, some in zip(actions, found, strict=True) for one in some]
        shown.sort(key=lambda one: (one.at, one.id), reverse=True)
        return JoinedPage.of(page_of(shown, limit, lambda one: Moment(one.at, one.id)))

    return [operator_actions]


def _shown(service: str, done: DoneAction) -> ShownAction:
    letter = None if done.message_id is None else f"{service}.{done.message_id}"
    what = done.action, done.subject, letter, done.by, done.why, done.at
    return ShownAction(done.id, service, *what, done.status_before, done.status_after)
