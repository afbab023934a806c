"""The rows that promotions owns."""

from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from sagamart.contracts.promotions import PromoRefusal
from sagamart.messaging.records import Record, Table


class PromoCode(Record, frozen=True):
    """What a code takes off: basis points of the goods (`percent_bp`), or an amount; one of the two is 0.

    It counts from `valid_from` until before `valid_until` (None: without end), `uses_max` times in all and
    `customer_uses_max` times for each customer (None: as often as one likes).  `used` is how often it is redeemed now.
    """

    code: str
    percent_bp: int
    amount_minor: int
    currency: str
    goods_min_minor: int
    valid_from: datetime
    valid_until: datetime | None
    uses_max: int | None
    customer_uses_max: int | None
    active: bool
    used: int = 0

    def change_used(self, by: int) -> "PromoCode":
        """The next version, used once more or less.  It is never used more often than it may be."""
        after = replace(self, version=self.version + 1, used=self.used + by)
        if after.used < 0 or (self.uses_max is not None and after.used > self.uses_max):
            raise AssertionError(f"{self.code}: used {after.used} times of {self.uses_max}")
        return after


class CustomerUses(Record, frozen=True):
    """How often one customer has a code redeemed now; `uses_max` is the limit as of the last time."""

    uses_id: str
    code: str
    customer_id: str
    used: int = 0
    uses_max: int | None = None

    def change_used(self, by: int, uses_max: int | None) -> "CustomerUses":
        """The next version, used once more (under this limit) or less."""
        after = replace(self, version=self.version + 1, used=self.used + by, uses_max=uses_max)
        if after.used < 0 or (uses_max is not None and after.used > uses_max):
            raise AssertionError(f"{self.uses_id}: used {after.used} times of {uses_max}")
        return after


RedemptionStatus = Literal["redeemed", "refused", "given_back"]


class Redemption(Record, frozen=True):
    """What one attempt of one order redeemed, or why it did not.

    A cancellation that came first is a row too: a tombstone without a code.
    """

    redemption_id: str
    order_id: str
    attempt: int
    customer_id: str
    code: str
    status: RedemptionStatus
    discount_minor: int = 0
    reason: PromoRefusal | None = None


REDEMPTIONS = Table(Redemption, "redemptions", key="redemption_id")
PROMO_CODES = Table(PromoCode, "promo_codes", key="code")
CUSTOMER_USES = Table(CustomerUses, "customer_uses", key="uses_id")


def uses_id_of(code: str, customer_id: str) -> str:
    """Name what one customer has of a code."""
    return f"{code}/{customer_id}"
