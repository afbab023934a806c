"""Notifications as a service: which records each message needs, and which rule decides."""

from collections.abc import Sequence
from typing import Any

from sagamart.contracts.orders import OrderCancelled, OrderCompleted
from sagamart.contracts.wallet import WalletOpened
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.notifications.decide import tell_cancelled, tell_completed, tell_wallet_opened, turn_of
from sagamart.shop.notifications.records import TOLD, Notification


def _turn(message: Message[Any]) -> Sequence[Need]:
    return (need(Notification, turn_of(message.body)),)


NOTIFICATIONS = Service(
    "notifications",
    tables=(TOLD,),
    migrations="sagamart.shop.notifications.migrations",
    handlers=(
        Handler(
            takes=OrderCompleted,
            needs=_turn,
            decide=lambda m, have: tell_completed(m, have.find(Notification, turn_of(m.body))),
        ),
        Handler(
            takes=OrderCancelled,
            needs=_turn,
            decide=lambda m, have: tell_cancelled(m, have.find(Notification, turn_of(m.body))),
        ),
        Handler(
            takes=WalletOpened,
            needs=_turn,
            decide=lambda m, have: tell_wallet_opened(m, have.find(Notification, turn_of(m.body))),
        ),
    ),
)
