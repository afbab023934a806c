"""What stock tells."""

from sagamart.contracts.orders import ShortLine
from sagamart.messaging.message import Body


class BookingAnswer(Body, frozen=True):
    """An answer about one attempt of an order."""

    order_id: str
    attempt: int

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id


class StockChecked(BookingAnswer, frozen=True):
    """Every line is there now; nothing is reserved."""


class StockBooked(BookingAnswer, frozen=True):
    """Every line of this attempt is reserved."""


class StockRefused(BookingAnswer, frozen=True):
    """Nothing is reserved for this attempt; `short` names each line that could not be covered.

    `short` is empty where the attempt had been released before its booking arrived.
    """

    short: tuple[ShortLine, ...] = ()


class ReservationRevoked(BookingAnswer, frozen=True):
    """Pieces are missing that this attempt has reserved.

    An order that is not paid is cancelled, which releases the reservation; a paid one keeps it.
    """


class SkuFact(Body, frozen=True):
    """Something about one sku, as of its `version` (the source's; a copy ignores lower ones)."""

    sku: str
    version: int

    @property
    def key(self) -> str:
        """The sku."""
        return self.sku


class SkuSoldOut(SkuFact, frozen=True):
    """Nothing of it is free any more."""


class SkuBackInStock(SkuFact, frozen=True):
    """Some of it is free again."""
