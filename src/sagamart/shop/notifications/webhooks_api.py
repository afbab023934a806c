"""Webhooks over HTTP: administrators subscribe receivers, staff look at deliveries and have them made again.

A secret is shown once, when it is made.  An Idempotency-Key cannot show it again (422).
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta

from sagamart.messaging.requests import StoredReply
from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Limit,
    Malformed,
    NotFound,
    Page,
    Queries,
    RequestBody,
    json_response,
    key_of,
    page_of,
    roles,
    versioned,
)
from sagamart.shop.notifications.receivers import ForbiddenReceiverError, Receivers
from sagamart.shop.notifications.settings import WebhookSection
from sagamart.shop.notifications.signing import SECRET_PREFIX
from sagamart.shop.notifications.subscribing import WebhookView
from sagamart.shop.notifications.webhook_messages import (
    ChangeWebhook,
    CreateWebhook,
    DeleteWebhook,
    ReplaceWebhookSecret,
    ReplayDelivery,
)
from sagamart.shop.notifications.webhook_records import DeliveryStatus, EventType, News

READERS = roles("OPERATOR", "ADMIN")
ADMIN = roles("ADMIN")
SECRET_BYTES = 32
ID_BYTES = 16
URL_LENGTH_MAX = 2_000
EVENTS_MAX = 11
_WEBHOOK_ID = r"^whk_[0-9a-f]{32}$(?!\n)"

WebhookId = Annotated[str, PathParameter(pattern=_WEBHOOK_ID, description="A webhook's id")]
DeliveryId = Annotated[str, PathParameter(pattern=r"^dlv_[0-9a-f]{32}$(?!\n)", description="A delivery's id")]
Url = Annotated[str, Meta(min_length=1, max_length=URL_LENGTH_MAX, examples=["https://erp.example/sagamart"])]
Events = Annotated[
    tuple[EventType, ...],
    Meta(min_length=1, max_length=EVENTS_MAX, examples=[["order.paid", "order.completed", "order.cancelled"]]),
]
Note = Annotated[str, Meta(max_length=200, description="What it is for", examples=["Warehouse"])]
Status = Annotated[DeliveryStatus | None, QueryParameter(description="Only those that stand so")]


class NewWebhook(RequestBody, frozen=True):
    """A receiver that shall be told of orders."""

    url: Url
    events: Events
    note: Note = ""


class WebhookChange(RequestBody, frozen=True):
    """What shall be otherwise; what is left out stays.  Pausing (`active`: false) fails what is under way."""

    url: Url | None = None
    events: Events | None = None
    note: Note | None = None
    active: bool | None = None


class WebhookWithSecret(WebhookView, frozen=True, kw_only=True):
    """A webhook with the secret that it is signed with from now on (Standard Webhooks), which is shown this once."""

    secret: str


class ShownDelivery(msgspec.Struct, frozen=True):
    """A turn of an order as it was, or will be, posted.  `id` is its `webhook-id`, at every attempt and replay.

    `reason` says why the last attempt was none: `http_…`, `no_answer`, `unreachable`, `receiver_spared` after failures
    in a row, `receiver_forbidden`, `webhook_paused`.
    """

    id: str
    event: str
    type: EventType
    data: News
    status: DeliveryStatus
    at: datetime
    attempts: int
    replays: int
    answer: int | None
    reason: str | None
    next_at: datetime | None
    ended_at: datetime | None


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of deliveries begins: just before this one."""

    at: Annotated[datetime, Meta(tz=True)]
    delivery_id: Annotated[str, Meta(pattern="^[!-~]{0,40}$")]


NEWEST = Place(datetime(9999, 1, 1, tzinfo=UTC), "")


def routes(section: WebhookSection) -> Sequence[HTTPRouteHandler]:
    """The routes of a shop whose webhooks may go where these settings say."""
    receivers = Receivers(section)

    @post("/v1/webhooks", guards=[ADMIN], status_code=201)
    async def create_webhook(data: NewWebhook, ask: Ask, caller: Caller) -> Response[WebhookWithSecret]:
        """Subscribe a receiver to turns of orders.  Its secret is shown this once."""
        _check(receivers, data.url)
        webhook_id, secret = f"whk_{secrets.token_hex(ID_BYTES)}", _new_secret()
        command = CreateWebhook(webhook_id, data.url, _each_once(data.events), data.note, secret, caller.id)
        return _with_secret(await ask.reply_to(command, content=(data, secret)), secret, 201)

    @patch("/v1/webhooks/{webhook_id:str}", guards=[ADMIN])
    async def change_webhook(
        webhook_id: WebhookId, data: WebhookChange, ask: Ask, expected_version: int
    ) -> Response[WebhookView]:
        """Change, pause or resume a webhook, under its If-Match."""
        if data.url is not None:
            _check(receivers, data.url)
        events = None if data.events is None else _each_once(data.events)
        change = ChangeWebhook(webhook_id, expected_version, data.url, events, data.note, data.active)
        return await ask(change, content=(data, expected_version))

    return (
        create_webhook,
        list_webhooks,
        read_webhook,
        change_webhook,
        delete_webhook,
        replace_secret,
        list_deliveries,
        replay_delivery,
    )


