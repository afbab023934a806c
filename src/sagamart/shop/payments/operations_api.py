"""What operators look at and do about payments: those of which nothing is known, and the bank's statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Limit,
    NotFound,
    Page,
    Queries,
    RequestBody,
    key_of,
    page_of,
    roles,
)
from sagamart.shop.payments.messages import Reconcile, ResolvePayment
from sagamart.shop.payments.records import Purpose
from sagamart.shop.payments.view import BankPaymentView, ReconciliationView, link_to

OPERATORS = roles("OPERATOR", "ADMIN")

Question = Literal["open", "capture", "cancel", "state"]

QUESTIONS: Mapping[str, Question] = {
    "BankOpenAsked": "open",
    "BankCaptureAsked": "capture",
    "BankCancelAsked": "cancel",
    "BankStateAsked": "state",
}


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of payments ended."""

    at: Annotated[datetime, Meta(tz=True)]
    payment_id: Annotated[str, Meta(pattern="^[!-~]{0,200}$")]


class UnknownPayment(msgspec.Struct, frozen=True):
    """A payment of which the bank has not told how it stands.

    `asked`: what it is being asked now, under the payment's own key; nothing: it is to tell by itself, and is asked for
    its state at `next_asking_at`.  `resolution`: where an operator settles it who knows by other means.
    """

    id: str
    purpose: Purpose
    order_id: str | None
    customer_id: str
    amount_minor: int
    currency: str
    at: datetime
    age_s: int
    asked: tuple[Question, ...]
    next_asking_at: datetime | None
    payment: str
    resolution: str


class Resolved(RequestBody, frozen=True):
    """How it is settled, and how you know: it is kept with your name.

    `bank_id`: what the bank calls the payment.  `captured` needs it, unless the bank has told it: without it nothing
    could be refunded.
    """

    outcome: Literal["nothing_taken", "captured"]
    why: Annotated[str, Meta(min_length=1, max_length=500)]
    bank_id: Annotated[str, Meta(pattern="^[!-~]{1,200}$")] | None = None


class FoundAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of differences ended."""

    place: Annotated[int, Meta(ge=1, le=9)]
    subject: Annotated[str, Meta(pattern="^[!-~]{0,200}$")]


class DifferenceView(msgspec.Struct, frozen=True):
    """What a person has to look at after a reconciliation.

    `unknown`: an entry of the statement (`subject`, under `bank_key`) that is of no payment of ours; `other_currency`:
    of one, but in another currency.  `amount_differs`: a payment (`subject`) of which we know `known_minor`, and the
    statement says `statement_minor`.  `not_credited`: a top-up that the wallet has not confirmed.
    """

    found: Literal["unknown", "other_currency", "amount_differs", "not_credited"]
    subject: str
    bank_key: str | None
    known_minor: int | None
    statement_minor: int
    currency: str
    at: datetime


@get("/v1/operations/payments/unknown", guards=[OPERATORS], tags=["operations"])
async def unknown_payments(
    queries: Queries, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Page[UnknownPayment]:
    """Payments of which the bank has not told how they stand, the oldest first.  It is asked until it does."""
    after = key_of(cursor, Place)
    rows = await queries.payments_unknown(
        after_at=None if after is None else after.at,
        after_id="" if after is None else after.payment_id,
        limit=limit + 1,
    )
    return page_of([_unknown(row) for row in rows], limit, lambda last: Place(last.at, last.id))


@post(
    "/v1/operations/payments/{payment_id:str}/resolution",
    guards=[OPERATORS],
    opt={"idempotent": "required"},
    status_code=200,
    tags=["operations"],
)
async def resolve(payment_id: FromPath[str], data: Resolved, ask: Ask, caller: Caller) -> Response[BankPaymentView]:
    """Settle a payment whose outcome the bank told by other means, such as a letter."""
    return await ask(ResolvePayment(payment_id, data.outcome, caller.id, data.why, data.bank_id), content=data)


@post(
    "/v1/operations/reconciliation",
    guards=[OPERATORS],
    opt={"idempotent": "required"},
    status_code=202,
    tags=["operations"],
)
async def reconcile(ask: Ask) -> Response[ReconciliationView]:
    """Compare the bank's statement with the payments, now."""
    return await ask(Reconcile())


@get("/v1/operations/reconciliation", guards=[OPERATORS], tags=["operations"])
async def reconciliation(queries: Queries) -> ReconciliationView:
    """How far the bank's statement has been compared."""
    found: Any = await queries.reconciliation()
    if found is None:
        raise NotFound("Nothing has been compared yet")
    return ReconciliationView(*found.values())


@get("/v1/operations/reconciliation/differences", guards=[OPERATORS], tags=["operations"])
async def differences(queries: Queries, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Page[DifferenceView]:
    """What did not fit when the bank's statement was compared, and does not fit now.

    First entries of the statement, then payments that differ, then top-ups that are not credited.
    """
    after = key_of(cursor, FoundAfter) or FoundAfter(1, "")
    rows = await queries.all_differences(place=after.place, subject=after.subject, limit=limit + 1)
    page = page_of(rows, limit, lambda last: FoundAfter(last["place"], last["subject"]))
    return Page([DifferenceView(*list(row.values())[1:]) for row in page.items], page.next_cursor)


def _unknown(row: Any) -> UnknownPayment:
    payment_id = row["payment_id"]
    return UnknownPayment(
        payment_id,
        row["purpose"],
        row["order_id"] or None,
        row["customer_id"],
        row["amount_minor"],
        row["currency"],
        row["at"],
        row["age_s"],
        tuple(QUESTIONS[kind] for kind in row["asked"] or ()),
        row["next_asking_at"],
        link_to(payment_id),
        f"/v1/operations/payments/{payment_id}/resolution",
    )


ROUTES: Sequence[HTTPRouteHandler] = (unknown_payments, resolve, reconcile, reconciliation, differences)
