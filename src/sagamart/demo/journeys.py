"""Which orders a demo places, and the way of each: pure, so that it can be drawn and summed up anywhere."""

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from sagamart.demo.assortment import DEAR, EVERYDAY, RARE
from sagamart.platform.money import money

Kind = Literal["payable", "too dear", "short of stock"]

ORDER_OF_KINDS: Sequence[Kind] = ("payable", "payable", "too dear", "payable", "short of stock")
ENDS = frozenset({"completed", "cancelled"})


class Wish(NamedTuple):
    """An order to be placed: pieces by sku."""

    kind: Kind
    lines: Mapping[str, int]

    @property
    def body(self) -> dict[str, Any]:
        """The request."""
        return {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in self.lines.items()]}


def wishes(count: int) -> Iterator[Wish]:
    """So many orders, three of five payable, always the same ones."""
    for number in range(count):
        kind = ORDER_OF_KINDS[number % len(ORDER_OF_KINDS)]
        one, other = EVERYDAY[number % len(EVERYDAY)], EVERYDAY[(number + 3) % len(EVERYDAY)]
        match kind:
            case "payable":
                yield Wish(kind, {one.sku: 1, other.sku: 2})
            case "too dear":
                yield Wish(kind, {DEAR.sku: 1, one.sku: 1})
            case "short of stock":
                yield Wish(kind, {one.sku: 1, RARE.sku: RARE.pieces + 3})


class Journey(msgspec.Struct):
    """The way of one order: which status it was seen in after how many milliseconds."""

    number: int
    customer: str
    wish: Wish
    order_id: str = ""
    total_minor: int = 0
    currency: str = ""
    steps: dict[str, float] = msgspec.field(default_factory=dict)
    outcome: str = ""
    is_refused: bool = False
    """At once, in the answer to its request."""

    def sees(self, order: Mapping[str, Any], after_ms: float) -> None:
        """Note an order as the API shows it."""
        self.order_id, self.total_minor, self.currency = order["id"], order["total_minor"], order["currency"]
        self.steps.setdefault(order["status"], after_ms)
        if order["status"] in ENDS:
            self.outcome = why(order)

    @property
    def ended_as(self) -> str:
        """The end that the order has come to; empty while it has not."""
        return next((status for status in self.steps if status in ENDS), "")


def why(order: Mapping[str, Any]) -> str:
    """Why an order ended as it did, in words."""
    reason = order.get("reason")
    if not reason:
        return "paid and done"
    lacked = [f"{one['wanted']} of {one['sku']} wanted, {one['available']} there" for one in reason.get("short", ())]
    if reason.get("available_minor") is not None:
        lacked.append(f"{money(reason['available_minor'], order['currency'], 'en')} there")
    return f"{reason['text']}: {'; '.join(lacked)}" if lacked else str(reason["text"])


def way(journey: Journey) -> str:
    """Each status with its time: booking_pending 4, completed 31 ms."""
    steps = ", ".join(f"{status} {after_ms:.0f}" for status, after_ms in journey.steps.items())
    return f"{steps} ms" if steps else ""


def basket(journey: Journey) -> str:
    """What was ordered."""
    return ", ".join(f"{quantity} {sku}" for sku, quantity in journey.wish.lines.items())


def line(journey: Journey) -> str:
    """The whole journey as one line of text."""
    total = money(journey.total_minor, journey.currency, "en") if journey.order_id else "no order"
    parts = (journey.order_id, journey.customer, basket(journey), total, way(journey), journey.outcome)
    return f"{journey.number:>4}. " + " | ".join(part for part in parts if part)


def summary(journeys: Sequence[Journey], seconds: float) -> str:
    """How the orders ended, and how fast."""
    ends = Counter(journey.ended_as or ("refused" if journey.is_refused else "not ended") for journey in journeys)
    told = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    times_ms = [journey.steps[journey.ended_as] for journey in journeys if journey.ended_as]
    speed = f"; to the end in {statistics.median(times_ms):.0f} ms, {max(times_ms):.0f} ms at most" if times_ms else ""
    return f"{len(journeys)} orders in {seconds:.1f} s: {told or 'none'}{speed}"
