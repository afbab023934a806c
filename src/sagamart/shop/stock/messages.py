"""What only stock hears: the commands of its staff."""

from sagamart.messaging.message import Body


class StockCommand(Body, frozen=True):
    """A change of one sku, ordered by a person."""

    sku: str
    quantity: int
    by: str

    @property
    def key(self) -> str:
        """The sku."""
        return self.sku


class ReceiveStock(StockCommand, frozen=True):
    """`quantity` pieces have arrived."""


class AdjustStock(StockCommand, frozen=True):
    """The count was wrong by `quantity` (which may be negative).

    `newest`: reservations that may be revoked where promised pieces are gone, the newest first; empty: none may be.
    """

    reason: str
    newest: tuple[str, ...] = ()
