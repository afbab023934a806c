"""What only the catalogue hears: the commands of its staff."""

from msgspec import UNSET, UnsetType

from sagamart.messaging.message import Body


class CreateProduct(Body, frozen=True):
    """Sell something new.  The fields are those of a product; `by` is whoever ordered it."""

    sku: str
    by: str
    title: str
    description: str
    price_minor: int
    currency: str
    weight_g: int
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    tax_rate_bp: int
    active: bool

    @property
    def key(self) -> str:
        """The sku."""
        return self.sku


class ChangeProduct(Body, frozen=True):
    """Change what is set here and leave the rest, if the product is still at `expected_version`."""

    sku: str
    by: str
    expected_version: int
    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    price_minor: int | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    weight_g: int | UnsetType = UNSET
    length_mm: int | UnsetType | None = UNSET
    width_mm: int | UnsetType | None = UNSET
    height_mm: int | UnsetType | None = UNSET
    tax_rate_bp: int | UnsetType = UNSET
    active: bool | UnsetType = UNSET

    @property
    def key(self) -> str:
        """The sku."""
        return self.sku
