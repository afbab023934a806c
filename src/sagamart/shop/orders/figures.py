"""What the metrics tell of orders: how many are on their way, and how many of them are late.

The status is in no index, so only the orders of the last `DAYS` are looked through, by their ids, which are
time-ordered.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sagamart.messaging.message import first_id_at
from sagamart.platform import metric_families as known
from sagamart.platform.depths import Look
from sagamart.platform.http import Queries
from sagamart.platform.metrics import Reading
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import order_id_of

DAYS = 30

_OPEN = sorted(status for status, state in LIFECYCLE.items() if not state.final)
_DEADLINES_S = [LIFECYCLE[status].deadline_s for status in _OPEN]


def look(queries: Queries) -> Look:
    """Read them of this database."""

    async def read() -> Sequence[Reading]:
        since = order_id_of(first_id_at(datetime.now(UTC) - timedelta(days=DAYS)))
        rows = await queries.orders_by_status(since=since, statuses=_OPEN, deadlines_s=_DEADLINES_S)
        found = {row["status"]: row for row in rows}
        counts = [(status, found.get(status, {"orders": 0, "overdue": 0})) for status in _OPEN]
        return [
            *((known.ORDERS, (status,), row["orders"]) for status, row in counts),
            *((known.ORDERS_LATE, (status,), row["overdue"]) for status, row in counts),
        ]

    return read
