"""What an order, shipping, stock and promotions must agree on about its parcels, what came back, and its code."""

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from sagamart.audit.story import Breach, Story
from sagamart.contracts.orders import Address
from sagamart.shop.orders.records import SHIPMENT, Fact, FactName, Order
from sagamart.shop.shipping.records import Parcel

GONE = frozenset({"handed_over", "delivered", "returned"})
SOLD = frozenset({"completed", "returned"})
PAID = frozenset({"paid", "shipping_pending", *SOLD})

HEARD: Mapping[str, FactName] = {
    "handed_over": "handed_over",
    "delivered": "delivered",
    "returned": "handed_over",
    "received": "received",
}
"""What an order must have heard where its shipment or a return of it stands so."""

_address = msgspec.json.Decoder(Address | None)
_parcels = msgspec.json.Decoder(tuple[Parcel, ...])


def parcels_follow(story: Story) -> Iterator[Breach]:
    """What was handed over is paid, and packed once; a cancelled order's parcel stays here."""
    order = story.whole
    if order is None:
        return
    for row in story.parcels:
        if row["kind"] != "shipment":
            continue
        if row["status"] in GONE and order.status not in PAID:
            yield 9, f"handed over, but the order is {order.status}"
        if row["status"] == "pending" and order.status == "cancelled":
            yield 8, "cancelled, but its parcel is still to be handed over"
        packed: Counter[int] = Counter()
        for parcel in _parcels.decode(row["parcels"]):
            packed.update({one.line: one.quantity for one in parcel.pieces})
        ordered = Counter({place: line.quantity for place, line in enumerate(order.lines)})
        if row["parcels"] != "[]" and packed != ordered:
            yield 9, f"packed are {dict(packed)} by line, but {dict(ordered)} were ordered"


def parcels_are_known(story: Story) -> Iterator[Breach]:
    """The order has heard how far its parcel is and what came back, and announced the rest."""
    order = story.whole
    if order is None:
        return
    for row in story.parcels:
        name = HEARD.get(row["status"])
        if name is not None and Fact(row["id"] if row["kind"] == "return" else SHIPMENT, name) not in order.known:
            yield 10, f"{order.status}, and has not heard of its {row['kind']}: {name}"
    sent = any(row["kind"] == "shipment" and row["status"] in GONE for row in story.parcels)
    if order.shipment("handed_over") and not sent:
        yield 11, f"{order.status}, and has heard that its parcel was handed over, which it was not"
    announced = {row["id"] for row in story.parcels if row["kind"] == "return"}
    for one in order.returns if order.needs_shipment else ():
        if one.return_id not in announced:
            yield 10, f"{one.return_id} was agreed, but shipping does not expect it"


def parcels_go_where_they_should(story: Story) -> Iterator[Breach]:
    """What is still to arrive goes where its order says; the addresses of others may be forgotten."""
    order = story.whole
    if order is None or order.plan.delivery is None or order.plan.elsewhere is not None:
        return
    for row in story.parcels:
        if row["kind"] == "shipment" and row["status"] in {"pending", "handed_over"}:
            goes_to = None if row["address"] is None else _address.decode(row["address"])
            if goes_to != order.plan.delivery.address:
                yield 15, f"{order.status}, but its parcel goes to another address"


def returns_follow(story: Story) -> Iterator[Breach]:
    """As many pieces are back in the stock as the order has heard to be back; none of what was cancelled unpaid."""
    order = story.whole
    if order is not None and order.status in SOLD and +story.back != (back := pieces_back(order)):
        yield 8, f"{dict(story.back)} are back in the stock, but {dict(back)} came back"


def codes_follow(story: Story) -> Iterator[Breach]:
    """A sold order has redeemed its code once, for the discount that it got; a cancelled one has given it back."""
    order = story.whole
    if order is None:
        return
    redeemed = [row for row in story.codes if row["status"] == "redeemed"]
    if order.status == "cancelled" and redeemed:
        yield 8, f"cancelled, but {redeemed[0]['code']} is still redeemed"
    if order.status in PAID:
        due = [(order.attempt, order.plan.discount_minor)] if order.plan.promo_code is not None else []
        if (found := [(row["attempt"], row["discount_minor"]) for row in redeemed]) != due:
            yield 8, f"{order.status}, redeemed by attempt and discount are {found}, but {due} are due"


def pieces_back(order: Order) -> Counter[str]:
    """Pieces by sku of the returns that are here."""
    back: Counter[str] = Counter()
    for one in order.returns:
        for line in one.lines if one.arrival in order.known else ():
            sku = order.lines[line.line].sku
            if sku is not None:
                back[sku] += line.quantity
    return back
