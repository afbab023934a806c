"""What all services must agree on about an order: its own row, its holds, its reservations, and what was told.

Each rule takes the story of one order and says what does not fit.  An order that still moves may know less than others
do; what a rule finds then is dropped as long as a message about the order is under way.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from sagamart.audit.money_stories import refunds_are_paid, the_bank_is_known, the_books_are_known
from sagamart.audit.news_stories import the_end_is_told, the_turns_are_told
from sagamart.audit.parcel_stories import (
    codes_follow,
    parcels_are_known,
    parcels_follow,
    parcels_go_where_they_should,
    returns_follow,
)
from sagamart.audit.snapshots import Row
from sagamart.audit.story import Breach, Story
from sagamart.contracts.orders import Line
from sagamart.shop.orders.decide import status_of
from sagamart.shop.orders.money import live
from sagamart.shop.orders.records import ORDERS, Fact, FactName, Payment
from sagamart.shop.stock.decide import wanted_pieces
from sagamart.shop.stock.records import ReservedLine

QUERIES = {
    "orders": "orders_by_id",
    "wallet": "money_by_order",
    "payments": "payments_by_order",
    "stock": "goods_by_order",
    "shipping": "shipping_by_order",
    "promotions": "redemptions_by_order",
    "notifications": "told_by_order",
}

FACTS: Mapping[str, frozenset[FactName]] = {
    "held": frozenset({"held"}),
    "captured": frozenset({"held", "captured"}),
    "money refused": frozenset({"money_refused"}),
    "money released": frozenset({"held"}),
    "money never asked for": frozenset(),
    "booked": frozenset({"booked"}),
    "committed": frozenset({"booked"}),
    "restocked": frozenset({"booked"}),
    "stock refused": frozenset({"stock_refused"}),
    "stock released": frozenset({"booked"}),
    "stock never asked for": frozenset(),
}
"""What an order must have heard where a hold or a reservation stands so."""

TOMBSTONE_FACTS: Mapping[str, FactName] = {
    "money never asked for": "money_refused",
    "stock never asked for": "stock_refused",
}
"""A release that came first answers a late request with a refusal: the order may have heard that."""

ENDED = frozenset({"completed", "cancelled", "returned"})
PAID = frozenset({"paid", "shipping_pending", "completed", "returned"})
MONEY_FACTS: frozenset[FactName] = frozenset({"held", "captured", "money_refused"})
GOODS_FACTS: frozenset[FactName] = frozenset({"booked", "stock_refused"})

_lines = msgspec.json.Decoder(tuple[Line, ...])
_reserved = msgspec.json.Decoder(tuple[ReservedLine, ...])


_payments_decoder = msgspec.json.Decoder(tuple[Payment, ...])


def no_order_is_made_up(story: Story) -> Iterator[Breach]:
    """Money, goods and messages to people have an order behind them."""
    if story.order is None:
        yield from ((11, f"a hold ({hold['status']}) of an order that does not exist") for hold in story.holds)
        yield from ((11, f"a reservation ({row['status']}) of an order that does not exist")
                    for row in story.reservations)  # fmt: skip
        yield from ((11, f"told {row['kind']} of an order that does not exist") for row in story.told)
        yield from ((11, f"a payment ({row['status']}) of an order that does not exist") for row in story.payments)
        yield from ((11, f"a {row['kind']} ({row['status']}) of an order that does not exist")
                    for row in story.parcels)  # fmt: skip
        yield from ((11, f"a code ({row['status']}) of an order that does not exist") for row in story.codes)


def its_status_follows_from_what_it_knows(story: Story) -> Iterator[Breach]:
    """In whichever order an order has learned what it knows, it stands where that leads."""
    whole = story.whole
    if whole is not None and (right := status_of(whole, live(whole))) != whole.status:
        yield 12, f"{whole.status}, but what it knows makes it {right}"


def money_follows(story: Story) -> Iterator[Breach]:
    """Paid: the total is captured.  Ended: nothing is held."""
    order = story.order
    if order is None:
        return
    payments = _payments(order["payments"])
    known = _facts(order["known"])
    captured_minor = sum(
        payment.amount_minor
        for number, payment in enumerate(payments, start=1)
        if payment.source == "bank" and not payment.over and Fact(number, "captured") in known
    )
    for hold in story.holds:
        due = _due(order, payments, hold["payment"])
        if (hold["customer_id"], hold["currency"], hold["amount_minor"]) != due:
            yield 11, f"{_amount(hold)} of {hold['customer_id']} {hold['status']}, but {due} are due"
        if hold["status"] == "held" and order["status"] in ENDED:
            yield 4, f"{order['status']}, but its hold is still open"
        if hold["status"] != "captured":
            continue
        captured_minor += hold["amount_minor"]
    if order["status"] in PAID and captured_minor != order["total_minor"]:
        yield 8, f"{order['status']}, but {captured_minor} of {order['total_minor']} were captured"


def goods_follow(story: Story) -> Iterator[Breach]:
    """Paid: every piece is committed.  Cancelled: none is, and nothing is reserved."""
    order = story.order
    if order is None:
        return
    wanted = wanted_pieces(_lines.decode(order["lines"]))
    for row in story.reservations:
        present = row["attempt"] == order["attempt"]
        if row["status"] in ("booked", "committed") and present and _pieces(row) != wanted:
            yield 11, f"{_pieces(row)} {row['status']}, but {wanted} were ordered"
        if row["status"] == "booked" and (order["status"] in ENDED or not present):
            yield 6, f"{order['status']}, but its reservation is still open"
        if row["status"] == "committed" and order["status"] == "cancelled":
            yield 8, "cancelled, but its pieces have left the stock"
    committed = [row for row in story.reservations if row["status"] == "committed"]
    if order["status"] in PAID and len(committed) != (1 if wanted or order["attempt"] > 1 else 0):
        yield 8, f"{order['status']}, but committed {len(committed)} times"


def money_is_known(story: Story) -> Iterator[Breach]:
    """The order has heard what the wallet says, and nothing that the wallet does not say."""
    if story.order is not None:
        payments = _payments(story.order["payments"])
        wallet = {number for number, payment in enumerate(payments, start=1) if payment.source == "wallet"}
        heard = {fact for fact in _facts(story.order["known"]) if fact.name in MONEY_FACTS and fact.about in wallet}
        yield from _hearing(story.order, heard, story.holds, "money")


def goods_are_known(story: Story) -> Iterator[Breach]:
    """The order has heard what stock says, and nothing that stock does not say."""
    if story.order is not None:
        heard = {fact for fact in _facts(story.order["known"]) if fact.name in GOODS_FACTS}
        yield from _hearing(story.order, heard, story.reservations, "stock")


RULES: Sequence[tuple[frozenset[str], Callable[[Story], Iterator[Breach]]]] = (
    (frozenset({"orders"}), no_order_is_made_up),
    (frozenset({"orders"}), its_status_follows_from_what_it_knows),
    (frozenset({"orders", "wallet"}), the_books_are_known),
    (frozenset({"orders", "wallet", "payments"}), refunds_are_paid),
    (frozenset({"orders", "payments"}), the_bank_is_known),
    (frozenset({"orders", "stock"}), returns_follow),
    (frozenset({"orders", "shipping"}), parcels_follow),
    (frozenset({"orders", "shipping"}), parcels_are_known),
    (frozenset({"orders", "shipping"}), parcels_go_where_they_should),
    (frozenset({"orders", "promotions"}), codes_follow),
    (frozenset({"orders", "wallet"}), money_follows),
    (frozenset({"orders", "wallet"}), money_is_known),
    (frozenset({"orders", "stock"}), goods_follow),
    (frozenset({"orders", "stock"}), goods_are_known),
    (frozenset({"orders", "notifications"}), the_end_is_told),
    (frozenset({"orders", "notifications"}), the_turns_are_told),
)
"""Each rule, and the services that have to be present for it."""


def rule_of(services: frozenset[str]) -> Callable[[Mapping[str, Sequence[Row]]], Iterator[Breach]]:
    """All rules for which these services suffice, as one over the rows of each service."""
    able = [rule for needed, rule in RULES if needed <= services]

    def rule(rows: Mapping[str, Sequence[Row]]) -> Iterator[Breach]:
        order = next(iter(rows["orders"]), None)
        story = Story(
            order,
            None if order is None else ORDERS.read([order])[0],
            [row for row in rows["wallet"] if row["hold_id"] is not None],
            [row for row in rows["stock"] if row["attempt"] is not None],
            rows["notifications"],
            sum(row["kept_minor"] for row in rows["wallet"]),
            Counter({row["sku"]: row["quantity"] for row in rows["stock"] if row["sku"] is not None}),
            rows["payments"],
            rows["shipping"],
            rows["promotions"],
        )
        for one in able:
            yield from one(story)

    return rule


@lru_cache
def _payments(payments: str) -> tuple[Payment, ...]:
    """The payments of an order, by their number less one."""
    return _payments_decoder.decode(payments)


@lru_cache
def _facts(known: str) -> frozenset[Fact]:
    """What an order knows.  Few different things are known by many orders."""
    return frozenset(msgspec.json.decode(known, type=tuple[Fact, ...]))


def _hearing(order: Row, heard: set[Fact], rows: Sequence[Row], what: str) -> Iterator[Breach]:
    said = {Fact(_number(row), fact) for row in rows for fact in FACTS[_standing(row, what)]}
    may = {
        Fact(_number(row), TOMBSTONE_FACTS[standing])
        for row in rows
        if (standing := _standing(row, what)) in TOMBSTONE_FACTS
    }
    for fact in sorted(said - heard):
        yield 10, f"{order['status']}, and has not heard of its {what}: {fact.name}"
    # A check is answered by stock too, and leaves no row.
    checked = {fact for fact in heard if what == "stock" and fact.name == "stock_refused" and not rows}
    for fact in sorted(heard - said - may - checked):
        yield 11, f"{order['status']}, and has heard of its {what} what is not so: {fact.name}"


def _number(row: Row) -> int:
    """Which attempt or payment of its order it is."""
    return int(row["attempt"] if "attempt" in row else row["payment"])


def _standing(row: Row, what: str) -> str:
    match row["status"], row["version"]:
        case "released", 1:
            return f"{what} never asked for"
        case ("released" | "refused") as ended, _:
            return f"{what} {ended}"
        case status, _:
            return str(status)


def _due(order: Row, payments: Sequence[Payment], number: int) -> tuple[Any, ...]:
    """Whose, in which currency and how much a hold has to be; None for a payment that the order does not have."""
    known = 1 <= number <= len(payments) and payments[number - 1].source == "wallet"
    return order["customer_id"], order["currency"], payments[number - 1].amount_minor if known else None


def _amount(hold: Row) -> str:
    return f"{hold['amount_minor']} {hold['currency']}"


def _pieces(reservation: Row) -> dict[str, int]:
    return {line.sku: line.quantity for line in _reserved.decode(reservation["lines"])}
