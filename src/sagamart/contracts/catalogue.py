"""What the catalogue tells."""

from sagamart.messaging.message import Body

SKU_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)"
"""What may name a product, in every service.

`$(?!\\n)`, since `$` alone lets a newline follow in Python, and JSON Schema, which shows this pattern to clients, does
not know `\\Z`.
"""


class ProductChanged(Body, frozen=True):
    """A product as of `version`, new or changed.  Copies keep the highest version that they have seen.

    Weight in grams, measures in millimetres (None: not known), tax in basis points of the price.
    """

    sku: str
    version: int
    title: str
    price_minor: int
    currency: str
    active: bool
    weight_g: int = 0
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    tax_rate_bp: int = 0

    @property
    def key(self) -> str:
        """The sku."""
        return self.sku
