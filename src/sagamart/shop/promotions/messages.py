"""What only promotions hears: the commands of its staff."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from sagamart.messaging.message import Body


class CodeCommand(Body, frozen=True):
    """Something that staff want of a code."""

    code: str

    @property
    def key(self) -> str:
        """The code."""
        return self.code


class CreateCode(CodeCommand, frozen=True):
    """There shall be such a code.  `valid_from` None: from now on."""

    percent_bp: int
    amount_minor: int
    currency: str
    goods_min_minor: int
    valid_from: datetime | None
    valid_until: datetime | None
    uses_max: int | None
    customer_uses_max: int | None
    active: bool


class ChangeCode(CodeCommand, frozen=True):
    """The code shall count otherwise; what is not set stays.  What it takes off never changes."""

    expected_version: int
    goods_min_minor: int | UnsetType = UNSET
    valid_from: datetime | UnsetType = UNSET
    valid_until: datetime | UnsetType | None = UNSET
    uses_max: int | UnsetType | None = UNSET
    customer_uses_max: int | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET
