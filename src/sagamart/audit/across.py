"""What the services must agree on with one another: their rows merged by order, by customer, by sku."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sagamart.audit import bank_money, copies, order_stories
from sagamart.audit.findings import Suspect
from sagamart.audit.snapshots import Only, Row, Snapshots
from sagamart.audit.story import Breach

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
    """The checks for which enough of the services are present."""
    if "orders" in services and len(services & order_stories.QUERIES.keys()) > 1:
        yield Check("the story of each order", order_stories.QUERIES, [order_stories.rule_of(services)])
    for what, queries, rules in (
        ("each customer", copies.CUSTOMER_QUERIES, copies.CUSTOMER_RULES),
        ("each product", copies.PRODUCT_QUERIES, copies.PRODUCT_RULES),
        ("each delivery method", copies.METHOD_QUERIES, copies.METHOD_RULES),
        ("the bank's money", bank_money.QUERIES, bank_money.RULES),
    ):
        able = [rule for needed, rule in rules if needed <= services]
        if able:
            yield Check(what, queries, able)
