"""Every way that an order can go, with what others tell it in every order and one thing told twice: it ends the same.

The ways are those of the drawings, played with all services.  What people and clocks say to the order keeps its place;
what the other services say between two such words comes in any order.  Only a parcel is not told of before it is paid:
it is asked for then, and not earlier.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import permutations, product
from typing import NamedTuple

import pytest

from one_service import OneService
from sagamart.blueprints.playing import Handled, Play
from sagamart.blueprints.shop_map import acting_services
from sagamart.blueprints.ways import ORDER, WAYS, Way, filled
from sagamart.contracts.orders import OrderCancelled, OrderCompleted, OrderReturned
from sagamart.messaging.message import Body
from sagamart.shop.orders.facts import OF_PARCEL
from sagamart.shop.orders.messages import PlaceOrder
from sagamart.shop.orders.records import Order
from sagamart.shop.orders.service import ORDERS_SERVICE

WITH_ONE_TWICE_MAX = 4
"""Up to so many facts each of them is told twice in every place; of more, the first is told again at the end."""

FACTS_MAX = 6

NAMES = [way.name for way in WAYS]


class Part(NamedTuple):
    """A word to the order, if one begins it, and the facts that follow."""

    word: list[Body]
    facts: list[Body]


@cache
def played(name: str) -> tuple[Sequence[Body], Sequence[Part]]:
    """What orders heard before the order was placed; then each word of people and clocks, with the facts after it."""
    way = next(way for way in WAYS if way.name == name)
    play = Play(acting_services())
    play.play([*filled(way), *way.steps])
    before: list[Body] = []
    parts: list[Part] = []
    for one in play.story:
        if not isinstance(one, Handled) or one.service != "orders":
            continue
        body = one.message.body
        if one.who is not None or one.fired:
            parts.append(Part([body], []))
        elif not parts:
            before.append(body)
        elif type(body) in OF_PARCEL and not any(type(fact) in OF_PARCEL for fact in parts[-1].facts):
            parts.append(Part([], [body]))
        else:
            parts[-1].facts.append(body)
    assert isinstance(parts[0].word[0], PlaceOrder)
    return before, parts


def orders_of(facts: Sequence[Body]) -> Iterator[Sequence[Body]]:
    """These facts in every order, some of them twice."""
    if len(facts) <= WITH_ONE_TWICE_MAX:
        for twice in facts:
            yield from permutations((*facts, twice))
    for told in permutations(facts):
        yield (*told, *told[:1])


def way_of(name: str) -> Way:
    return next(way for way in WAYS if way.name == name)


@pytest.mark.parametrize(
    ("name", "place"), [(name, n) for name, n in product(NAMES, range(5)) if n < len(played(name)[1])]
)
def test_an_order_ends_the_same_in_whatever_order_it_is_told(name: str, place: int) -> None:
    before, parts = played(name)
    assert len(parts[place].facts) <= FACTS_MAX
    ends = set()
    for told in orders_of(parts[place].facts):
        service = OneService(ORDERS_SERVICE)
        service.hears(*before)
        for number, part in enumerate(parts):
            service.hears(*part.word, *(told if number == place else part.facts))
        ends.add(end_of(service))
    assert {status for status, _, _, _ in ends} <= {way_of(name).ends}
    assert len(ends) <= 1


def end_of(service: OneService) -> tuple[object, ...]:
    """How it ended, what it knows, why, and whom it told of an end how often."""
    order = service.record(Order, ORDER)
    told = Counter(
        type(one).__name__ for one in service.sent if isinstance(one, OrderCancelled | OrderCompleted | OrderReturned)
    )
    return order.status, order.known, order.reason, tuple(sorted(told.items()))
