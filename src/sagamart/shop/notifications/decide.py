"""The rules of notifications: who is told what, once per turn, whatever arrives how often."""

from typing import Any

from sagamart.contracts.orders import OrderCancelled, OrderCompleted
from sagamart.contracts.wallet import WalletOpened
from sagamart.messaging.decision import NOTHING, Decision
from sagamart.messaging.message import Message
from sagamart.shop.notifications.records import Facts, Kind, Notification, ShortProduct


def tell_completed(message: Message[OrderCompleted], earlier: Notification | None) -> Decision:
    """Good news: nothing more is to be done for the order."""
    body = message.body
    facts = Facts(body.order_id, body.total_minor, body.currency)
    return _once(message, earlier, facts)


def tell_cancelled(message: Message[OrderCancelled], earlier: Notification | None) -> Decision:
    """Bad news, with its reason."""
    body = message.body
    titles = {line.sku: line.title for line in body.lines}
    short = tuple(
        ShortProduct(line.sku, titles.get(line.sku, line.sku), line.wanted, line.available) for line in body.short
    )
    facts = Facts(body.order_id, body.total_minor, body.currency, body.reason, short, body.available_minor)
    return _once(message, earlier, facts)


def tell_wallet_opened(message: Message[WalletOpened], earlier: Notification | None) -> Decision:
    """Good news: the customer can pay from a wallet now."""
    facts = Facts(currency=message.body.currency)
    return _once(message, earlier, facts)


Turn = OrderCompleted | OrderCancelled | WalletOpened

_KINDS: dict[type[Turn], Kind] = {
    OrderCompleted: "order_completed",
    OrderCancelled: "order_cancelled",
    WalletOpened: "wallet_opened",
}


def turn_of(body: Turn) -> str:
    """The business key of what a person is told: the order or customer, and the turn that it took."""
    return f"{body.key}/{_KINDS[type(body)]}"


def _once(message: Message[Any], earlier: Notification | None, facts: Facts) -> Decision:
    if earlier is not None:
        return NOTHING
    body: Turn = message.body
    told = Notification(1, turn_of(body), body.customer_id, _KINDS[type(body)], facts, message.at)
    return Decision(save=[told])
