"""Promo codes: made, limited, withdrawn."""

from typing import Any

from litestar import Response, get, post

from sagamart.web import money
from sagamart.web.api_client import Json
from sagamart.web.console.acting import act
from sagamart.web.forms import Form
from sagamart.web.visit import Visit

CODES = 50
BP_PER_PERCENT = 100


@get("/console/promotions")
async def promotions(visit: Visit) -> Response[Any]:
    """All codes, and the form for a new one."""
    found = await visit.api.get("/v1/promo-codes", cursor=visit.question("cursor"), limit=CODES)
    return visit.page("console/promotions.html", codes=found["items"], next_cursor=found["next_cursor"])


@post("/console/promotions")
async def create(visit: Visit, form: Form) -> Response[Any]:
    """Make a code."""
    currency = form.text("currency").upper() or "RUB"
    body: Json = {"code": form.text("code").upper(), "currency": currency, "uses_max": form.number("uses_max")}
    percent = form.number("percent")
    if percent:
        body["percent_bp"] = percent * BP_PER_PERCENT
    elif form.text("amount"):
        body["amount_minor"] = money.typed(form.text("amount"), currency)
    if form.text("valid_until"):
        body["valid_until"] = f"{form.text('valid_until')}T23:59:59Z"
    return await act(visit, form, "POST", "/v1/promo-codes", body, told="console.done_code")


@post("/console/promotions/{code:str}")
async def change(visit: Visit, code: str, form: Form) -> Response[Any]:
    """Withdraw a code, or let it count again."""
    path, body = visit.path_of("/v1/promo-codes", code), {"active": form.text("active") == "true"}
    return await act(visit, form, "PATCH", path, body, version=form.number("version"), told="console.done_code")


ROUTES = (promotions, create, change)
