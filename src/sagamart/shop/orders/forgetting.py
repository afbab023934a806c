"""Being forgotten: Orders keep no address of a customer who was erased.

- What is on its way keeps its address until it has come to its end: a parcel must arrive.
- Which orders there are is read by an adapter, a page at a time; what of them is erased is decided here, on their rows.
- It is looked at once more a day later, since a token of that customer may have been good for some minutes, and then
  every day until nothing is left.
- The titles of custom lines go too: their customer may have written them.  Sums, products and ids stay.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from sagamart.contracts.accounts import CustomerErased
from sagamart.messaging.decision import NOTHING, Arm, Decision
from sagamart.messaging.message import Message
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import ForgetOrdersAgain, OrderTracesFound, OrderTracesSought
from sagamart.shop.orders.records import Basket, Order

AGAIN_S = 86_400


def begin(message: Message[CustomerErased], basket: Basket | None) -> Decision:
    """A customer is to be forgotten: the basket at once, orders as they are found."""
    left = basket is not None and basket.lines
    emptied = [replace(basket, version=basket.version + 1, lines=())] if basket is not None and left else []
    return Decision(save=emptied, send=[OrderTracesSought(message.body.customer_id, first=True)])


def look_again(message: Message[ForgetOrdersAgain]) -> Decision:
    """A day has passed."""
    return Decision(send=[OrderTracesSought(message.body.customer_id, first=False)])


def forget(message: Message[OrderTracesFound], orders: Sequence[Order]) -> Decision:
    """Erase what was found of orders that have ended; look again for the rest."""
    found = message.body
    erased = [bare for order in orders if LIFECYCLE[order.status].final and (bare := _without_traces(order)) != order]
    saved = [replace(order, version=order.version + 1) for order in erased]
    if found.more:
        return Decision(save=saved, send=[OrderTracesSought(found.customer_id, first=found.first)])
    again = Arm("forget", AGAIN_S, ForgetOrdersAgain(found.customer_id))
    done = not (found.first or found.open or found.order_ids)
    return NOTHING if done else Decision(save=saved, timers=[again])


def _without_traces(order: Order) -> Order:
    delivery = None if order.plan.delivery is None else replace(order.plan.delivery, address=None)
    lines = tuple(line if line.sku is not None else replace(line, title="") for line in order.lines)
    return replace(order, lines=lines, plan=replace(order.plan, delivery=delivery, before=None, elsewhere=None))
