"""What promotions tells."""

from typing import Literal

from sagamart.messaging.message import Body

PromoRefusal = Literal[
    "unknown_code",
    "not_valid_now",
    "not_yet_valid",
    "expired",
    "used_up",
    "used_up_by_customer",
    "other_currency",
    "total_too_low",
    "given_back",
]


class PromoAnswer(Body, frozen=True):
    """An answer to one attempt of an order to redeem a code.  A later attempt takes the place of an earlier one."""

    order_id: str
    attempt: int
    code: str

    @property
    def key(self) -> str:
        """The order."""
        return self.order_id


class PromoRedeemed(PromoAnswer, frozen=True):
    """The code takes so much off the lines: 0 <= discount <= their sum.  OrderCancelled gives it back."""

    discount_minor: int


class PromoRefused(PromoAnswer, frozen=True):
    """The code does not count.

    `not_valid_now`: it has been withdrawn.  `given_back`: the order was cancelled before its redemption arrived, or has
    made a later attempt.
    """

    reason: PromoRefusal
