"""What payments and the wallet must agree on: what the bank took and gave back is in the books, once.

Whether the bank says the same is for `sagamart reconcile`: an audit reads our own databases only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sagamart.audit.snapshots import Row
from sagamart.audit.story import Breach

Rows = Mapping[str, Sequence[Row]]

QUERIES = {"payments": "money_by_order_or_customer", "wallet": "bank_money_by_order_or_customer"}


def the_banks_money_is_in_the_books(rows: Rows) -> Iterator[Breach]:
    """Of each order, and of the top-ups of each customer."""
    taken_minor, booked_minor = (sum(row["total_minor"] for row in rows[service]) for service in QUERIES)
    if taken_minor != booked_minor:
        yield 3, f"the bank took {taken_minor}, the books have {booked_minor}"


RULES: Sequence[tuple[frozenset[str], Callable[[Rows], Iterator[Breach]]]] = (
    (frozenset(QUERIES), the_banks_money_is_in_the_books),
)
