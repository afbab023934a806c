"""One request, one answer: what a client hears of an order whose outcome is waited for.

- Paid: 201 and the order.  It waits for its customer: 200.
- Cancelled: 403 with the reason; whatever it held is let go.
- Not known in time: 504.  The order stands, its deadline runs, and nothing is paid twice: the client asks again under
  the same key, or looks at the order.
"""

from sagamart.platform.http import Language, Problem
from sagamart.shop.orders.records import Order
from sagamart.shop.orders.view import link_to, view

RETRY_AFTER_S = 5


def answered(order: Order | None, order_id: str, language: Language) -> Order:
    """The order, if it is not cancelled.  Raises Problem."""
    if order is None:
        raise Problem(
            504,
            "outcome_unknown",
            "Whether this order is paid is not known yet; ask again under the same Idempotency-Key",
            facts={"order_id": order_id},
            headers={"Location": link_to(order_id), "Retry-After": str(RETRY_AFTER_S)},
        )
    reason = view(order, language).reason
    if reason is not None:
        promo = {} if reason.promo is None else {"promo": reason.promo}
        money = {} if reason.money is None else {"money": reason.money, "available_minor": reason.available_minor}
        raise Problem(
            403,
            reason.code,
            reason.text,
            facts={"order_id": order_id, **promo, **money},
            headers={"Location": link_to(order_id)},
        )
    return order
