"""What comes back from an order, by item, and what is refunded for it.

- A customer gives back what has arrived; staff announce too what was handed over and comes back undelivered.
- Nothing comes back twice: what was announced counts as gone.
- What was sent by a carrier comes back by one, and is refunded when it is here.  What was handed over in the shop is
  taken back by staff, who see it.
- A piece is worth its part of its line, after the line's part of the discount.  The delivery is not refunded.
- A refund is shared by the payments in proportion to what is left of each, exact to the minor unit.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from msgspec.structs import replace

from sagamart.contracts.orders import ReturnedLine, Status
from sagamart.messaging.decision import Refusal
from sagamart.shop.orders.messages import RETURNS_MAX, ReturnItems
from sagamart.shop.orders.money import apportion, payments_of
from sagamart.shop.orders.records import Order, Return


class NothingToReturn(Refusal, frozen=True):
    """What has not arrived cannot come back."""

    title: ClassVar[str] = "Nothing of this order can be returned now"

    order_id: str
    order_status: Status


class MoreThanBought(Refusal, frozen=True):
    """No more pieces come back than are still out."""

    title: ClassVar[str] = "That is more than was bought and not returned"

    line: int
    quantity: int
    quantity_max: int


class StaffTakeBack(Refusal, frozen=True):
    """What was not sent has to be brought back, and be seen by staff."""

    status: ClassVar[int] = 403
    title: ClassVar[str] = "Staff take this order's goods back"


class TooManyReturns(Refusal, frozen=True):
    """So many returns an order takes."""

    title: ClassVar[str] = "The order has had too many returns"

    returns_max: int = RETURNS_MAX


def return_items(order: Order, message: ReturnItems, _at: datetime) -> Order | Refusal:
    """Announce what comes back; staff take back what was not sent, at once."""
    wanted = pieces_by_line(message.returned)
    gone = pieces_by_line(line for one in order.returns for line in one.lines)
    for line, quantity in sorted(wanted.items()):
        out = order.lines[line].quantity - gone[line] if line < len(order.lines) else 0
        if quantity > out:
            return MoreThanBought(line, quantity, out)
    if not order.needs_shipment and not message.staff:
        return StaffTakeBack()
    if len(order.returns) >= RETURNS_MAX:
        return TooManyReturns()

    # From here the return is agreed.
    lines = tuple(ReturnedLine(line, quantity) for line, quantity in sorted(wanted.items()))
    agreed = replace(order, returns=(*order.returns, Return(message.return_id, lines)))
    if order.needs_shipment:
        return agreed
    return share_out(agreed.noting(agreed.returns[-1].arrival), message.return_id)


def take_undelivered(order: Order, message: ReturnItems, at: datetime) -> Order | Refusal:
    """Staff know that a parcel which was handed over did not reach its customer, and comes back."""
    if not (message.staff and order.shipment("handed_over")):
        return NothingToReturn(order.order_id, order.status)
    return return_items(order, message, at)


def refuse_to_return(order: Order, _message: ReturnItems, _at: datetime) -> NothingToReturn:
    """It has not arrived, or is back."""
    return NothingToReturn(order.order_id, order.status)


def share_out(order: Order, return_id: str) -> Order:
    """These pieces are here: fix how much of each payment is refunded."""
    here = next(one for one in order.returns if one.return_id == return_id)
    worth_minor = value_minor(order, here)
    given: Counter[int] = Counter()
    for earlier in order.returns:
        given.update(dict(earlier.shares))
    captured = [one for one in payments_of(order) if one.standing == "captured" and not one.payment.over]
    left = [one.payment.amount_minor - given[one.number] for one in captured]
    shares = apportion(worth_minor, left)
    found = tuple((one.number, share) for one, share in zip(captured, shares, strict=True) if share)
    returns = tuple(replace(one, shares=found) if one is here else one for one in order.returns)
    return replace(order, returns=returns)


def value_minor(order: Order, here: Return) -> int:
    """What these pieces cost.  All returns of a line together are worth exactly the line, less its discount."""
    amounts = [line.quantity * line.price_minor for line in order.lines]
    nets = [amount - off for amount, off in zip(amounts, apportion(order.plan.discount_minor, amounts), strict=True)]
    before = pieces_by_line(
        line for one in order.returns if one is not here and one.arrival in order.known for line in one.lines
    )
    return sum(
        _part(nets[line.line], before[line.line] + line.quantity, order.lines[line.line].quantity)
        - _part(nets[line.line], before[line.line], order.lines[line.line].quantity)
        for line in here.lines
    )


def _part(net_minor: int, pieces: int, of: int) -> int:
    return net_minor * pieces // of


def pieces_by_line(lines: Iterable[ReturnedLine]) -> Counter[int]:
    """Pieces by line."""
    counted: Counter[int] = Counter()
    for line in lines:
        counted[line.line] += line.quantity
    return counted
