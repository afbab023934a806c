"""The wallet: what is in it, what moved, and ways to put money in."""

from typing import Any

from litestar import Response, get, post

from sagamart.web import money
from sagamart.web.api_client import ApiProblem
from sagamart.web.forms import Form
from sagamart.web.paying import to_the_bank
from sagamart.web.problem_pages import key_of
from sagamart.web.visit import Visit

ENTRIES = 25
SERVER_ERRORS = 500
UNAUTHENTICATED = 401
ENDED = frozenset(("declined", "failed", "voided"))


@get("/wallet")
async def wallet(visit: Visit) -> Response[Any]:
    """The wallet."""
    found = await visit.api.get("/v1/wallet")
    entries = await visit.api.get("/v1/wallet/entries", limit=ENTRIES, cursor=visit.question("cursor"))
    return visit.page("wallet.html", wallet=found, entries=entries["items"], next_cursor=entries["next_cursor"])


@post("/wallet/deposits")
async def deposit(visit: Visit, form: Form) -> Response[Any]:
    """Put money in without a bank, where the shop allows it, as in a demonstration."""
    return await _paid_in(visit, form, "deposits", "wallet.deposited")


@post("/wallet/top-ups")
async def top_up(visit: Visit, form: Form) -> Response[Any]:
    """Put money in from a card: on to the page that leads to the bank."""
    return await _paid_in(visit, form, "top-ups", "")


@get("/wallet/top-ups/{payment_id:str}")
async def top_up_page(visit: Visit, payment_id: str) -> Response[Any]:
    """How a top-up stands."""
    found = await visit.api.get(visit.path_of("/v1/payments", payment_id))
    template = "top_up_now.html" if visit.is_fragment else "top_up.html"
    return visit.page(template, payment=found, ended=found["status"] in ENDED)


@get("/wallet/top-ups/{payment_id:str}/bank")
async def top_up_bank_page(visit: Visit, payment_id: str) -> Response[Any]:
    """On to the bank's page."""
    path = visit.path_of("/wallet/top-ups", payment_id)
    found = await visit.api.get(visit.path_of("/v1/payments", payment_id))
    if found["status"] != "pending" or "redirect_url" not in found:
        return visit.go(path)
    return to_the_bank(visit, found["redirect_url"], path)


async def _paid_in(visit: Visit, form: Form, what: str, told: str) -> Response[Any]:
    currency = form.text("currency")
    amount_minor = money.typed(form.text("amount"), currency)
    if not amount_minor:
        return visit.go("/wallet", told="problem.no_amount")
    body = {"amount_minor": amount_minor, "currency": currency}
    try:
        found = await visit.api.send("POST", f"/v1/wallet/{what}", body, key=form.text("key"))
    except ApiProblem as problem:
        if problem.status >= SERVER_ERRORS or problem.status == UNAUTHENTICATED:
            raise
        return visit.go("/wallet", told=key_of(problem))
    return visit.go(f"/wallet/top-ups/{found['id']}" if what == "top-ups" else "/wallet", told=told)


ROUTES = (wallet, deposit, top_up, top_up_page, top_up_bank_page)
