"""Orders over HTTP: place, pay, change, cancel, give back; `looking.py` shows them."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, Literal

import msgspec
from litestar import Request, Response, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec.structs import replace

from sagamart.messaging.requests import StoredReply
from sagamart.platform.http import (
    Answer,
    Ask,
    Caller,
    Language,
    Malformed,
    Queries,
    etag_of,
    if_match,
    json_response,
    logged_in,
    roles,
)
from sagamart.platform.http.waiting import WAIT_S_MAX, Prefer, wait_s_of
from sagamart.shop.orders.at_once import answered
from sagamart.shop.orders.baskets import BasketView
from sagamart.shop.orders.bodies import (
    ChangedOrder,
    NewBasket,
    NewOrder,
    NewPayment,
    NewReturn,
    NewStatus,
    wanted_lines,
)
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.looking import (
    changed_since,
    get_basket,
    get_order,
    is_staff,
    list_orders,
    list_payments,
    progress,
)
from sagamart.shop.orders.messages import (
    CancelOrder,
    ChangeOrder,
    FillBasket,
    MoveOrder,
    PayOrder,
    PlaceOrder,
    PlacingRules,
    ReturnItems,
    order_id_of,
    return_id_of,
)
from sagamart.shop.orders.records import ORDERS, Order, Terms
from sagamart.shop.orders.view import OrderView, link_to, view
from sagamart.shop.orders.waiting import Waiters
from sagamart.shop.orders.watching import Watchers


class OrderSettings(msgspec.Struct, frozen=True):
    """What the shop allows.  `currency` is that of orders without products, where the client names none.

    `answer_s`: an order is answered with its outcome, in the one request, where that is known within so many seconds.
    """

    custom_lines: Literal["off", "staff", "all"] = "staff"
    unpaid_orders_max: int = 1
    currency: str = "RUB"
    terms: Terms = Terms()
    answer_s: int | None = None

    def rules_for(self, caller: Caller, *, later: bool = False) -> PlacingRules:
        """What this caller may, for an order that is paid at once or later."""
        custom = self.custom_lines == "all" or (self.custom_lines == "staff" and is_staff(caller))
        terms = replace(self.terms, later=True) if later else self.terms
        return PlacingRules(custom, self.unpaid_orders_max, self.currency, terms)


class _Shown(msgspec.Struct, frozen=True):
    """What is read back from a stored reply: how far the order was then, and its payments."""

    id: str
    version: int
    payments: tuple["_ShownPayment", ...]


class _ShownPayment(msgspec.Struct, frozen=True):
    id: str


@post(
    "/v1/orders/{order_id:str}/cancellation",
    guards=[logged_in],
    opt={"idempotent": "required", "also": (202,)},
    status_code=200,
)
async def cancel_order(order_id: FromPath[str], ask: Ask, caller: Caller, language: Language) -> Response[OrderView]:
    """Cancel an order; 202 where it is paid, and its shipment has to be stopped first.

    Refused while its money is being taken, and once the parcel is handed over.
    """
    return await ask(CancelOrder(order_id, caller.id, is_staff(caller), language))


@post("/v1/orders/{order_id:str}/returns", guards=[logged_in], opt={"idempotent": "required"}, status_code=200)
async def return_items(
    order_id: FromPath[str], data: JSONBody[NewReturn], ask: Ask, caller: Caller, language: Language
) -> Response[OrderView]:
    """Give pieces of a completed order back: refunded when they are here.

    Staff also announce what was handed over and comes back undelivered.
    """

    def wish(message_id: str) -> ReturnItems:
        return_id = return_id_of(message_id)
        returned = data.returned()
        return ReturnItems(order_id, caller.id, is_staff(caller), language, return_id=return_id, returned=returned)

    return await ask(wish, content=data)


@put("/v1/orders/{order_id:str}/status", guards=[roles("OPERATOR", "ADMIN")])
async def move_order(  # noqa: PLR0913  each is something that Litestar hands in
    *,
    order_id: FromPath[str],
    data: JSONBody[NewStatus],
    ask: Ask,
    caller: Caller,
    language: Language,
    expected_version: int,
) -> Response[OrderView]:
    """Move an order by the word of staff, under its If-Match, as far as its lifecycle lets them.

    Who did it, and why, is kept.  To `completed` once its parcel has been handed over: shipping is told.
    """
    wish = MoveOrder(
        order_id, caller.id, staff=True, language=language, version=expected_version, to=data.status, why=data.why
    )
    return await ask(wish, content=(data, expected_version))


@put("/v1/basket", guards=[logged_in], opt={"also": (412,)})
async def fill_basket(
    data: JSONBody[NewBasket], request: Request[Any, Any, Any], ask: Ask, caller: Caller
) -> Response[BasketView]:
    """Have these lines in the basket, and no others; under If-Match, only if nobody has changed it meanwhile."""
    version = if_match(request)
    return await ask(FillBasket(caller.id, data.laid_aside(), version), content=(data, version))


def routes(settings: OrderSettings, waiters: Waiters, watchers: Watchers | None = None) -> Sequence[HTTPRouteHandler]:
    """The routes of orders.  `waiters.on_committed` belongs into the worker's `on_commit`."""
    watchers = watchers or Watchers()
    return (
        _place_order(settings, waiters),
        get_order,
        list_orders,
        progress(watchers),
        _change_order(settings),
        cancel_order,
        list_payments,
        _pay_order(watchers),
        return_items,
        move_order,
        get_basket,
        fill_basket,
    )


