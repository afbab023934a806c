"""The turns that people are told of: which messages tell them, how each is named, and what there is to say.

Rules:
- A turn is named by what it is a turn of (an order, a refund, a link) and by its kind; never by its message, which may
  come twice.  What can happen to an order again is named by the order's version or attempt too.
- A letter goes out once for each attempt of an order, however often it waits for payment.
- An order that is paid and has yet to be shipped is told as paid when its shipment is asked for; one that is complete
  at once is told as completed, which says it, and webhooks are told of both.  OrderPaid would be a second row for every
  order that is paid at once.
- That a bank is asked for the money is told, for it takes a while and may be refused; a wallet pays in a moment.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sagamart.contracts.accounts import (
    CustomerFact,
    EmailChangeAnnounced,
    EmailChangeRequested,
    EmailConfirmationRequested,
    LetterRequested,
    PasswordChanged,
    PasswordResetRequested,
)
from sagamart.contracts.order_requests import BankCaptureRequested, ShipmentRequested
from sagamart.contracts.orders import (
    AddressNotChanged,
    Line,
    OrderCancelled,
    OrderChangeUndone,
    OrderCompleted,
    OrderMessage,
    OrderPlaced,
    OrderReturned,
    OrderRevived,
    PaymentAwaited,
    PaymentStarted,
    PaymentWindowExpired,
    ShortLine,
)
from sagamart.contracts.payments import PaymentRefunded
from sagamart.contracts.shipping import ShipmentHandedOver, ShipmentPending
from sagamart.contracts.wallet import MoneyRefunded, WalletOpened
from sagamart.messaging.message import Body
from sagamart.shop.notifications.records import Facts, Kind, ShortProduct


def _order(body: OrderMessage) -> Facts:
    return Facts(body.order_id, body.total_minor, body.currency)


def _awaited(body: PaymentAwaited) -> Facts:
    return Facts(body.order_id, body.total_minor, body.currency, due_minor=body.due_minor, window_s=body.window_s)


def _started(body: PaymentStarted) -> Facts:
    return Facts(body.order_id, body.amount_minor, body.currency, source=body.source)


def _pending(body: ShipmentPending) -> Facts:
    return Facts(body.order_id)


def _shipped(body: ShipmentHandedOver) -> Facts:
    return Facts(body.order_id, tracking=body.tracking or None)


def _cancelled(body: OrderCancelled) -> Facts:
    same = body.order_id, body.total_minor, body.currency
    return Facts(*same, body.reason, _short(body.short, body.lines), body.available_minor, promo=body.promo)


def _undone(body: OrderChangeUndone) -> Facts:
    same = body.order_id, body.total_minor, body.currency
    return Facts(*same, short=_short(body.short, body.wished), promo=body.promo)


def _short(short: tuple[ShortLine, ...], wished: tuple[Line, ...]) -> tuple[ShortProduct, ...]:
    titles = {line.sku: line.title for line in wished}
    return tuple(ShortProduct(one.sku, titles.get(one.sku, one.sku), one.wanted, one.available) for one in short)


def _kept(body: AddressNotChanged) -> Facts:
    return Facts(body.order_id, kept=body.reason)


def _returned(body: OrderReturned) -> Facts:
    return Facts(body.order_id, body.amount_minor, body.currency)


def _to_wallet(body: MoneyRefunded) -> Facts:
    return Facts(body.order_id, body.amount_minor, body.currency, refunded_to="wallet")


def _to_card(body: PaymentRefunded) -> Facts:
    return Facts(body.order_id, body.amount_minor, body.currency, refunded_to="card")


def _wallet(body: WalletOpened) -> Facts:
    return Facts(currency=body.currency)


def _link(body: LetterRequested) -> Facts:
    return Facts(token_id=body.token_id)


def _account(_body: CustomerFact) -> Facts:
    return Facts()


def _attempt(body: OrderMessage) -> str:
    """An order that was changed or revived goes on at its next attempt."""
    return f"/{body.attempt}" if body.attempt > 1 else ""


def _version(body: OrderMessage | CustomerFact) -> str:
    return f"/{body.version}"


def _refund(body: MoneyRefunded | PaymentRefunded) -> str:
    return f"/{body.refund_id}"


class Telling(NamedTuple):
    """How a message is told: as which kind, with which facts; by what it is told from others of its kind.

    `each` does that in the list, `letter` for letters, where that is otherwise.
    """

    kind: Kind
    facts: Callable[[Any], Facts]
    each: Callable[[Any], str] | None = None
    letter: Callable[[Any], str] | None = None


TELLINGS: Mapping[type[Body], Telling] = {
    OrderPlaced: Telling("order_placed", _order),
    PaymentAwaited: Telling("payment_awaited", _awaited, _version, _attempt),
    PaymentStarted: Telling("payment_started", _started, lambda body: f"/{body.payment}"),
    PaymentWindowExpired: Telling("payment_window_expired", _order, _version),
    BankCaptureRequested: Telling("order_capturing", _order, _attempt),
    ShipmentRequested: Telling("order_paid", _order),
    ShipmentPending: Telling("shipping_pending", _pending),
    ShipmentHandedOver: Telling("order_shipped", _shipped),
    OrderCompleted: Telling("order_completed", _order),
    OrderCancelled: Telling("order_cancelled", _cancelled, _attempt),
    OrderReturned: Telling("order_returned", _returned, lambda body: f"/{body.return_id}"),
    OrderRevived: Telling("order_revived", _order, _attempt),
    OrderChangeUndone: Telling("order_change_undone", _undone, _attempt),
    AddressNotChanged: Telling("address_not_changed", _kept, _version),
    MoneyRefunded: Telling("order_refunded", _to_wallet, _refund),
    PaymentRefunded: Telling("order_refunded", _to_card, _refund),
    WalletOpened: Telling("wallet_opened", _wallet),
    EmailConfirmationRequested: Telling("email_confirmation", _link),
    PasswordResetRequested: Telling("password_reset", _link),
    EmailChangeRequested: Telling("email_change", _link),
    EmailChangeAnnounced: Telling("email_change_announced", _account, _version),
    PasswordChanged: Telling("password_changed", _account, _version),
}
"""Everything that people are told."""


IMPLIED: Mapping[type[Body], Kind] = {OrderCompleted: "order_paid"}
"""What a turn says besides to webhooks that have not been told of it: who is paid and complete at once was paid."""


def kind_of(body: Body) -> Kind:
    """Which kind of turn it is."""
    return TELLINGS[type(body)].kind


def turn_of(body: Body) -> str:
    """The business key of what a person is told: its place in the list."""
    telling = TELLINGS[type(body)]
    name = _named(body, telling)
    return name if telling.each is None else name + telling.each(body)


def posted_turns_of(body: Body) -> Sequence[tuple[Kind, str]]:
    """The turns that webhooks are told of by this message: its own, and before it the one that it implies."""
    own = (kind_of(body), turn_of(body))
    implied = IMPLIED.get(type(body))
    return (own,) if implied is None else ((implied, f"{body.key}/{implied}"), own)


def letter_of(body: Body) -> str:
    """The business key of the one letter for it."""
    telling = TELLINGS[type(body)]
    apart = telling.letter or telling.each
    name = _named(body, telling)
    return name if apart is None else name + apart(body)


def _named(body: Body, telling: Telling) -> str:
    return f"{body.token_id if isinstance(body, LetterRequested) else body.key}/{telling.kind}"


def facts_of(body: Body) -> Facts:
    """What there is to say about a turn."""
    return TELLINGS[type(body)].facts(body)
