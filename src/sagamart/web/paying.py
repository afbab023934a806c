"""Paying on the bank's page, and coming back from there."""

from typing import Any

from litestar import Response

from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.problem_pages import key_of
from sagamart.web.visit import Visit, here

WAIT_S = 5
BACK_S = 3_600
"""For so long the browser remembers where it is to go after the bank's page."""

PAYING = "paying"


async def pay_by_card(visit: Visit, order_id: str, *, key: str, amount_minor: int | None = None) -> Response[Any]:
    """Start a payment through the bank, and go on to its page; where it is refused, the order's page says why."""
    path = f"/orders/{order_id}"
    wanted = {"source": "bank", "amount_minor": amount_minor}
    try:
        order = await visit.api.send("POST", f"/v1{path}/payments", wanted, key=key, wait_s=WAIT_S)
    except ApiProblem as problem:
        if problem.status >= 500:  # noqa: PLR2004  RFC 9110
            raise
        return visit.go(path, told=key_of(problem))
    return visit.go(path) if bank_page_of(order) is None else visit.go(f"{path}/bank")


def bank_page_of(order: Json) -> str | None:
    """The bank's page of a payment that waits for its customer."""
    waiting = [one["redirect_url"] for one in order["payments"] if one["state"] == "started" and "redirect_url" in one]
    return waiting[-1] if waiting else None


def to_the_bank(visit: Visit, address: str, back: str) -> Response[Any]:
    """A page that leads to the bank's.  A form could not: this site's forms lead to this site only."""
    visit.cookies.set(PAYING, back, age_s=BACK_S)
    return visit.page("to_the_bank.html", address=address)


def way_back(visit: Visit) -> Response[Any]:
    """Where whoever comes back from the bank left from."""
    path = here(visit.cookies.read(PAYING), "/orders")
    visit.cookies.drop(PAYING)
    return visit.go(path)
