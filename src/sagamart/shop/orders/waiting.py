"""Waiting for orders to be settled."""

from sagamart.platform.http import waiting
from sagamart.platform.http.waiting import POLL_S, WAITERS_MAX
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.records import Order


class Waiters(waiting.Waiters[Order]):
    """Everybody who waits in this process for orders of one database."""

    def __init__(self, *, waiters_max: int = WAITERS_MAX, poll_s: float = POLL_S) -> None:
        super().__init__(
            Order,
            key=lambda order: order.order_id,
            there=lambda order: LIFECYCLE[order.status].settled,
            waiters_max=waiters_max,
            poll_s=poll_s,
        )
