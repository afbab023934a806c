"""What an order knows of its money: how each payment stands, and what is still due.  Pure sums over its row.

- A payment counts (is live) until it is over, or has ended by itself: refused, declined, voided.
- An amount is divided by the largest remainder, exact to the minor unit.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from sagamart.shop.orders.records import FactName, Order, Payment

Standing = Literal["in_flight", "held", "ended", "captured"]

STANDINGS: tuple[Standing, ...] = ("in_flight", "held", "ended", "captured")
"""Each outweighs the ones before it: money that was taken outweighs all else."""

_RANKS: Mapping[FactName, int] = {
    "held": 1,
    "money_refused": 2,
    "declined": 2,
    "voided": 2,
    "capture_refused": 2,
    "captured": 3,
}


class Counted(msgspec.Struct, frozen=True):
    """A payment with its number and how it stands."""

    number: int
    payment: Payment
    standing: Standing


def payments_of(order: Order) -> list[Counted]:
    """All payments, oldest first, by what is known of each."""
    if not order.payments:
        return []
    ranks: dict[int | str, int] = {}
    for about, name in order.known:
        rank = _RANKS.get(name)
        if rank is not None and rank > ranks.get(about, 0):
            ranks[about] = rank
    return [
        Counted(number, payment, STANDINGS[ranks.get(number, 0)])
        for number, payment in enumerate(order.payments, start=1)
    ]


def live(order: Order) -> list[Counted]:
    """The payments that count."""
    return counting(payments_of(order))


def counting(payments: Sequence[Counted]) -> list[Counted]:
    """Those of these payments that count."""
    return [one for one in payments if one.standing != "ended" and not one.payment.over]


def due_minor(order: Order) -> int:
    """What is neither paid nor being paid."""
    return order.total_minor - sum_of(live(order))


def sum_of(payments: Sequence[Counted]) -> int:
    """What these payments come to."""
    return sum([one.payment.amount_minor for one in payments])


def apportion(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount in proportion to the weights, by the largest remainder: the shares sum to it exactly.

    No share exceeds its weight where the amount does not exceed their sum.  Of equal remainders the first wins.
    """
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    shares = [amount_minor * weight // whole for weight in weights]
    rests = sorted(range(len(weights)), key=lambda place: -(amount_minor * weights[place] % whole))
    for place in rests[: amount_minor - sum(shares)]:
        shares[place] += 1
    return shares
