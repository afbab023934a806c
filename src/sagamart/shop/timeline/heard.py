"""What the timeline hears, and what of each message it keeps.

Rules:
- It hears every message of the contracts that is about one order; a test finds those that are missing here.  Thin
  events only repeat that an order has ended.
- Of a body it keeps only fields that are named here as harmless: personal data (who receives the parcel, where, what a
  custom line is called, a tracking number, the address of the bank's page) never gets into the story.
- Lines are long, and most messages repeat them: they are kept where they are fixed, promised, paid or given up.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sagamart.contracts.order_requests import (
    BankCaptureRequested,
    BankHoldRequested,
    BankRefundRequested,
    BankVoidRequested,
    BookingRequested,
    CaptureRequested,
    HoldRequested,
    PromoRedemptionRequested,
    RefundRequested,
    ReleaseRequested,
    ReturnRequested,
    ShipmentChangeRequested,
    ShipmentRequested,
    ShipmentStopRequested,
    StockCheckRequested,
)
from sagamart.contracts.orders import (
    AddressNotChanged,
    Delivery,
    DeliveryReported,
    Line,
    OrderCancelled,
    OrderChangeUndone,
    OrderCompleted,
    OrderPaid,
    OrderPlaced,
    OrderReturned,
    OrderRevived,
    PaymentAwaited,
    PaymentStarted,
    PaymentWindowExpired,
)
from sagamart.contracts.payments import (
    CaptureRefused,
    PaymentCaptured,
    PaymentDeclined,
    PaymentHeld,
    PaymentRedirected,
    PaymentRefunded,
    PaymentVoided,
    RefundRefused,
)
from sagamart.contracts.promotions import PromoRedeemed, PromoRefused
from sagamart.contracts.shipping import (
    ReturnReceived,
    ShipmentCannotBeChanged,
    ShipmentCannotBeStopped,
    ShipmentChanged,
    ShipmentDelivered,
    ShipmentHandedOver,
    ShipmentPending,
    ShipmentRefused,
    ShipmentStopped,
)
from sagamart.contracts.stock import ReservationRevoked, StockBooked, StockChecked, StockRefused
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld, MoneyRefunded, MoneyRefused
from sagamart.messaging.message import Body

HEARD: tuple[type[Body], ...] = (
    OrderPlaced,
    PromoRedemptionRequested,
    PromoRedeemed,
    PromoRefused,
    StockCheckRequested,
    StockChecked,
    BookingRequested,
    StockBooked,
    StockRefused,
    OrderChangeUndone,
    ReservationRevoked,
    PaymentAwaited,
    PaymentStarted,
    PaymentWindowExpired,
    HoldRequested,
    MoneyHeld,
    MoneyRefused,
    BankHoldRequested,
    PaymentRedirected,
    PaymentHeld,
    PaymentDeclined,
    CaptureRequested,
    MoneyCaptured,
    BankCaptureRequested,
    PaymentCaptured,
    CaptureRefused,
    OrderPaid,
    ShipmentRequested,
    ShipmentPending,
    ShipmentRefused,
    ShipmentChangeRequested,
    ShipmentChanged,
    ShipmentCannotBeChanged,
    AddressNotChanged,
    ShipmentHandedOver,
    DeliveryReported,
    ShipmentDelivered,
    OrderCompleted,
    ReturnRequested,
    ReturnReceived,
    OrderReturned,
    ShipmentStopRequested,
    ShipmentStopped,
    ShipmentCannotBeStopped,
    OrderCancelled,
    OrderRevived,
    ReleaseRequested,
    BankVoidRequested,
    PaymentVoided,
    RefundRequested,
    MoneyRefunded,
    BankRefundRequested,
    PaymentRefunded,
    RefundRefused,
)
"""In the order of an order's way: so stand those of a story that were said at the same moment."""

TELLS_LINES = frozenset({OrderPlaced, StockCheckRequested, BookingRequested, OrderPaid, OrderCancelled})

HARMLESS = frozenset(
    {
        "again_minor",
        "amount_minor",
        "attempt",
        "available_minor",
        "change",
        "code",
        "currency",
        "discount_minor",
        "due_minor",
        "expires_s",
        "goods_minor",
        "holds_until",
        "payment",
        "promo",
        "reason",
        "refund_id",
        "return_id",
        "returned",
        "shipment_id",
        "short",
        "source",
        "total_minor",
        "window_s",
    }
)
"""Fields that are kept as they are."""

ELSEWHERE = frozenset({"order_id", "customer_id", "version", "status"})
"""Fields that are columns of the story."""

PERSONAL = frozenset({"redirect_url", "tracking"})
"""Fields that are not kept: whoever knows them gets to see a name, an address or a payment."""


class KeptLine(msgspec.Struct, frozen=True):
    """A line without its title, which a customer may have written."""

    sku: str | None
    quantity: int
    price_minor: int


class KeptDelivery(msgspec.Struct, frozen=True):
    """A delivery without its address."""

    method: str
    price_minor: int


def _lines(lines: tuple[Line, ...]) -> list[KeptLine]:
    return [KeptLine(line.sku, line.quantity, line.price_minor) for line in lines]


def _delivery(delivery: Delivery) -> KeptDelivery:
    return KeptDelivery(delivery.method, delivery.price_minor)


CUT: Mapping[str, Callable[[Any], Any]] = {"lines": _lines, "wished": _lines, "delivery": _delivery}
"""Fields of which a part is kept."""


def kept_of(body: Body) -> dict[str, Any]:
    """What the story keeps of a body."""
    plain, cut = _KEPT[type(body)]
    kept = {name: getattr(body, name) for name in plain}
    for name in cut:
        kept[name] = CUT[name](getattr(body, name))
    return kept


def _kept(kind: type[Body]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    fields = kind.__struct_fields__
    cut = tuple(name for name in fields if name in CUT and (name != "lines" or kind in TELLS_LINES))
    return tuple(name for name in fields if name in HARMLESS), cut


_KEPT = {kind: _kept(kind) for kind in HEARD}
