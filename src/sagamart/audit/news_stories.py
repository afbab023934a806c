"""What the customer of an order was told, against what has happened to it."""

from collections.abc import Iterator, Mapping

from sagamart.audit.story import Breach, Story
from sagamart.shop.orders.records import FactName, Order

ENDS: Mapping[str, str] = {
    "completed": "order_completed",
    "returned": "order_completed",
    "cancelled": "order_cancelled",
}
"""What is told of an end.  Of what came back without having been delivered nobody is told that it is complete."""

TURNS: Mapping[FactName, str] = {
    "handed_over": "order_shipped",
    "received": "order_returned",
    "refunded": "order_refunded",
}
"""What is told of a fact: of the one shipment, of each return, of each refund."""


def the_end_is_told(story: Story) -> Iterator[Breach]:
    """Good news or bad, once, when the order has ended, and to whoever placed it.

    An order that came back to life was cancelled before, and was told so: once an attempt at most.
    """
    order = story.order
    if order is None:
        return
    due = {ENDS[order["status"]]} if order["status"] in ENDS and not _came_back_undelivered(story.whole) else set()
    told = {row["kind"] for row in story.told if row["kind"] in ENDS.values()}
    needless = told - due - ({"order_cancelled"} if order["attempt"] > 1 else set())
    if due - told:
        yield 10, f"{order['status']}, but nobody was told"
    if needless:
        yield 11, f"{order['status']}, but told {', '.join(sorted(needless))}"
    cancellations = sum(row["kind"] == "order_cancelled" for row in story.told)
    if cancellations > order["attempt"]:
        yield 16, f"told order_cancelled {cancellations} times in {order['attempt']} attempts"
    yield from ((11, f"{row['customer_id']} was told {row['kind']}, but {order['customer_id']} placed it")
                for row in story.told if row["customer_id"] != order["customer_id"])  # fmt: skip


def the_turns_are_told(story: Story) -> Iterator[Breach]:
    """That the parcel left, that goods are back, that money is back: each that has happened, and no other."""
    order = story.whole
    if order is None:
        return
    kinds = set(TURNS.values())
    told = {row["notification_id"] for row in story.told if row["kind"] in kinds}
    due = {_turn(order, about, TURNS[name]) for about, name in order.known if name in TURNS}
    yield from ((10, f"nobody was told {turn}") for turn in sorted(due - told))
    yield from ((11, f"told {turn}, which has not happened") for turn in sorted(told - due))


def _turn(order: Order, about: int | str, kind: str) -> str:
    return f"{order.order_id}/{kind}" + (f"/{about}" if isinstance(about, str) else "")


def _came_back_undelivered(order: Order | None) -> bool:
    if order is None or order.status != "returned":
        return False
    return order.needs_shipment and not order.shipment("delivered")