def _place_order(settings: OrderSettings, waiters: Waiters) -> HTTPRouteHandler:
    @post("/v1/orders", guards=[logged_in], opt={"idempotent": "required", "also": (200, 201, 504)}, status_code=202)
    async def place_order(  # noqa: PLR0913  each is something that Litestar hands in
        *,
        data: JSONBody[NewOrder],
        ask: Ask,
        caller: Caller,
        language: Language,
        queries: Queries,
        prefer: Prefer = None,
    ) -> Response[OrderView]:
        """Place an order: 202 and where it is, or with `Prefer: wait=N` what has become of it within N seconds.

        201: paid.  200: it waits for a payment, or is cancelled, with the reason.  A refusal to place it is a problem:
        there is no order then.
        In the styles http and http-events every order is answered with its outcome: 201 paid, 403 not, with the reason,
        504 not known yet; asked again under the same key, the request waits for it again.
        """

        async def settled_among(order_ids: list[str]) -> list[Order]:
            return ORDERS.read(await queries.settled_among(order_ids=order_ids))

        reply = await ask.reply_to(
            lambda message_id: _placing(message_id, data, caller, language, settings), content=data
        )
        wait_s = wait_s_of(prefer)
        if reply.refused or reply.location is None:
            return Answer(reply)
        order_id = reply.location.rpartition("/")[2]
        if settings.answer_s is not None:
            order = await waiters.wait(order_id, settings.answer_s, settled_among)
            return _settled(answered(order, order_id, language), language)
        if wait_s is None:
            return Answer(reply)
        order = await waiters.wait(order_id, wait_s, settled_among)
        return Answer(reply) if order is None else _settled(order, language, wait_s)

    return place_order


def _change_order(settings: OrderSettings) -> HTTPRouteHandler:
    @put("/v1/orders/{order_id:str}", guards=[logged_in], opt={"also": (202,)})
    async def change_order(  # noqa: PLR0913  each is something that Litestar hands in
        *,
        order_id: FromPath[str],
        data: JSONBody[ChangedOrder],
        ask: Ask,
        caller: Caller,
        language: Language,
        expected_version: int,
    ) -> Response[OrderView]:
        """Change lines or delivery, under the order's If-Match, while nothing of it is paid or being paid.

        Once it is being shipped, only the address: 202, and shipping says whether the parcel is still there.
        """
        if data.lines is None and data.delivery is None:
            raise Malformed("body", "name other lines, another delivery, or both")
        wish = ChangeOrder(
            order_id,
            caller.id,
            is_staff(caller),
            language,
            expected_version,
            rules=settings.rules_for(caller),
            lines=None if data.lines is None else wanted_lines(data.lines),
            delivery=None if data.delivery is None else data.delivery.wanted(),
        )
        return await ask(wish, content=(data, expected_version))

    return change_order


def _pay_order(watchers: Watchers) -> HTTPRouteHandler:
    @post(
        "/v1/orders/{order_id:str}/payments",
        guards=[logged_in],
        opt={"idempotent": "required", "also": (200, 201)},
        status_code=202,
    )
    async def pay_order(  # noqa: PLR0913  each is something that Litestar hands in
        *,
        order_id: FromPath[str],
        data: JSONBody[NewPayment],
        ask: Ask,
        caller: Caller,
        language: Language,
        queries: Queries,
        prefer: Prefer = None,
    ) -> Response[OrderView]:
        """Start a payment.  One through the bank gets a `redirect_url`, where the customer is to confirm it.

        With `Prefer: wait=N` it is answered once there is that, or the order needs nothing more but its customer:
        201 where it is paid, 200 where more is due.
        """
        wish = PayOrder(
            order_id, caller.id, is_staff(caller), language, source=data.source, amount_minor=data.amount_minor
        )
        reply = await ask.reply_to(wish, content=data)
        wait_s = wait_s_of(prefer)
        if reply.refused or wait_s is None:
            return Answer(reply)
        order = await _payment_answered(reply, watchers, queries, wait_s)
        return Answer(reply) if order is None else _settled(order, language, wait_s)

    return pay_order


async def _payment_answered(reply: StoredReply, watchers: Watchers, queries: Queries, wait_s: int) -> Order | None:
    """The order once its latest payment needs its customer, or the order is settled; None where it takes longer."""
    begun = msgspec.json.decode(reply.body, type=_Shown)
    number = len(begun.payments)
    try:
        async with (
            asyncio.timeout(wait_s),
            aclosing(watchers.changes(begun.id, begun.version, changed_since(queries), idle_s=WAIT_S_MAX)) as changes,
        ):
            async for order in changes:
                if order is not None and _needs_customer(order, number):
                    return order
    except TimeoutError:
        pass
    return None


def _needs_customer(order: Order, number: int) -> bool:
    return LIFECYCLE[order.status].settled or order.payments[number - 1].redirect_url is not None


ROUTES = routes(OrderSettings(), Waiters())


def _placing(
    message_id: str, data: NewOrder, caller: Caller, language: Language, settings: OrderSettings
) -> PlaceOrder:
    if (data.lines is None) is not data.from_basket:
        raise Malformed("lines", "an order is of lines, or from the basket, one of the two")
    return PlaceOrder(
        order_id_of(message_id),
        caller.id,
        () if data.lines is None else wanted_lines(data.lines),
        settings.rules_for(caller, later=data.pay == "later"),
        data.currency,
        language,
        None if data.delivery is None else data.delivery.wanted(),
        data.promo_code,
        data.from_basket,
    )


def _settled(order: Order, language: Language, wait_s: int | None = None) -> Response[Any]:
    preference = {} if wait_s is None else {"Preference-Applied": f"wait={wait_s}"}
    headers = {"Location": link_to(order.order_id), "ETag": etag_of(order.version), **preference}
    state = LIFECYCLE[order.status]
    is_paid = not state.unpaid and order.reason is None
    status = 201 if is_paid else 200 if state.settled else 202
    return json_response(view(order, language), status=status, headers=headers)
