"""What the catalogue tells."""

from sagamart.messaging.message import Body


class ProductChanged(Body, frozen=True):
    """A product as of `version`, new or changed.  Copies keep the highest version that they have seen."""

    sku: str
    version: int
    title: str
    price_minor: int
    currency: str
    active: bool

    @property
    def key(self) -> str:
        """The sku."""
        return self.sku
