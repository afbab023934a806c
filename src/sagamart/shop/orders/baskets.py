"""Baskets: what customers have laid aside.  Nothing is reserved for it, and no price is fixed."""

from datetime import datetime

import msgspec

from sagamart.messaging.decision import Decision, Reply
from sagamart.messaging.message import Message
from sagamart.shop.orders.messages import FillBasket
from sagamart.shop.orders.records import Basket, BasketLine


class BasketView(msgspec.Struct, frozen=True):
    """A basket as its owner sees it."""

    lines: tuple[BasketLine, ...]
    changed_at: datetime | None
    version: int


def fill(message: Message[FillBasket], basket: Basket | None) -> Decision:
    """From now on these lines are in the basket, and no others.  Two lines of one product are one."""
    pieces: dict[str, int] = {}
    for line in message.body.lines:
        pieces[line.sku] = pieces.get(line.sku, 0) + line.quantity
    lines = tuple(BasketLine(sku, quantity) for sku, quantity in pieces.items())
    after = Basket(1 if basket is None else basket.version + 1, message.body.customer_id, lines, message.at)
    return Decision(save=[after], reply=Reply(200, shown(after)))


def shown(basket: Basket | None) -> BasketView:
    """A basket; an empty one where there never was any."""
    if basket is None:
        return BasketView((), None, 0)
    return BasketView(basket.lines, basket.changed_at, basket.version)
