"""Notifications that hear of orders by thin events: the order and its customer are fetched, then told as always.

A thin event leads to an intent, the intent to two requests, and their outcome is what orders would have told: the rules
of `decide.py` never know the difference.  The list of what somebody was told is kept by the customer's id, for who was
erased too; what accounts knows of the customer is for letters.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from sagamart.contracts.accounts import Contact
from sagamart.contracts.orders import OrderCancelled, OrderCompleted, OrderEnd, OrderFailed, OrderSucceeded
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Body, Message
from sagamart.messaging.outside import Outside
from sagamart.messaging.service import Handler, Service

log = structlog.get_logger()

THIN: tuple[type[OrderEnd], ...] = (OrderSucceeded, OrderFailed)
FETCHED = (OrderCompleted, OrderCancelled)

FetchOrder = Callable[[str], Awaitable[Body | None]]
"""How an order ended, as orders tells it; None where it has not ended, or goes on."""

FetchCustomer = Callable[[str], Awaitable[Contact | None]]
"""Who somebody is; None for nobody (any more)."""


class OrderAsked(OrderEnd, frozen=True):
    """An intent: ask how this order ended, and who is to be told."""


def _ask(message: Message[Any]) -> Decision:
    return Decision(send=[OrderAsked(message.body.order_id, message.body.customer_id)])


def hearing_thinly(notifications: Service) -> Service:
    """Notifications, taking thin events in place of the ends of orders."""
    thin = [Handler(takes=kind, decide=lambda m, _: _ask(m), emits=(OrderAsked,)) for kind in THIN]
    handlers = [*notifications.handlers.values(), *thin]
    return notifications.changed(handlers=handlers, outside=[OrderAsked], fetched=FETCHED)


def fetching(order: FetchOrder, customer: FetchCustomer) -> Outside:
    """The calls that answer OrderAsked."""

    async def ask(message: Message[OrderAsked]) -> Body | None:
        ended, person = await asyncio.gather(order(message.body.order_id), customer(message.body.customer_id))
        if person is None:
            log.info("the customer of an order is unknown to accounts", order_id=message.body.order_id)
        return ended

    return Outside(name="orders and accounts", calls={OrderAsked: ask}, deadline_s=5.0, concurrency_max=32)
