"""What one service's database must agree on with itself: a named query each, that finds what does not."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NamedTuple

from sagamart.audit.findings import Suspect
from sagamart.audit.snapshots import Only, Snapshots
from sagamart.shop.orders.lifecycle import LIFECYCLE

MOVING = sorted(status for status, state in LIFECYCLE.items() if not state.final)
HURRYING = sorted(status for status in MOVING if LIFECYCLE[status].deadline_s is not None)
"""Where every order has the same deadline; elsewhere its terms say, and its timer is all that can be looked at."""

DEADLINES_S = [LIFECYCLE[status].deadline_s for status in HURRYING]
UNSETTLED = sorted(status for status, state in LIFECYCLE.items() if state.unpaid)


class Query(NamedTuple):
    """A named query that finds what breaks an invariant, and what it wants to know beside `only`."""

    invariant: int
    file: str
    name: str
    more: Mapping[str, Any] = {}


EVERYWHERE = (
    Query(10, "messaging", "messages_left_in_the_outbox"),
    Query(7, "messaging", "timers_nobody_fires"),
    Query(16, "messaging", "dead_letters_by_type"),
)
"""The core's tables are in every service's database."""

OWN = (
    Query(1, "wallet", "currencies_out_of_balance"),
    Query(1, "wallet", "movements_out_of_balance"),
    Query(2, "wallet", "wallets_that_differ"),
    Query(4, "wallet", "captures_that_differ"),
    Query(13, "wallet", "wallet_versions_with_gaps"),
    Query(13, "wallet", "hold_versions_with_gaps"),
    Query(14, "wallet", "forgotten_movements"),
    Query(5, "stock", "skus_that_differ"),
    Query(6, "stock", "commits_that_differ"),
    Query(13, "stock", "sku_versions_with_gaps"),
    Query(13, "stock", "reservation_versions_with_gaps"),
    Query(14, "stock", "forgotten_movements"),
    Query(3, "payments", "payments_the_statement_knows_otherwise"),
    Query(3, "payments", "entries_of_no_payment"),
    Query(3, "payments", "refunds_that_differ"),
    Query(9, "shipping", "hand_overs_that_differ"),
    Query(9, "shipping", "returns_that_differ"),
    Query(15, "promotions", "uses_that_differ"),
    Query(15, "promotions", "customer_uses_that_differ"),
    Query(16, "notifications", "told_twice"),
    Query(16, "notifications", "sent_twice"),
    Query(11, "notifications", "sent_of_nothing"),
    Query(8, "orders", "totals_that_differ"),
    Query(7, "orders", "orders_that_are_stuck", {"statuses": HURRYING, "deadlines_s": DEADLINES_S}),
    Query(7, "orders", "orders_without_a_deadline", {"statuses": MOVING}),
    Query(13, "orders", "order_versions_with_gaps"),
    Query(14, "orders", "forgotten_orders"),
    Query(15, "orders", "orders_without_a_slot", {"statuses": UNSETTLED}),
    Query(15, "orders", "slots_without_an_order"),
)


class Check(NamedTuple):
    """One query in one service's database."""

    service: str
    query: Query

    def __str__(self) -> str:
        return f"{self.service}: {self.query.name.replace('_', ' ')}"

    async def suspects(self, look: Snapshots, only: Only) -> AsyncIterator[Suspect]:
        """What the query finds."""
        query = self.query
        for row in await look.rows(self.service, query.file, query.name, only, **query.more):
            seen = row["seen"] if query.file != "messaging" else f"{self.service}: {row['seen']}"
            yield Suspect(query.invariant, row["subject"], seen, (row["version"],))


def checks(services: frozenset[str]) -> Iterator[Check]:
    """The checks of those services that are present."""
    for service in sorted(services):
        yield from (Check(service, query) for query in EVERYWHERE)
        yield from (Check(service, query) for query in OWN if query.file == service)
