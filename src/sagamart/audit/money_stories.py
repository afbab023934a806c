"""What an order, the wallet's books and the payments at the bank must agree on about its money.

A bank may take its time: what it has been asked for and has not answered is no breach.
"""

from collections.abc import Iterator, Mapping

import msgspec

from sagamart.audit.story import Breach, Story
from sagamart.contracts.orders import ReturnedLine, payment_id
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.money import payments_of
from sagamart.shop.orders.records import Fact, FactName, Order, Return
from sagamart.shop.orders.returning import value_minor
from sagamart.shop.payments.records import Refund

HEARD: Mapping[str, FactName] = {
    "captured": "captured",
    "refunded": "captured",
    "declined": "declined",
    "failed": "capture_refused",
    "voided": "voided",
}
"""What an order must have heard where its payment at the bank stands so."""

_refunds = msgspec.json.Decoder(tuple[Refund, ...])


def the_books_are_known(story: Story) -> Iterator[Breach]:
    """The shop keeps of an order what the order has heard to be captured, less what it has heard to be refunded."""
    order = story.whole
    if order is None:
        if story.kept_minor:
            yield 11, f"{story.kept_minor} were taken for an order that does not exist"
        return
    heard_minor = sum(one.payment.amount_minor for one in payments_of(order) if one.standing == "captured")
    heard_minor -= sum(amount for name, amount in owed(order).items() if Fact(name, "refunded") in order.known)
    if story.kept_minor != heard_minor:
        yield 8, f"{order.status}, the books keep {story.kept_minor}, but it has heard of {heard_minor}"


def refunds_are_paid(story: Story) -> Iterator[Breach]:
    """What an order owes its customer has been paid back, or the bank has been asked to; and it owes what is right."""
    order = story.whole
    if order is None or not LIFECYCLE[order.status].final:
        return
    asked = {refund.refund_id for row in story.payments for refund in _refunds.decode(row["refunds"])
             if refund.status == "asked"}  # fmt: skip
    for name, amount_minor in owed(order).items():
        if Fact(name, "refunded") not in order.known and name not in asked:
            yield 8, f"{order.status}, but {amount_minor} ({name}) were not given back"
    shared_minor = sum(share for one in order.returns for _, share in one.shares)
    if shared_minor != (worth_minor := _worth_of_returns(order)):
        yield 8, f"its returns give back {shared_minor}, but their pieces are worth {worth_minor}"


def the_bank_is_known(story: Story) -> Iterator[Breach]:
    """The order has heard what payments says of its payments, and asked for each of them."""
    order = story.whole
    if order is None:
        return
    for row in story.payments:
        number = row["payment"]
        made = order.payments[number - 1] if 1 <= number <= len(order.payments) else None
        if made is None or (made.source, made.amount_minor) != ("bank", row["amount_minor"]):
            yield (
                11,
                f"payment {number} of {row['amount_minor']} is {row['status']} at the bank, but is not the order's",
            )
            continue
        fact = HEARD.get(row["status"])
        if fact is not None and Fact(number, fact) not in order.known and not row["closing"]:
            yield 10, f"{order.status}, and has not heard of payment {number}: {fact}"
        held = row["status"] == "held" and not row["closing"] and not row["capturing"]
        if held and LIFECYCLE[order.status].final:
            yield 4, f"{order.status}, but payment {number} is still held at the bank"
    there = {row["payment"] for row in story.payments if row["captured_minor"]}
    for number, made in enumerate(order.payments, start=1):
        if made.source == "bank" and Fact(number, "captured") in order.known and number not in there:
            yield 11, f"{order.status}, and has heard that payment {number} is captured, which it is not"


def owed(order: Order) -> Mapping[str, int]:
    """What has to be given back, by the name of the refund: the wallet's, where the bank has refused."""
    found: dict[str, int] = {}
    for one in payments_of(order):
        if one.standing == "captured" and (order.reason is not None or one.payment.over):
            found[f"{payment_id(order.order_id, one.number)}/all"] = one.payment.amount_minor
    for back in order.returns:
        for number, share_minor in back.shares:
            found[f"{back.return_id}/{number}"] = share_minor
    return {
        f"{name}/wallet" if Fact(name, "refund_refused") in order.known else name: amount
        for name, amount in found.items()
    }


def _worth_of_returns(order: Order) -> int:
    """What all that is back is worth, however many returns it came in."""
    lines = [line for one in order.returns if one.arrival in order.known for line in one.lines]
    pieces = {line.line: 0 for line in lines}
    for line in lines:
        pieces[line.line] += line.quantity
    whole = Return("all", tuple(ReturnedLine(place, quantity) for place, quantity in pieces.items()))
    return value_minor(msgspec.structs.replace(order, returns=(whole,)), whole)
