"""What a list of orders is narrowed to, worked out from what was typed.

Ids are time-ordered, so a date is a range of them.  `q` is an order's number or id, a date (`2026-11-21`), a status,
stage or state, or else a part of a product's title or sku.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec.structs import asdict, replace

from sagamart.contracts.order_numbers import sought_by
from sagamart.contracts.orders import Status
from sagamart.shop.orders.view import OrderView, statuses_named

FIRST, BEYOND = "ord_", "ord_g"
"""All ids lie between these."""

SEARCHED_MAX = 10_000
"""How many orders are looked through for words, or sorted."""

Sort = Literal["-placed", "placed", "total", "-total"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Narrowed(msgspec.Struct, frozen=True):
    """Ids from `after` on and before `before`, in one of these statuses, with these words or this end of the id."""

    after: str = FIRST
    before: str = BEYOND
    statuses: tuple[Status, ...] | None = None
    words: str | None = None
    ending: str | None = None

    def parameters(self) -> dict[str, Any]:
        """The parameters of a query."""
        return {**asdict(self), "statuses": None if self.statuses is None else list(self.statuses)}

    def until(self, order_id: str | None) -> "Narrowed":
        """Only what is before this id, None: all of it."""
        return self if order_id is None else replace(self, before=min(self.before, order_id))


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of a sorted list ended: the sort key of its last order, which is its total or, by date, 0."""

    sort: Sort
    last_key: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] = -(2**53)
    last_id: Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$(?!\n)", max_length=100)] = ""


def place_of(order: OrderView, sort: Sort) -> Place:
    """The place of an order in a list that is sorted so."""
    keys = {"total": order.total_minor, "-total": -order.total_minor}
    return Place(sort, keys.get(sort, 0), order.id)


def narrowed(
    *,
    q: str | None = None,
    statuses: Sequence[Status] | None = None,
    placed_from: date | None = None,
    placed_to: date | None = None,
) -> Narrowed:
    """What all of these let through.  `placed_to` is the last day; days are those of UTC."""
    found = _of_text(q.strip()) if q is not None and q.strip() else Narrowed()
    after = max(found.after, FIRST if placed_from is None else first_id_of(placed_from))
    before = min(found.before, BEYOND if placed_to is None else first_id_of(placed_to + timedelta(days=1)))
    both = found.statuses
    if statuses is not None:
        both = tuple(one for one in statuses if both is None or one in both)
    return Narrowed(after, before, both, found.words, found.ending)


def first_id_of(day: date) -> str:
    """The smallest id that an order of this day can have."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return f"ord_{max(0, int(moment.timestamp() * 1000)):012x}"


def _of_text(q: str) -> Narrowed:
    sought = sought_by(q)
    if sought is not None:
        return Narrowed(sought.first, sought.before, ending=f"%{sought.end}")
    if q.startswith(FIRST):
        return Narrowed(q, q + "!")
    if _DATE.fullmatch(q):
        try:
            day = date.fromisoformat(q)
        except ValueError:
            day = None
        if day is not None:
            return Narrowed(first_id_of(day), first_id_of(day + timedelta(days=1)))
    meant = statuses_named(q)
    return Narrowed(statuses=meant) if meant else Narrowed(words=f"%{_escaped(q)}%")


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
