"""What the services must agree on with one another: their rows merged by order, by customer, by sku."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sagamart.audit import copies, order_stories
from sagamart.audit.findings import Suspect
from sagamart.audit.order_stories import Breach
from sagamart.audit.snapshots import Only, Row, Snapshots

Rows = Mapping[str, Sequence[Row]]


class Check(NamedTuple):
    """Rows of several services that have one key, and the rules that they follow."""

    what: str
    queries: Mapping[str, str]
    rules: Sequence[Callable[[Rows], Iterator[Breach]]]

    def __str__(self) -> str:
        return f"{', '.join(self.queries)}: {self.what}"

    async def suspects(self, look: Snapshots, only: Only) -> AsyncIterator[Suspect]:
        """What breaks a rule."""
        async for key, rows in look.merged(self.queries, only):
            breaches = [breach for rule in self.rules for breach in rule(rows)]
            if breaches:
                versions = tuple(row["version"] for service in self.queries for row in rows[service])
                for invariant, seen in breaches:
                    yield Suspect(invariant, key, seen, versions)


def checks(services: frozenset[str]) -> Iterator[Check]:
    """The checks that concern at least two of the services that are present."""
    of_orders = [
        (present, lambda rows, rule=rule: rule(order_stories.story_of(rows))) for present, rule in order_stories.RULES
    ]
    for what, queries, rules in (
        ("the story of each order", order_stories.QUERIES, of_orders),
        ("each customer", copies.CUSTOMER_QUERIES, copies.CUSTOMER_RULES),
        ("each product", copies.PRODUCT_QUERIES, copies.PRODUCT_RULES),
    ):
        able = [rule for present, rule in rules if present <= services]
        if able:
            yield Check(what, queries, able)
