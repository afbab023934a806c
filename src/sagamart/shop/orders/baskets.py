"""Baskets: what customers have laid aside.  Nothing is reserved for it, and no price is fixed."""

from datetime import datetime

import msgspec

from sagamart.messaging.decision import Decision, Reply
from sagamart.messaging.message import Message
from sagamart.shop.orders.messages import QUANTITY_MAX, FillBasket
from sagamart.shop.orders.records import Basket, BasketLine
from sagamart.shop.orders.wishes import VersionChanged


class BasketView(msgspec.Struct, frozen=True):
    """A basket as its owner sees it."""

    lines: tuple[BasketLine, ...]
    changed_at: datetime | None
    version: int


def fill(message: Message[FillBasket], basket: Basket | None) -> Decision:
    """From now on these lines are in the basket, and no others.  Lines of one product are one, at the last's price."""
    asked, version = message.body, 0 if basket is None else basket.version
    if asked.version is not None and asked.version != version:
        return Decision(reply=VersionChanged(version))
    merged: dict[str, BasketLine] = {}
    for line in asked.lines:
        quantity = line.quantity + (merged[line.sku].quantity if line.sku in merged else 0)
        merged[line.sku] = BasketLine(line.sku, min(quantity, QUANTITY_MAX), line.price_minor)
    after = Basket(version + 1, asked.customer_id, tuple(merged.values()), message.at)
    return Decision(save=[after], reply=Reply(200, shown(after)))


def shown(basket: Basket | None) -> BasketView:
    """A basket; an empty one where there never was any."""
    if basket is None:
        return BasketView((), None, 0)
    return BasketView(basket.lines, basket.changed_at, basket.version)
