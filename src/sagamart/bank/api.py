"""The bank's routes for merchants, as README.md describes them.

A handler gets by name: `ask` (do something under the merchant's key), `desk` (all that the bank has), `merchant` (who).
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from msgspec import Meta

from sagamart.bank.answers import Delivery, DeliveryStatus, Entry, Funds, Operation, Payment, Webhook
from sagamart.bank.bank import Bank
from sagamart.bank.callers import is_merchant, merchant_of
from sagamart.bank.cards import plain
from sagamart.bank.line import Act, Line
from sagamart.bank.merchants import KnownMerchant, Merchants
from sagamart.bank.misbehaviour import Asked, Subject
from sagamart.bank.requests import Amount, FundsCheck, NewPayment, NewWebhook, Nothing
from sagamart.bank.webhooks import Webhooks
from sagamart.platform.http import LIMIT_DEFAULT, Cursor, Limit, Malformed, Page, key_of, page_of
from sagamart.platform.http.asking import IDEMPOTENCY_KEY_CHARS_MAX, idempotency_key

NEWEST = 2**62

Moment = Annotated[datetime, Meta(tz=True)]
Place = Annotated[int, Meta(ge=0, le=NEWEST)]


class Desk(msgspec.Struct, frozen=True):
    """All that the bank has, for its routes."""

    bank: Bank
    merchants: Merchants
    webhooks: Webhooks
    line: Line


class Ask:
    """What a handler has in hand to do something under the merchant's key."""

    def __init__(self, request: Request[Any, Any, Any], desk: Desk) -> None:
        self.key = idempotency_key(request) or ""
        if "/" in self.key:
            raise Malformed("Idempotency-Key", f"1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters without /")
        self.merchant = merchant_of(request)
        self.bank = desk.bank
        self._line = desk.line

    async def __call__(self, on: Subject, card: str | None, act: Act) -> Response[Any]:
        """Let the bank do it, and answer what comes back over the line."""
        return await self._line.carry(Asked(on, self.key, card), act)


class _ProblemShape(msgspec.Struct):
    """A problem (RFC 9457) with a stable `code`."""

    type: str
    title: str
    status: int
    code: str


ALREADY_DONE = ResponseSpec(_ProblemShape, description="already_done", media_type="application/problem+json")


@post("/v1/funds-checks", guards=[is_merchant], status_code=200)
async def check_funds(data: FundsCheck, desk: Desk) -> Response[Funds]:
    """Whether a card could pay so much now.  It promises nothing."""

    async def look(_refuse: object) -> bytes:
        return msgspec.json.encode(await desk.bank.funds(data))

    return await desk.line.carry(Asked("funds_check", None, plain(data.card)), look)


@post("/v1/payments", guards=[is_merchant], opt={"idempotent": "required"}, status_code=200)
async def pay(data: NewPayment, ask: Ask) -> Response[Operation]:
    """Hold money on a card, or charge it at once; the customer may have to confirm it first."""
    return await ask(
        data.kind, data.card_number, lambda refuse: ask.bank.pay(ask.merchant, ask.key, data, refuse=refuse)
    )


@get("/v1/payments/{payment_id:str}", guards=[is_merchant])
async def show_payment(payment_id: str, desk: Desk, merchant: KnownMerchant) -> Response[Payment]:
    """A payment as it is now."""

    async def look(_refuse: object) -> bytes:
        return msgspec.json.encode(await desk.bank.payment(merchant, payment_id))

    return await desk.line.carry(Asked("query"), look)


@post("/v1/payments/{payment_id:str}/capture", guards=[is_merchant], opt={"idempotent": "required"}, status_code=200)
async def capture(payment_id: str, data: Amount, ask: Ask) -> Response[Operation]:
    """Debit what is held, once, whole or part; the rest is released."""
    return await ask(
        "capture",
        await ask.bank.card_of(ask.merchant, payment_id),
        lambda refuse: ask.bank.capture(ask.merchant, ask.key, payment_id, data, refuse=refuse),
    )


