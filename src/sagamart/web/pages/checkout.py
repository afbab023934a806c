"""Checkout: how it comes, where to, how it is paid, and what it comes to, on one page; then the order.

The form has one idempotency key: sent twice, it is one order.
"""

from typing import Any

from litestar import Response, get, post

from sagamart.web.api_client import ApiProblem
from sagamart.web.basket import count
from sagamart.web.checkout import Offer, offer, wish_of
from sagamart.web.forms import Form
from sagamart.web.paying import pay_by_card
from sagamart.web.problem_pages import key_of
from sagamart.web.visit import Visit

WAIT_S = 5
"""So long the page waits for what becomes of an order; its own page shows the rest."""

UNAUTHENTICATED = 401


@get("/checkout")
async def checkout(visit: Visit) -> Response[Any]:
    """What the basket comes to."""
    found = await offer(visit, None)
    if not found.basket.is_fit:
        return visit.go("/basket")
    return _page(visit, found)


@post("/checkout")
async def place(visit: Visit, form: Form) -> Response[Any]:
    """Count again, or place the order and pay for it."""
    found = await offer(visit, wish_of(form))
    if form.text("act") != "place":
        return visit.page("total.html", offer=found) if visit.is_fragment else _page(visit, found)
    key = form.text("key")
    try:
        order = await visit.api.send("POST", "/v1/orders", found.order(), key=key, wait_s=WAIT_S)
    except ApiProblem as problem:
        if problem.status == UNAUTHENTICATED or problem.status >= 500:  # noqa: PLR2004  RFC 9110
            raise
        return _page(visit, found, refused=key_of(problem), status=problem.status)
    count(visit, 0)
    if found.wish.keep and found.address is found.wish.address:
        await _keep_address(visit, found)
    if found.wish.pay == "card":
        return await pay_by_card(visit, order["id"], key=f"{key}-card")
    return visit.go(f"/orders/{order['id']}")


async def _keep_address(visit: Visit, found: Offer) -> None:
    try:
        await visit.api.send("POST", "/v1/me/addresses", found.wish.address)
    except ApiProblem as problem:
        if problem.status >= 500:  # noqa: PLR2004  RFC 9110: the order is placed, and matters more
            return
        visit.cookies.set("told", "checkout.address_not_kept")


def _page(visit: Visit, found: Offer, *, refused: str = "", status: int = 200) -> Response[Any]:
    return visit.page("checkout.html", status=status, offer=found, refused=refused)


ROUTES = (checkout, place)
