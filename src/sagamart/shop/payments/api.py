"""Payments over HTTP: top-ups, how a payment stands, and the bank's webhooks; `operations_api.py` is for operators."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Answer,
    Ask,
    Caller,
    Cursor,
    Limit,
    NotFound,
    Page,
    Problem,
    Queries,
    RequestBody,
    json_response,
    key_of,
    logged_in,
    page_of,
)
from sagamart.platform.http.waiting import Prefer, wait_s_of
from sagamart.shop.payments import operations_api
from sagamart.shop.payments.messages import BankNotified, OpenTopUp
from sagamart.shop.payments.records import PAYMENTS, Payment
from sagamart.shop.payments.signatures import is_signed, keys_of
from sagamart.shop.payments.switching import BankSwitches
from sagamart.shop.payments.switching_api import switching_routes
from sagamart.shop.payments.view import BankPaymentView, view
from sagamart.shop.payments.waiting import TopUpWaiters

STAFF = frozenset({"OPERATOR", "ADMIN"})
AMOUNT_MINOR_MAX = 1_000_000_000_000
EVENT_ID_CHARS_MAX = 200

AmountMinor = Annotated[int, Meta(ge=1, le=AMOUNT_MINOR_MAX, description="Minor units: 1250 is 12.50", examples=[1250])]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217", examples=["RUB"])]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of payments ended."""

    at: Annotated[datetime, Meta(tz=True)]
    payment_id: Annotated[str, Meta(pattern="^[!-~]{0,200}$")]


class TopUp(RequestBody, frozen=True):
    """So much, from a card into the caller's wallet.  The card is typed on the bank's page, never here."""

    amount_minor: AmountMinor
    currency: Currency


class HookPayment(msgspec.Struct, frozen=True):
    """What a webhook says of the payment: only which one, and at which version."""

    key: Annotated[str, Meta(max_length=200)]
    version: Annotated[int, Meta(ge=0, le=2**53)]


class HookOperation(msgspec.Struct, frozen=True):
    """What a webhook says of the operation."""

    payment: HookPayment


class Hook(msgspec.Struct, frozen=True):
    """A webhook of the bank, as far as it is believed."""

    operation: HookOperation


class BadSignature(Problem):
    """401: whoever sent this does not know the secret, or not any more."""

    def __init__(self) -> None:
        super().__init__(401, "bad_signature", "This webhook is not signed by the bank, or not now")


@get("/v1/payments", guards=[logged_in])
async def payments(
    queries: Queries, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Page[BankPaymentView]:
    """One's own payments through the bank, top-ups among them, the newest first."""
    after = key_of(cursor, Place)
    rows = await queries.payments_of_customer(
        customer_id=caller.id,
        before_at=None if after is None else after.at,
        before="" if after is None else after.payment_id,
        limit=limit + 1,
    )
    return page_of([view(one) for one in PAYMENTS.read(rows)], limit, lambda last: Place(last.at, last.id))


@get("/v1/payments/{payment_id:str}", guards=[logged_in])
async def payment(payment_id: FromPath[str], queries: Queries, caller: Caller) -> Response[BankPaymentView]:
    """How one's own payment stands.  Somebody else's looks like none."""
    found = await _found(queries, payment_id)
    if found is None or not (found.customer_id == caller.id or not STAFF.isdisjoint(caller.roles)):
        raise NotFound("There is no such payment")
    return json_response(view(found))


def routes(
    secrets: Sequence[str], waiters: TopUpWaiters | None = None, switches: BankSwitches | None = None
) -> Sequence[HTTPRouteHandler]:
    """The routes of payments, where the bank signs its webhooks with these secrets (none: they are all refused).

    `waiters.on_committed` belongs into the worker's `on_commit`.
    """
    keys = keys_of(secrets)

    @post("/v1/bank-webhooks/{bank:str}", status_code=204, opt={"also": (401,)})
    async def bank_webhook(bank: FromPath[str], request: Request[Any, Any, Any], ask: Ask) -> Response[None]:
        """Hear that something happened at the bank.  It is asked what; the webhook itself is not believed."""
        raw = await request.body()
        event_id = request.headers.get("webhook-id", "")
        named = bank == "bank" and event_id.isascii() and 1 <= len(event_id) <= EVENT_ID_CHARS_MAX
        if not named or not is_signed(keys, request.headers, raw, datetime.now(UTC)):
            raise BadSignature
        try:
            told = msgspec.json.decode(raw, type=Hook).operation.payment
        except msgspec.MsgspecError:
            return Response(None, status_code=204)  # of no payment: nothing to ask about
        return await ask(BankNotified(told.key, told.version), key=event_id)

    switching = switching_routes(switches or BankSwitches("", ""))
    own = (_top_up(waiters or TopUpWaiters()), payments, payment, bank_webhook)
    return (*own, *operations_api.ROUTES, *switching)


def _top_up(waiters: TopUpWaiters) -> HTTPRouteHandler:
    @post("/v1/wallet/top-ups", guards=[logged_in], opt={"idempotent": "required", "also": (200,)}, status_code=202)
    async def top_up(
        data: TopUp, ask: Ask, caller: Caller, queries: Queries, prefer: Prefer = None
    ) -> Response[BankPaymentView]:
        """Put money from a card into one's own wallet.

        Look at the `Location` until there is a `redirect_url`, the bank's page, and send the customer there; or let it
        be answered (200) once there is that, or the top-up is settled, by `Prefer: wait=N`.  What the bank takes is
        credited, once, whatever happens in between.
        """

        async def answered(payment_ids: list[str]) -> list[Payment]:
            return PAYMENTS.read(await queries.payments_answered(payment_ids=payment_ids))

        def wish(message_id: str) -> OpenTopUp:
            return OpenTopUp("top_" + message_id.replace("-", ""), caller.id, data.amount_minor, data.currency)

        reply = await ask.reply_to(wish, content=data)
        wait_s = wait_s_of(prefer)
        if reply.refused or reply.location is None or wait_s is None:
            return Answer(reply)
        found = await waiters.wait(reply.location.rpartition("/")[2], wait_s, answered)
        if found is None:
            return Answer(reply)
        headers = {"Location": reply.location, "Preference-Applied": f"wait={wait_s}"}
        return json_response(view(found), headers=headers)

    return top_up


async def _found(queries: Queries, payment_id: str) -> Payment | None:
    row = await queries.payment_by_id(payment_id=payment_id)
    return PAYMENTS.read([row])[0] if row is not None else None


ROUTES = routes(())
