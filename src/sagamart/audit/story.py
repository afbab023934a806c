"""All that the services have written down about one order."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sagamart.audit.snapshots import Row
from sagamart.shop.orders.records import Order

Breach = tuple[int, str]
"""The number of an invariant, and what was seen."""


class Story(NamedTuple):
    """The rows about one order; none of its own row: the others speak of an order that does not exist.

    `whole` is its row as the struct that it is.  `kept_minor` is what the books say the shop keeps of it, `back` the
    pieces by sku that returned of it to the stock.  `parcels` has its shipment and its returns.
    """

    order: Row | None
    whole: Order | None
    holds: Sequence[Row]
    reservations: Sequence[Row]
    told: Sequence[Row]
    kept_minor: int
    back: Counter[str]
    payments: Sequence[Row]
    parcels: Sequence[Row]
    codes: Sequence[Row]
