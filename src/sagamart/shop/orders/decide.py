"""The rules of a placed order: what each kind of message does to it.  `lifecycle.py` says which rule applies when.

- A rule takes the order and what was said, and gives the order as it is then, or a refusal.  The same order means that
  there is nothing new.
- An order's status follows from what it knows, never from the order in which it learned it.
- A fact about money or goods is noted whenever it comes, in whatever status, once.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, assert_never

from msgspec.structs import replace

from sagamart.contracts.orders import CancelReason, Status
from sagamart.contracts.stock import StockBooked, StockRefused
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld, MoneyRefused
from sagamart.messaging.decision import Refusal
from sagamart.messaging.message import Body
from sagamart.shop.orders.messages import CancelOrder, OrderDeadline, PlaceOrder
from sagamart.shop.orders.records import Fact, FactName, Order, Shortfall

Rule = Callable[[Order, Any], Order | Refusal]
OrderFact = StockBooked | StockRefused | MoneyHeld | MoneyRefused | MoneyCaptured

FACTS: Mapping[type[OrderFact], FactName] = {
    StockBooked: "booked",
    StockRefused: "stock_refused",
    MoneyHeld: "held",
    MoneyRefused: "money_refused",
    MoneyCaptured: "captured",
}
"""What an order learns from which message."""


class TooLateToCancel(Refusal, frozen=True):
    """The money is being taken or has been: the order can only go on."""

    title: ClassVar[str] = "The order is past the point where it can be cancelled"

    order_id: str
    order_status: Status


def status_of(order: Order) -> Status:
    """Where an order stands by what it knows.

    Money that was taken settles it: it is asked for only when goods and money are sure.  The way there needs both, in
    whichever order they are told, so that nothing is ever captured for goods that are not reserved.
    """
    booked = order.knows("booked") or not order.needs_stock
    held = order.knows("held")
    if order.knows("captured"):
        return "paid"
    if order.reason is not None:
        return "cancelled"
    if booked and held:
        return "capturing"
    if booked or held:
        return "pay_pending"
    return "booking_pending"


def accept(order: Order, _message: PlaceOrder) -> Order:
    """The order begins its way."""
    return order


def learn(order: Order, message: OrderFact) -> Order:
    """Note what has become true.  A refusal of the present attempt is a reason to end.

    Raises AssertionError for an answer to an attempt that was never made, or about another amount of money.
    """
    number = _number(message)
    fact = Fact(number, FACTS[type(message)])
    if fact in order.known:
        return order
    _check(order, message)
    learned = replace(order, known=tuple(sorted((*order.known, fact))))
    if order.reason is not None or number != order.attempt:
        return learned
    match message:
        case StockRefused():
            return replace(learned, reason="stock_refused", shortfall=Shortfall(short=message.short))
        case MoneyRefused():
            lacked = Shortfall(money=message.reason, available_minor=message.available_minor)
            return replace(learned, reason="money_refused", shortfall=lacked)
        case StockBooked() | MoneyHeld() | MoneyCaptured():
            return learned
        case _:
            assert_never(message)


def cancel(order: Order, message: CancelOrder) -> Order:
    """Whoever owns the order, or works here, may call it off."""
    owner = message.caller_id == order.customer_id
    return replace(order, reason="cancelled_by_customer" if owner else "cancelled_by_staff")


def give_up(reason: CancelReason) -> Rule:
    """A rule: what was awaited did not come in time."""

    def rule(order: Order, _message: OrderDeadline) -> Order:
        return replace(order, reason=reason)

    return rule


def refuse_to_cancel(order: Order, _message: CancelOrder) -> TooLateToCancel:
    """What cannot be undone is not cancelled."""
    return TooLateToCancel(order.order_id, order.status)


def stay(order: Order, _message: Body) -> Order:
    """Nothing changes; the table says why."""
    return order


def _number(message: OrderFact) -> int:
    return message.attempt if isinstance(message, StockBooked | StockRefused) else message.payment


def _check(order: Order, message: OrderFact) -> None:
    if _number(message) > order.attempt:
        raise AssertionError(f"{order.order_id}: an answer to attempt {_number(message)} of {order.attempt}")
    if isinstance(message, MoneyHeld | MoneyCaptured):
        amount, due = (message.amount_minor, message.currency), (order.total_minor, order.currency)
        if amount != due:
            raise AssertionError(f"{order.order_id}: {type(message).__name__} of {amount}, but {due} is due")