@post("/v1/payments/{payment_id:str}/void", guards=[is_merchant], opt={"idempotent": "required"}, status_code=200)
async def void(payment_id: str, data: Nothing, ask: Ask) -> Response[Operation]:  # noqa: ARG001  {} and nothing else
    """Release a hold, or end the wait for the customer."""
    return await ask(
        "void",
        await ask.bank.card_of(ask.merchant, payment_id),
        lambda _refuse: ask.bank.void(ask.merchant, ask.key, payment_id),
    )


@post("/v1/payments/{payment_id:str}/refunds", guards=[is_merchant], opt={"idempotent": "required"}, status_code=200)
async def refund(payment_id: str, data: Amount, ask: Ask) -> Response[Operation]:
    """Give back what was captured, whole or part, never more."""
    return await ask(
        "refund",
        await ask.bank.card_of(ask.merchant, payment_id),
        lambda refuse: ask.bank.refund(ask.merchant, ask.key, payment_id, data, refuse=refuse),
    )


@get("/v1/operations/{key:str}", guards=[is_merchant])
async def show_operation(key: str, desk: Desk, merchant: KnownMerchant) -> Response[Operation]:
    """What became of a key.  `404` says only that nothing has come under it yet."""
    return await desk.line.carry(Asked("query", key), lambda _refuse: desk.bank.operation(merchant, key))


@put("/v1/operations/{key:str}/cancellation", guards=[is_merchant], responses={409: ALREADY_DONE})
async def cancel(key: str, desk: Desk, merchant: KnownMerchant) -> Response[Operation]:
    """Make sure that nothing is or will ever be taken under a key, whether the bank has seen it or not."""
    if not 1 <= len(key) <= IDEMPOTENCY_KEY_CHARS_MAX or not key.isascii() or not key.isprintable() or " " in key:
        raise Malformed("key", f"1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters without /")
    return await desk.line.carry(Asked("cancellation", key), lambda _refuse: desk.bank.cancel(merchant, key))


@get("/v1/statement", guards=[is_merchant])
async def statement(  # noqa: PLR0913, PLR0917  as many as a request has
    begin: Annotated[Moment, QueryParameter(name="from", description="From this moment on")],
    end: Annotated[Moment, QueryParameter(name="to", description="To before this one")],
    desk: Desk,
    merchant: KnownMerchant,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response[Page[Entry]]:
    """What moved between two moments, oldest first.  A window that ends in the past is complete for ever."""
    after = key_of(cursor, Place) or 0

    async def look(_refuse: object) -> bytes:
        found = await desk.bank.statement(merchant, begin, end, after=after, limit=limit + 1)
        return msgspec.json.encode(page_of(found, limit, lambda entry: entry.entry))

    return await desk.line.carry(Asked("statement"), look)


@get("/v1/webhook", guards=[is_merchant])
async def show_webhook(merchant: KnownMerchant) -> Webhook:
    """Where you are told, and how many secrets sign it."""
    return merchant.webhook


@put("/v1/webhook", guards=[is_merchant])
async def put_webhook(data: NewWebhook, desk: Desk, merchant: KnownMerchant) -> Webhook:
    """Change where you are told.  Two secrets sign at the same time, so that they can be exchanged without a gap."""
    return await desk.merchants.put_webhook(merchant, data)


@get("/v1/webhook-deliveries", guards=[is_merchant])
async def deliveries(
    desk: Desk,
    merchant: KnownMerchant,
    status: DeliveryStatus | None = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[Delivery]:
    """What you were told or will be, newest first."""
    before = key_of(cursor, Place) or NEWEST
    found = await desk.webhooks.page(merchant, status, before, limit + 1)
    numbers = page_of(found, limit, lambda one: one[0])
    return Page([delivery for _, delivery in numbers.items], numbers.next_cursor)


@post("/v1/webhook-deliveries/{event_id:str}/replay", guards=[is_merchant], status_code=202)
async def replay(event_id: str, desk: Desk, merchant: KnownMerchant) -> Delivery:
    """Send an event again, under the same id."""
    delivery = await desk.webhooks.replay(merchant, event_id)
    desk.bank.changed.set()
    return delivery


ROUTES = (
    check_funds,
    pay,
    show_payment,
    capture,
    void,
    refund,
    show_operation,
    cancel,
    statement,
    show_webhook,
    put_webhook,
    deliveries,
    replay,
)
