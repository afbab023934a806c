"""What the wallet tells."""

from typing import Literal

from sagamart.messaging.message import Body

HoldRefusal = Literal["insufficient_funds", "currency_mismatch", "released"]


class WalletOpened(Body, frozen=True):
    """A customer has a wallet now."""

    customer_id: str
    currency: str
    version: int

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id


class TopUpCredited(Body, frozen=True):
    """Money that the bank took for this top-up is in the wallet: once, for ever."""

    top_up_id: str
    customer_id: str
    amount_minor: int
    currency: str

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id


class MoneyAnswer(Body, frozen=True):
    """An answer about one payment of an order from the wallet."""

    order_id: str
    payment: int
    amount_minor: int
    currency: str

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id


class MoneyHeld(MoneyAnswer, frozen=True):
    """The amount is held for this payment."""


class MoneyRefused(MoneyAnswer, frozen=True):
    """Nothing is held for this payment.  Where the funds were too few, `available_minor` is what was free then.

    `released`: the payment had been let go before, or before its hold arrived.
    """

    reason: HoldRefusal
    available_minor: int = 0


class MoneyCaptured(MoneyAnswer, frozen=True):
    """The held amount has become the shop's.  It follows every CaptureRequested: a capture cannot be refused."""


class MoneyRefunded(MoneyAnswer, frozen=True):
    """The amount is the customer's again, in the wallet.  It follows every RefundRequested."""

    refund_id: str
    customer_id: str = ""
