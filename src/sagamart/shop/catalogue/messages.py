"""What only the catalogue hears: the commands of its staff."""

from msgspec import UNSET, UnsetType

from sagamart.messaging.message import Body


class ProductCommand(Body, frozen=True):
    """A command about one product; `by` is whoever gave it."""

    sku: str
    by: str

    @property
    def key(self) -> str:
        """The sku."""
        return self.sku


class CreateProduct(ProductCommand, frozen=True):
    """Sell something new.  The fields are those of a product."""

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


class ChangeProduct(ProductCommand, frozen=True):
    """Change what is set here and leave the rest, if the product is still at `expected_version`."""

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


class ImportProduct(ProductCommand, frozen=True):
    """A row of a file: make the product like this, whether it is there or not, and leave what the row does not say."""

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


class ShowPhoto(ProductCommand, frozen=True):
    """Show a product by this photo, if it is still at `expected_version`."""

    expected_version: int
    photo_id: str
    content: bytes


class HidePhoto(ProductCommand, frozen=True):
    """Show a product without a photo, if it is still at `expected_version`."""

    expected_version: int
