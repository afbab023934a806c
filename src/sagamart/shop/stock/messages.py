"""What only stock hears: the commands of its staff, and who may be asked for missing pieces."""

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

    `force`: where promised pieces are gone, the newest orders are asked to let go of theirs.
    """

    reason: str
    force: bool = False


class AboutMissing(Body, frozen=True):
    """About `pieces` of a sku that are missing, and that orders have still to be asked for."""

    sku: str
    pieces: int

    @property
    def key(self) -> str:
        """The sku."""
        return self.sku


class ReservationsSought(AboutMissing, frozen=True):
    """An intent: look who has been promised pieces, the newest order first; `before`: only orders before this one."""

    before: str | None = None


class ReservationsFound(AboutMissing, frozen=True):
    """These are booked, the newest first.  `before` (None: there are no others): where it goes on."""

    reservations: tuple[str, ...]
    before: str | None = None
