"""What orders asks of the services that keep goods, money, codes and parcels.  Each is answered, and may be repeated.

A repeated request gets the earlier answer again.  What lets go may come before what it lets go of: it leaves a
tombstone that refuses the other when it comes.
"""

from sagamart.contracts.orders import Delivery, OrderMessage, ReturnedLine, payment_id

# -- of stock and promotions -------------------------------------------------------------------------------------------


class PromoRedemptionRequested(OrderMessage, frozen=True):
    """Redeem this code for this attempt; the answer is PromoRedeemed or PromoRefused.

    `goods_minor` is the sum of the lines: what the discount is taken from.  What an earlier attempt of the order has
    redeemed counts as free for this one, and is given back where this one redeems; where this one is refused, it stays.

    `again_minor`: the order is again what it was when it had this discount, because a change of it did not come about.
    It gets the same one, whatever has become of the code since, as long as it has not given the code back.
    """

    code: str
    goods_minor: int
    again_minor: int | None = None


class StockCheckRequested(OrderMessage, frozen=True):
    """Check product: is every line there?  Nothing is reserved.  The answer is StockChecked or StockRefused."""


class BookingRequested(OrderMessage, frozen=True):
    """Order booking: reserve every line of this attempt, or none; the answer is StockBooked or StockRefused.

    What an earlier attempt of the order has reserved counts as free for this one, and is released where this one is
    booked; where this one is refused, it stays.
    """


# -- of the wallet -----------------------------------------------------------------------------------------------------


class PaymentRequest(OrderMessage, frozen=True):
    """A request about one payment of an order."""

    payment: int
    amount_minor: int

    @property
    def payment_id(self) -> str:
        """The business key of the hold or bank payment."""
        return payment_id(self.order_id, self.payment)


class HoldRequested(PaymentRequest, frozen=True):
    """Freeze money: hold the amount in the customer's wallet; the answer is MoneyHeld or MoneyRefused."""


class CaptureRequested(PaymentRequest, frozen=True):
    """Debiting money: take what this payment holds; the answer is MoneyCaptured, never a refusal."""


class ReleaseRequested(PaymentRequest, frozen=True):
    """Let go what this payment holds.  Not answered."""


class RefundRequest(PaymentRequest, frozen=True):
    """Give `amount_minor` of a captured payment back; `refund_id` happens once, for ever."""

    refund_id: str


class RefundRequested(RefundRequest, frozen=True):
    """Put it into the customer's wallet; the answer is MoneyRefunded, never a refusal.

    The payment may have been from the bank, where the bank refused to take the refund.
    """


# -- of payments, through the bank -------------------------------------------------------------------------------------


class BankHoldRequested(PaymentRequest, frozen=True):
    """Open a payment at the bank; the answers are PaymentRedirected, then PaymentHeld or PaymentDeclined.

    The bank's page should not outlive `expires_s` seconds from now.
    """

    expires_s: int


class BankCaptureRequested(PaymentRequest, frozen=True):
    """Take what the bank holds; the answer is PaymentCaptured or CaptureRefused."""


class BankVoidRequested(PaymentRequest, frozen=True):
    """Let go of this payment wherever it stands: never opened, on the bank's page, held, unknown.

    The answer is PaymentVoided once the bank confirms that nothing is or will be held or taken; or PaymentCaptured
    where the money turns out to be taken: then a refund is asked for.
    """


class BankRefundRequested(RefundRequest, frozen=True):
    """Give it back to the card that paid; the answer is PaymentRefunded or RefundRefused."""


# -- of shipping -------------------------------------------------------------------------------------------------------


class ShipmentRequested(OrderMessage, frozen=True):
    """Ship the order, which is paid; the answer is ShipmentPending or ShipmentRefused.

    Asked again, it is answered with how far the parcel is now.
    """

    delivery: Delivery


class ShipmentStopRequested(OrderMessage, frozen=True):
    """Do not hand the parcel over; the answer is ShipmentStopped or ShipmentCannotBeStopped, for ever the same one."""


class ShipmentChangeRequested(OrderMessage, frozen=True):
    """Bring the parcel to another address, the same way; the answer is ShipmentChanged or ShipmentCannotBeChanged.

    `change` counts the changes of an order's shipment; the next one is asked for once the last one is answered.
    """

    change: int
    delivery: Delivery


class ReturnRequested(OrderMessage, frozen=True):
    """Expect these pieces back from the customer; ReturnReceived tells when they are there."""

    return_id: str
    returned: tuple[ReturnedLine, ...]