@get("/v1/webhooks", guards=[READERS])
async def list_webhooks(queries: Queries, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Page[WebhookView]:
    """All webhooks by id, without their secrets."""
    rows = await queries.webhooks_after(after=key_of(cursor, str) or "", limit=limit + 1)
    return page_of([_view(row) for row in rows], limit, lambda one: one.id)


@get("/v1/webhooks/{webhook_id:str}", guards=[READERS], opt={"also": (304,)})
async def read_webhook(
    request: Request[Any, Any, Any], webhook_id: WebhookId, queries: Queries
) -> Response[WebhookView]:
    """One webhook, with its ETag."""
    found = await _found(queries, webhook_id)
    return versioned(request, found, found.version)


@delete("/v1/webhooks/{webhook_id:str}", guards=[ADMIN], status_code=204)
async def delete_webhook(webhook_id: WebhookId, ask: Ask) -> Response[None]:
    """Tell this receiver nothing more; its secret is forgotten."""
    return await ask(DeleteWebhook(webhook_id))


@post("/v1/webhooks/{webhook_id:str}/secret", guards=[ADMIN], status_code=200)
async def replace_secret(webhook_id: WebhookId, ask: Ask) -> Response[WebhookWithSecret]:
    """Sign with a new secret, which is shown this once; for a day with the former one too."""
    secret = _new_secret()
    return _with_secret(await ask.reply_to(ReplaceWebhookSecret(webhook_id, secret), content=secret), secret, 200)


@get("/v1/webhooks/{webhook_id:str}/deliveries", guards=[READERS])
async def list_deliveries(
    webhook_id: WebhookId, queries: Queries, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None, status: Status = None
) -> Page[ShownDelivery]:
    """What was and will be posted, newest first; what has ended is forgotten after two weeks."""
    await _found(queries, webhook_id)
    before = key_of(cursor, Place) or NEWEST
    rows = await queries.deliveries_of(
        subscription_id=webhook_id, before_at=before.at, before_id=before.delivery_id, status=status, limit=limit + 1
    )
    return page_of([_delivery(row) for row in rows], limit, lambda one: Place(one.at, one.id))


@post("/v1/webhooks/{webhook_id:str}/deliveries/{delivery_id:str}/replay", guards=[READERS], status_code=202)
async def replay_delivery(webhook_id: WebhookId, delivery_id: DeliveryId, ask: Ask) -> Response[None]:
    """Post a delivery that has ended once more: the same content under the same `webhook-id`."""
    return await ask(ReplayDelivery(delivery_id, webhook_id))


def _check(receivers: Receivers, url: str) -> None:
    try:
        receivers.check(url)
    except ForbiddenReceiverError as error:
        raise Malformed("url", str(error)) from None


def _each_once(events: tuple[EventType, ...]) -> tuple[EventType, ...]:
    return tuple(sorted(set(events)))


def _new_secret() -> str:
    return f"{SECRET_PREFIX}{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _with_secret(reply: StoredReply, secret: str, status: int) -> Response[WebhookWithSecret]:
    if reply.refused:
        return Response(reply.body, status_code=reply.status, media_type=reply.media_type)  # type: ignore[arg-type]  # a problem instead of a webhook
    kept = msgspec.json.decode(reply.body, type=WebhookView)
    shown = WebhookWithSecret(secret=secret, **msgspec.structs.asdict(kept))
    located = {} if reply.location is None else {"Location": reply.location}
    return json_response(shown, status=status, headers={"Cache-Control": "no-store", **located})


async def _found(queries: Queries, webhook_id: str) -> WebhookView:
    row = await queries.webhook(subscription_id=webhook_id)
    if row is None:
        raise NotFound("There is no such webhook")
    return _view(row)


def _view(row: Any) -> WebhookView:
    events = msgspec.json.decode(row["events"], type=tuple[EventType, ...])
    return WebhookView(
        row["subscription_id"],
        row["version"],
        row["url"],
        events,
        row["note"],
        row["status"],
        row["made_by"],
        row["made_at"],
        row["former_until"],
    )


def _delivery(row: Any) -> ShownDelivery:
    told = msgspec.json.decode(row["data"], type=News)
    shown = {name: row[name] for name in ShownDelivery.__struct_fields__ if name not in ("id", "data")}
    return ShownDelivery(id=row["delivery_id"], data=told, **shown)
