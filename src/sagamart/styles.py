"""Three styles of interaction for the same order: who carries a message differs, the rules that handle it do not.

    facts         every service tells what has happened, and hears what concerns it
    http-events   accounts and orders call the wallet, and are answered in the response; notifications hears of the
                  ends of orders by thin events, and fetches order and customer
    http          accounts and orders call the wallet; notifications is posted what it is to tell

A called message is an intent of who sends it, its answer the intent's outcome, and it lies in the outbox until then.
Whatever nobody calls travels by the transport.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from sagamart.contracts.accounts import Contact, CustomerRegistered
from sagamart.contracts.order_requests import CaptureRequested, HoldRequested, ReleaseRequested
from sagamart.contracts.orders import OrderCancelled, OrderCompleted
from sagamart.messaging.message import Body, Message
from sagamart.messaging.outside import Outside
from sagamart.messaging.requests import CallAnswer
from sagamart.messaging.service import Service
from sagamart.platform.http import Queries
from sagamart.shop.accounts.contacts import contact_of
from sagamart.shop.notifications.fetching import OrderAsked, fetching, hearing_thinly
from sagamart.shop.orders.ends import end_of, telling_thinly

Style = Literal["facts", "http-events", "http"]

CALLED: Mapping[type[Body], str] = {
    CustomerRegistered: "wallet",
    HoldRequested: "wallet",
    CaptureRequested: "wallet",
    ReleaseRequested: "wallet",
}
"""What is called, and whom, in every style but `facts`.  Refunds are not: notifications hears of them too."""

CALL_S_MAX = 5.0
CALLS_MAX = 64
"""Calls from one service to another at the same time."""

READERS: Mapping[str, Sequence[str]] = {"orders": ("notifications",), "accounts": ("notifications",)}
"""Whose data may be read by whom."""


class Calls(Protocol):
    """Asks other services."""

    async def call(self, service: str, message: Message[Body]) -> Body | None:
        """Ask another service; its answer, or None where it has none.  Raises where nobody answers."""

    async def fetch(self, source: str, service: str, key: str) -> bytes:
        """What another service has under this id, as JSON.  Raises where nobody answers."""


def styled(service: Service, style: Style) -> Service:
    """A service as it is in this style."""
    if style == "facts":
        return service
    if style == "http-events":
        service = _THIN.get(service.name, _unchanged)(service)
    called = [kind for kind in CALLED if kind.__name__ in service.emits]
    return service.changed(outside=called)


def _unchanged(service: Service) -> Service:
    return service


_THIN: Mapping[str, Callable[[Service], Service]] = {"orders": telling_thinly, "notifications": hearing_thinly}


def adapters(service: Service, calls: Calls) -> list[Outside]:
    """What carries out the calls of a service."""
    called = {kind: _carried(calls, to) for kind, to in CALLED.items() if kind.__name__ in service.outside}
    found = [Outside(name="wallet", calls=called, deadline_s=CALL_S_MAX, concurrency_max=CALLS_MAX)] if called else []
    return [*found, *_fetching(calls)] if OrderAsked.__name__ in service.outside else found


def _carried(calls: Calls, to: str) -> Callable[[Message[Any]], Awaitable[Body | None]]:
    return lambda message: calls.call(to, message)


def _fetching(calls: Calls) -> list[Outside]:
    async def order(order_id: str) -> Body | None:
        found = _end.decode(await calls.fetch("notifications", "orders", order_id))
        return None if found is None else msgspec.convert(found.body, _ENDS[found.type])

    async def customer(customer_id: str) -> Contact | None:
        found: Contact | None = _contact.decode(await calls.fetch("notifications", "accounts", customer_id))
        return found

    return [fetching(order, customer)]


_ENDS: Mapping[str, type[Body]] = {kind.__name__: kind for kind in (OrderCompleted, OrderCancelled)}
_end = msgspec.json.Decoder(CallAnswer | None)
_contact = msgspec.json.Decoder(Contact | None)


async def _read_order(queries: Queries, order_id: str) -> CallAnswer | None:
    end = await end_of(queries, order_id)
    return None if end is None else CallAnswer(type(end).__name__, end.schema_version, end)


Read = Callable[[Queries, str], Awaitable[Any]]

READS: Mapping[str, Read] = {"orders": _read_order, "accounts": contact_of}
"""What may be read of a service by an id."""
