"""What an order knows of its money: how each payment stands, and what is still due.  Pure sums over its row.

- A payment counts (is live) until it is over, or has ended by itself: refused, declined, voided.
- An amount is divided by the largest remainder, exact to the minor unit.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from sagamart.shop.orders.records import Fact, FactName, Order, Payment

Standing = Literal["in_flight", "held", "captured", "ended"]
ENDS: tuple[FactName, ...] = ("money_refused", "declined", "voided", "capture_refused")


class Counted(NamedTuple):
    """A payment with its number and how it stands."""

    number: int
    payment: Payment
    standing: Standing


def standing(order: Order, number: int) -> Standing:
    """How a payment stands by what is known; money that was taken outweighs all else."""
    known = order.known
    if Fact(number, "captured") in known:
        return "captured"
    if any(Fact(number, end) in known for end in ENDS):
        return "ended"
    return "held" if Fact(number, "held") in known else "in_flight"


def payments_of(order: Order) -> Iterator[Counted]:
    """All payments, oldest first."""
    return (Counted(number, payment, standing(order, number)) for number, payment in enumerate(order.payments, start=1))


def live(order: Order) -> list[Counted]:
    """The payments that count."""
    return [one for one in payments_of(order) if not one.payment.over and one.standing != "ended"]


def due_minor(order: Order) -> int:
    """What is neither paid nor being paid."""
    return order.total_minor - sum(one.payment.amount_minor for one in live(order))


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
