"""What stock tells."""

from sagamart.contracts.orders import ShortLine
from sagamart.messaging.message import Body


class BookingAnswer(Body, frozen=True):
    """An answer to one booking attempt of an order."""

    order_id: str
    attempt: int

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id


class StockBooked(BookingAnswer, frozen=True):
    """Every line of this attempt is reserved."""


class StockRefused(BookingAnswer, frozen=True):
    """Nothing is reserved for this attempt; `short` names each line that could not be covered.

    `short` is empty where the attempt had been released before its booking arrived.
    """

    short: tuple[ShortLine, ...] = ()


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
