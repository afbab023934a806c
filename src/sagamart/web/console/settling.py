"""Payments of which the bank has not told how they stand: settled by hand, or by comparing with its statement."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response, post

from sagamart.web.api_client import Json
from sagamart.web.console.acting import act, why
from sagamart.web.forms import Form
from sagamart.web.visit import Visit

PAYMENTS = 50


class Unanswered(msgspec.Struct, frozen=True):
    """The oldest payments without an answer (None: whoever keeps them cannot be reached), and the last comparison.

    `differences` are what did not fit in it, as far as the API names that.
    """

    payments: Sequence[Json] | None
    next_cursor: str | None
    reconciliation: Json | None
    differences: Sequence[Json]

    def of(self, order_id: str) -> Sequence[Json]:
        """Those of an order."""
        return [one for one in self.payments or () if one["order_id"] == order_id]


async def unanswered(visit: Visit) -> Unanswered:
    """What the API says of them.  Raises ApiProblem for somebody who may not see it."""
    found, compared, differences = await asyncio.gather(
        visit.api.reach("/v1/operations/payments/unknown", cursor=visit.question("payments"), limit=PAYMENTS),
        visit.api.reach("/v1/operations/reconciliation"),
        visit.api.reach("/v1/operations/reconciliation/differences", limit=PAYMENTS),
    )
    named = [] if differences is None else differences["items"]
    if found is None:
        return Unanswered(None, None, compared, named)
    return Unanswered(found["items"], found["next_cursor"], compared, named)


@post("/console/payments/{payment_id:str}/resolution")
async def resolve(visit: Visit, payment_id: str, form: Form) -> Response[Any]:
    """Settle a payment whose outcome the bank told by other means."""
    path = f"{visit.path_of('/v1/operations/payments', payment_id)}/resolution"
    bank_id = form.text("bank_id")
    body = {"outcome": form.text("outcome"), **({"bank_id": bank_id} if bank_id else {}), **why(form)}
    return await act(visit, form, "POST", path, body, told="console.done_resolved")


@post("/console/reconciliation")
async def reconcile(visit: Visit, form: Form) -> Response[Any]:
    """Have the bank's statement compared now, which asks it again about every payment that does not fit."""
    return await act(visit, form, "POST", "/v1/operations/reconciliation", told="console.done_reconciling")


ROUTES = (resolve, reconcile)
