"""Orders: all of one's own, and each with what to do next."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from litestar import Response, get, post

from sagamart.web import money
from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.checkout import address_of
from sagamart.web.forms import Form
from sagamart.web.order_view import TOLD, OrderPage, pieces_back
from sagamart.web.paying import bank_page_of, pay_by_card, to_the_bank, way_back
from sagamart.web.problem_pages import key_of
from sagamart.web.visit import Visit

ORDERS = 20
"""Orders on one page of the list."""

STORY_MAX = 200
WAIT_S = 5
STAGES = ("accepted", "awaiting_payment", "processing", "created", "cancelled")
SERVER_ERRORS = 500
UNREADABLE = 400


@get("/orders")
async def orders(visit: Visit) -> Response[Any]:
    """One's orders, the newest first, or those that are looked for."""
    asked = {name: visit.question(name) for name in ("find", "stage", "cursor")}
    stage = asked["stage"] if asked["stage"] in STAGES else ""
    try:
        found = await visit.api.get("/v1/orders", q=asked["find"], stage=stage, cursor=asked["cursor"], limit=ORDERS)
    except ApiProblem as problem:
        if problem.status != UNREADABLE:
            raise
        found = {"items": [], "next_cursor": None}
    shown = [OrderPage(one) for one in found["items"]]
    template = "orders_list.html" if visit.is_fragment else "orders.html"
    return visit.page(template, shown=shown, next_cursor=found["next_cursor"], asked=asked, stages=STAGES)


@get("/orders/{order_id:str}")
async def order(visit: Visit, order_id: str) -> Response[Any]:
    """One order."""
    path = visit.path_of("/v1/orders", order_id)
    found = await visit.api.get(path)
    story, shipment, wallet = await asyncio.gather(
        _story(visit, path), _shipment(visit, found), visit.api.get("/v1/wallet")
    )
    return visit.page("order.html", page=OrderPage(found), story=story, shipment=shipment, wallet=wallet)


@get("/orders/{order_id:str}/story")
async def story(visit: Visit, order_id: str) -> Response[Any]:
    """What has happened to an order, and its parcel: the part of its page that htmx asks for after each change."""
    path = visit.path_of("/v1/orders", order_id)
    found = await visit.api.get(path)
    told, shipment = await asyncio.gather(_story(visit, path), _shipment(visit, found))
    return visit.page("order_story.html", page=OrderPage(found), story=told, shipment=shipment)


@get("/orders/{order_id:str}/now")
async def now(visit: Visit, order_id: str) -> Response[Any]:
    """How an order stands: the part of its page that htmx asks for where no events tell of it any more."""
    found = await visit.api.get(visit.path_of("/v1/orders", order_id))
    return visit.page("order_now.html", page=OrderPage(found), wallet=await visit.api.get("/v1/wallet"))


@get("/orders/{order_id:str}/receipt")
async def receipt(visit: Visit, order_id: str) -> Response[Any]:
    """A receipt to print."""
    found = await visit.api.get(visit.path_of("/v1/orders", order_id))
    return visit.page("receipt.html", page=OrderPage(found), me=await visit.api.get("/v1/me"))


@post("/orders/{order_id:str}/payments")
async def pay(visit: Visit, order_id: str, form: Form) -> Response[Any]:
    """Pay all that is due, or a part of it."""
    path = visit.path_of("/orders", order_id)
    amount_minor = money.typed(form.text("amount"), form.text("currency")) if form.text("amount") else None
    if form.text("amount") and not amount_minor:
        return visit.go(path, told="problem.no_amount")
    if form.text("source") == "card":
        return await pay_by_card(visit, order_id, key=form.text("key"), amount_minor=amount_minor)
    body = {"source": "wallet", "amount_minor": amount_minor}
    return await _wished(visit, order_id, "payments", body, form, told="")


@post("/orders/{order_id:str}/cancellation")
async def cancel(visit: Visit, order_id: str, form: Form) -> Response[Any]:
    """Call an order off."""
    return await _wished(visit, order_id, "cancellation", None, form, told="order.cancelling")


@post("/orders/{order_id:str}/returns")
async def give_back(visit: Visit, order_id: str, form: Form) -> Response[Any]:
    """Give pieces back."""
    lines = pieces_back(form)
    if not lines:
        return visit.go(visit.path_of("/orders", order_id), told="problem.nothing_to_return")
    return await _wished(visit, order_id, "returns", {"lines": lines}, form, told="order.returning")


@post("/orders/{order_id:str}/address")
async def readdress(visit: Visit, order_id: str, form: Form) -> Response[Any]:
    """Have a parcel brought to another address, which shipping decides on."""
    path = visit.path_of("/orders", order_id)
    body = {"delivery": {"method": form.text("method"), "address": address_of(form)}}
    wish = visit.api.send("PUT", f"/v1{path}", body, version=form.number("version"))
    return await _answered(visit, path, wish, told="order.readdressing")


@get("/orders/{order_id:str}/bank")
async def bank_page(visit: Visit, order_id: str) -> Response[Any]:
    """On to the bank's page, where a payment waits for its customer."""
    found = await visit.api.get(visit.path_of("/v1/orders", order_id))
    path = visit.path_of("/orders", order_id)
    address = bank_page_of(found)
    return visit.go(path) if address is None else to_the_bank(visit, address, path)


@get("/payments/back")
async def back_from_the_bank(visit: Visit) -> Response[Any]:
    """Where the bank's page leads back to."""
    return way_back(visit)


async def _wished(  # noqa: PLR0913, PLR0917  each is a part of the wish
    visit: Visit, order_id: str, what: str, body: Any, form: Form, told: str
) -> Response[Any]:
    """Ask something of an order; its page says what became of it."""
    path = visit.path_of("/orders", order_id)
    wish = visit.api.send("POST", f"/v1{path}/{what}", body, key=form.text("key"), wait_s=WAIT_S)
    return await _answered(visit, path, wish, told)


async def _answered(visit: Visit, path: str, wish: Awaitable[Json], told: str) -> Response[Any]:
    try:
        await wish
    except ApiProblem as problem:
        if problem.status >= SERVER_ERRORS or problem.status == 401:  # noqa: PLR2004  RFC 9110
            raise
        return visit.go(path, told=key_of(problem))
    return visit.go(path, told=told)


async def _story(visit: Visit, path: str) -> Sequence[Json]:
    """What has come true for an order, the first thing first; nothing where the shop keeps no stories."""
    found = await visit.api.find(f"{path}/timeline", limit=STORY_MAX)
    return [] if found is None else [one for one in found["items"] if one["type"] in TOLD]


async def _shipment(visit: Visit, found: Json) -> Json | None:
    """The parcel of an order that is sent."""
    if not OrderPage(found).is_sent:
        return None
    shipments = await visit.api.get("/v1/shipments", order=found["id"])
    return next(iter(shipments["items"]), None)


ROUTES = (orders, order, story, now, receipt, pay, cancel, give_back, readdress, bank_page, back_from_the_bank)
