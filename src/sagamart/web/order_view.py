"""What an order's page says beside the order itself: how far it is, and what can be done now."""

from collections.abc import Mapping, Sequence

import msgspec

from sagamart.web.api_client import Json
from sagamart.web.checkout import ADDRESS
from sagamart.web.forms import Form
from sagamart.web.paying import bank_page_of

STEPS = ("accepted", "paid", "sent", "done")
REACHED: Mapping[str, int] = {
    "new": 0,
    "booking_pending": 0,
    "checked": 1,
    "booked": 1,
    "partially_paid": 1,
    "pay_pending": 1,
    "capturing": 1,
    "paid": 2,
    "shipping_pending": 2,
    "completed": 4,
}
"""The step that an order is at, by its status; one that is beyond them has none."""

FINAL = frozenset(("completed", "cancelled", "returned"))
CANCELLABLE = frozenset(REACHED) - {"completed", "capturing"}
PAYABLE = frozenset(("checked", "booked", "partially_paid"))
PAID = frozenset(("paid", "shipping_pending", "completed", "returned"))
KINDS: Mapping[str, str] = {
    "accepted": "cool",
    "awaiting_payment": "warm",
    "processing": "cool",
    "created": "good",
    "cancelled": "bad",
}
"""The colour of a stage."""

TOLD: frozenset[str] = frozenset(
    (
        "OrderPlaced",
        "PromoRedeemed",
        "PromoRefused",
        "StockBooked",
        "StockRefused",
        "OrderChangeUndone",
        "ReservationRevoked",
        "PaymentWindowExpired",
        "MoneyHeld",
        "MoneyRefused",
        "PaymentHeld",
        "PaymentDeclined",
        "MoneyCaptured",
        "PaymentCaptured",
        "CaptureRefused",
        "OrderPaid",
        "ShipmentPending",
        "ShipmentRefused",
        "ShipmentChanged",
        "ShipmentCannotBeChanged",
        "ShipmentHandedOver",
        "ShipmentDelivered",
        "ShipmentStopped",
        "OrderCompleted",
        "OrderCancelled",
        "OrderRevived",
        "MoneyRefunded",
        "PaymentRefunded",
        "PaymentVoided",
        "ReturnRequested",
        "ReturnReceived",
        "OrderReturned",
    )
)
"""What a customer is told of an order's story: what has come true, not what services asked of each other."""


class Returnable(msgspec.Struct, frozen=True):
    """Pieces of a line that can still be given back."""

    place: int
    title: str
    pieces: int


class OrderPage(msgspec.Struct, frozen=True):
    """An order, and what can be done with it."""

    order: Json

    @property
    def steps(self) -> Sequence[tuple[str, str]]:
        """Each step's name, and whether it is done, now or to come; none where the order was called off."""
        at = REACHED.get(self.order["status"])
        if at is None:
            return []
        return [(name, "done" if place < at else "now" if place == at else "later") for place, name in enumerate(STEPS)]

    @property
    def kind(self) -> str:
        """The colour of its state."""
        return "dull" if self.order["status"] == "returned" else KINDS[self.order["stage"]["code"]]

    @property
    def is_final(self) -> bool:
        """Whether it moves no more by itself."""
        return self.order["status"] in FINAL

    @property
    def is_payable(self) -> bool:
        """Whether a payment can be started."""
        return self.order["status"] in PAYABLE and self.order["due_minor"] > 0

    @property
    def is_paid(self) -> bool:
        """Whether it is paid."""
        return self.order["status"] in PAID

    @property
    def is_cancellable(self) -> bool:
        """Whether it can be called off."""
        return self.order["status"] in CANCELLABLE and not self.order["stopping"]

    @property
    def bank_page(self) -> str | None:
        """Where a payment waits to be confirmed."""
        return None if self.is_final else bank_page_of(self.order)

    @property
    def goods_minor(self) -> int:
        """What the lines cost."""
        return sum(line["amount_minor"] for line in self.order["lines"])

    @property
    def delivery_minor(self) -> int:
        """What the delivery costs."""
        delivery = self.order["delivery"]
        return 0 if delivery is None else int(delivery["price_minor"])

    @property
    def is_sent(self) -> bool:
        """Whether a parcel brings it."""
        delivery = self.order["delivery"]
        return delivery is not None and bool(delivery["needs_shipment"])

    @property
    def refunded_minor(self) -> int:
        """What was given for pieces that came back."""
        return sum(one["refunded_minor"] for one in self.order["returns"])

    @property
    def awaits_goods(self) -> bool:
        """Whether something is on its way back, which no event will tell of."""
        return self.is_final and any(not one["received"] for one in self.order["returns"])

    @property
    def address(self) -> Mapping[str, str] | None:
        """Where its parcel goes, as a form has it."""
        found = (self.order["delivery"] or {}).get("address")
        return None if found is None else {name: found.get(name, "") for name in ADDRESS}

    @property
    def is_readdressable(self) -> bool:
        """Whether its parcel is still here, and may go to another address."""
        asked = self.order["stopping"] or self.order["elsewhere"]
        is_here = not any(line.get("shipped") for line in self.order["lines"])
        return self.order["status"] == "shipping_pending" and is_here and not asked and self.address is not None

    @property
    def returnable(self) -> Sequence[Returnable]:
        """What can still be sent back; what was not sent is brought back, and staff take it."""
        return self.out if self.order["status"] == "completed" and self.is_sent else []

    @property
    def out(self) -> Sequence[Returnable]:
        """What has not been announced to come back."""
        back: dict[int, int] = {}
        for one in self.order["returns"]:
            for line in one["lines"]:
                back[line["line"]] = back.get(line["line"], 0) + line["quantity"]
        left = [
            Returnable(place, line["title"], line["quantity"] - back.get(place, 0))
            for place, line in enumerate(self.order["lines"])
        ]
        return [one for one in left if one.pieces > 0]


def pieces_back(form: Form) -> Sequence[Mapping[str, int]]:
    """The pieces of a form for what comes back, as the API takes them."""
    return [
        {"line": int(place), "quantity": int(number)}
        for place, number in zip(form.texts("line"), form.texts("pieces"), strict=False)
        if place.isdecimal() and number.isdecimal() and int(number)
    ]
