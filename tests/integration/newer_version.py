"""The program as its next version might be: `python newer_version.py serve wallet`, and everything else it can do.

The wallet says something more with each `MoneyHeld`, and sends a message of a type that is new, `BonusEarned`; the new
notifications hear it.  Nothing of the shop knows that there is such a version.
"""

from collections.abc import Callable
from typing import Any, cast

from msgspec import structs

from sagamart.cli import main
from sagamart.contracts import wallet
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Body, Message
from sagamart.messaging.records import Records, need
from sagamart.messaging.service import Handler
from sagamart.settings import ShopSettings
from sagamart.shop.notifications.records import Facts, Notification
from sagamart.slices import SLICES, Slice

BONUS_MINOR = 7


class MoneyHeld(wallet.MoneyHeld, frozen=True):
    """As it was, and what the customer will get for it."""

    bonus_minor: int = BONUS_MINOR


class BonusEarned(Body, frozen=True):
    """What no older version has heard of."""

    order_id: str
    amount_minor: int

    @property
    def key(self) -> str:
        return f"bonus of {self.order_id}"


def holding(old: Handler[Any]) -> Handler[Any]:
    """The wallet's handler, which tells more."""

    def decide(message: Message[Any], have: Records) -> Decision:
        decision = old.decide(message, have)
        held = [one for one in decision.send if type(one) is wallet.MoneyHeld]
        told = [MoneyHeld(**structs.asdict(one)) if one in held else one for one in decision.send]
        news = [BonusEarned(one.order_id, BONUS_MINOR) for one in held]
        return structs.replace(decision, send=[*told, *news])

    kinds = tuple(kind for kind in old.emits if kind is not wallet.MoneyHeld)
    return structs.replace(old, decide=decide, emits=(*kinds, MoneyHeld, BonusEarned))


def hear_of_bonus(message: Message[BonusEarned], have: Records) -> Decision:
    """Note it, once."""
    body = message.body
    if have.find(Notification, body.key) is not None:
        raise AssertionError("heard twice")
    facts = Facts(order_id=body.order_id, amount_minor=body.amount_minor)
    return Decision(save=[Notification(1, body.key, "", "order_completed", facts, message.at)])


def newer(build: Callable[[ShopSettings], Slice], *handlers: Handler[Any]) -> Callable[[ShopSettings], Slice]:
    """A service with these handlers instead of, or beside, those it had."""

    def built(settings: ShopSettings) -> Slice:
        found = build(settings)
        old = found.service
        mine = {**old.handlers, **{one.takes.__name__: one for one in handlers}}
        return structs.replace(found, service=old.changed(handlers=list(mine.values())))

    return built


if __name__ == "__main__":
    slices = cast("dict[str, Callable[[ShopSettings], Slice]]", SLICES)
    old_hold = slices["wallet"](ShopSettings()).service.handlers["HoldRequested"]
    hearing = Handler(takes=BonusEarned, needs=lambda m: [need(Notification, m.body.key)], decide=hear_of_bonus)
    slices["wallet"] = newer(slices["wallet"], holding(old_hold))
    slices["notifications"] = newer(slices["notifications"], hearing)
    main()
