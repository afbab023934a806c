"""The way of an order, as one table: `LIFECYCLE`.  `stepping.py` looks a message up in it and does what stands there.

How to read a row: entering the status tells `tells`; as long as the order is in it, it asks for what stands in `asks`
and waits for one of `awaits`, at most for its deadline; `on` names for each message the rule and the statuses that may
follow.  `undo` is what makes others let go of goods and codes; a status without one cannot be undone any more.

- A row names what leads onward.  All else is `ordinary`: a fact is learned wherever it comes, none about money or goods
  is passed over; a wish is refused by name.  What a fact leads to follows from all that is known (`decide.status_of`).
- A message that cannot come in a status says why (`never`): one that comes nevertheless goes to the dead letters.
- Money that an order does not count on any more is asked back in every status (`LETTING_GO`).
- A status with `by` is entered from an unpaid one by way of another, in the same decision and at the same version.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from sagamart.contracts.orders import (
    AddressNotChanged,
    DeliveryReported,
    OrderCancelled,
    OrderChangeUndone,
    OrderCompleted,
    OrderMessage,
    OrderPaid,
    OrderPlaced,
    OrderReturned,
    OrderRevived,
    PaymentAwaited,
    PaymentStarted,
    PaymentWindowExpired,
    Status,
)
from sagamart.contracts.payments import PaymentCaptured, PaymentHeld, PaymentRedirected
from sagamart.contracts.promotions import PromoRedeemed, PromoRefused
from sagamart.contracts.shipping import ShipmentCannotBeChanged, ShipmentDelivered, ShipmentPending
from sagamart.contracts.stock import StockBooked, StockChecked, StockRefused
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld
from sagamart.messaging.message import Body
from sagamart.shop.orders.asking import (
    BOOKING,
    CAPTURES,
    CHECK,
    HOLDS,
    LETTING_GO,
    REDEMPTION,
    RETURNS,
    SHIPMENT,
    Asks,
)
from sagamart.shop.orders.changing import change, refuse_to_change
from sagamart.shop.orders.decide import Rule, accept, give_up, learn, redirect, stay
from sagamart.shop.orders.facts import FACTS, OF_GOODS, OF_MONEY, OF_PARCEL, OF_PROMO, OF_RETURNS
from sagamart.shop.orders.messages import (
    CancelOrder,
    ChangeOrder,
    MoveOrder,
    OrderDeadline,
    PayOrder,
    PlaceOrder,
    ReturnItems,
)
from sagamart.shop.orders.paying import end_payments, pay, refuse_to_pay, take_late_money
from sagamart.shop.orders.readdressing import readdress
from sagamart.shop.orders.returning import refuse_to_return, return_items, take_undelivered
from sagamart.shop.orders.stopping import cancel, deliver, move, refuse_to_cancel, stop

BOOKING_S = 60
AGAIN_S = 30
SHIPPING_AGAIN_S = 86_400

Deadline = int | Literal["window", "attempt"]
"""Seconds; or what is left of the payment window, or of the payments in flight, as the order's terms have it."""


class Transition(msgspec.Struct, frozen=True):
    """What a message does: the rule, and where the order may be then.

    `tells`: said besides.  `again`: what is asked is asked again.  `because`: why nothing changes, or cannot come.
    A transition without a rule is one that cannot come.
    """

    rule: Rule | None
    to: tuple[Status, ...] = ()
    tells: type[OrderMessage] | None = None
    again: bool = False
    because: str = ""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A status: a row of the table.

    `unpaid`: it takes a slot of its customer.  `settled`: who waits for the order's outcome is told.
    """

    on: Mapping[type[Body], Transition]
    tells: type[OrderMessage] | None = None
    asks: tuple[Asks, ...] = ()
    awaits: tuple[type[Body], ...] = ()
    deadline: Deadline | None = None
    undo: type[OrderMessage] | None = None
    unpaid: bool = False
    settled: bool = False
    final: bool = False
    by: Status | None = None

    @property
    def deadline_s(self) -> int | None:
        """The deadline, where it is the same for every order."""
        return self.deadline if isinstance(self.deadline, int) else None


Group = Mapping[type[Body], object] | type[Body]


def to(
    rule: Rule, *statuses: Status, tells: type[OrderMessage] | None = None, again: bool = False, because: str = ""
) -> Transition:
    """A cell of the table."""
    return Transition(rule, statuses, tells, again, because)


def never(because: str) -> Transition:
    """A cell for what cannot come."""
    return Transition(None, because=because)


def row(status: Status, *cells: tuple[Group, Transition]) -> Mapping[type[Body], Transition]:
    """The cells of a status by message; a later cell outweighs that of its group, and what is ordinary."""
    return {
        kind: cell
        for group, cell in (*ordinary(status), *cells)
        for kind in (group if isinstance(group, Mapping) else (group,))
    }


def ordinary(status: Status) -> Sequence[tuple[Group, Transition]]:
    """What holds in a status unless its row says otherwise."""
    return (
        (PlaceOrder, never("an order is placed once")),
        (FACTS, to(learn, status)),
        (PaymentRedirected, to(redirect, status)),
        (PayOrder, to(refuse_to_pay, status)),
        (ChangeOrder, to(refuse_to_change, status)),
        (CancelOrder, to(refuse_to_cancel, status)),
        (MoveOrder, to(move({}), status)),
        (ReturnItems, to(refuse_to_return, status)),
    )


STAFF_CANCEL = to(move({"cancelled": cancel}), "cancelled")
NOT_SHIPPED = (
    (OF_PARCEL, never("nothing is shipped before it is paid")),
    (OF_RETURNS, never("nothing comes back that was not sent")),
)
NOT_BACK = (OF_RETURNS, never("nothing comes back that was not sent"))
LOST = "the deadline lost its race"
AGAIN = "what must happen is asked for again"

# fmt: off
LIFECYCLE: Final[Mapping[Status, State]] = {
    # What has to be known before the goods are reserved: the total, or whether they are there at all.
    "new": State(unpaid=True, asks=(REDEMPTION, CHECK, LETTING_GO), awaits=(PromoRedeemed, StockChecked),
                 deadline=BOOKING_S, undo=OrderCancelled, on=row("new",
        (PlaceOrder,    to(accept, "new", "booking_pending", "booked", "pay_pending", "paid", "completed",
                           tells=OrderPlaced)),  # straight to the money where no line needs stock
        (OF_PROMO,      to(learn, "new", "checked", "booking_pending", "booked", "pay_pending", "capturing",
                           "paid", "completed", "cancelled")),
        (OF_GOODS,      to(learn, "new", "checked", "cancelled")),
        (PromoRefused,  to(learn, "new", "cancelled", tells=OrderChangeUndone)),  # where it was one
        (StockRefused,  to(learn, "new", "cancelled", tells=OrderChangeUndone)),
        *NOT_SHIPPED,
        (CancelOrder,   to(cancel, "cancelled")),
        (MoveOrder,     STAFF_CANCEL),
        (OrderDeadline, to(give_up("booking_timeout"), "cancelled")),
    )),
    "booking_pending": State(unpaid=True, asks=(BOOKING, LETTING_GO), awaits=(StockBooked,),
                             deadline=BOOKING_S, undo=OrderCancelled, on=row("booking_pending",
        (OF_GOODS,      to(learn, "booking_pending", "new", "booked", "pay_pending", "paid", "completed", "cancelled")),
        (StockRefused,  to(learn, "booking_pending", "new", "cancelled", tells=OrderChangeUndone)),
        (OF_MONEY,      to(learn, "booking_pending", "pay_pending", "cancelled")),  # early: it waits for the goods
        *NOT_SHIPPED,
        (CancelOrder,   to(cancel, "cancelled")),
        (MoveOrder,     STAFF_CANCEL),
        (OrderDeadline, to(give_up("booking_timeout"), "cancelled")),
    )),

    # The customer's turn: to pay, or to pay the rest, within the window.
    "checked": State(unpaid=True, settled=True, tells=PaymentAwaited, asks=(LETTING_GO,), awaits=(PayOrder,),
                     deadline="window", undo=OrderCancelled, on=row("checked",
        (OF_GOODS,      to(learn, "checked", "cancelled")),
        *NOT_SHIPPED,
        (PayOrder,      to(pay, "booking_pending", tells=PaymentStarted)),  # booked before money is held
        (ChangeOrder,   to(change, "new", "booking_pending", "booked", "paid", "completed", tells=PaymentAwaited)),
        (CancelOrder,   to(cancel, "cancelled")),
        (MoveOrder,     STAFF_CANCEL),
        (OrderDeadline, to(give_up("payment_timeout"), "cancelled", tells=PaymentWindowExpired)),
    )),
    "booked": State(unpaid=True, settled=True, tells=PaymentAwaited, asks=(LETTING_GO,), awaits=(PayOrder,),
                    deadline="window", undo=OrderCancelled, on=row("booked",
        (OF_GOODS,      to(learn, "booked", "cancelled")),
        (OF_MONEY,      to(learn, "booked", "partially_paid", "capturing", "paid", "completed")),  # late, but welcome
        *NOT_SHIPPED,
        (PayOrder,      to(pay, "pay_pending", tells=PaymentStarted)),
        (ChangeOrder,   to(change, "new", "booking_pending", "booked", "paid", "completed", tells=PaymentAwaited)),
        (CancelOrder,   to(cancel, "cancelled")),
        (MoveOrder,     STAFF_CANCEL),
        (OrderDeadline, to(give_up("payment_timeout"), "cancelled", tells=PaymentWindowExpired)),
    )),
    "partially_paid": State(unpaid=True, settled=True, tells=PaymentAwaited, asks=(LETTING_GO,), awaits=(PayOrder,),
                            deadline="window", undo=OrderCancelled, on=row("partially_paid",
        (OF_GOODS,      to(learn, "partially_paid", "cancelled")),
        (OF_MONEY,      to(learn, "partially_paid", "booked", "capturing", "paid", "completed")),
        *NOT_SHIPPED,
        (PayOrder,      to(pay, "pay_pending", tells=PaymentStarted)),
        (CancelOrder,   to(cancel, "cancelled")),
        (MoveOrder,     STAFF_CANCEL),
        (OrderDeadline, to(give_up("payment_timeout"), "cancelled", tells=PaymentWindowExpired)),
    )),

    # The money's turn.  A payment that ends leads back to the customer; what is paid at once ends with its payment.
    "pay_pending": State(unpaid=True, asks=(BOOKING, HOLDS, LETTING_GO), awaits=(StockBooked, MoneyHeld, PaymentHeld),
                         deadline="attempt", undo=OrderCancelled, on=row("pay_pending",
        (OF_GOODS,      to(learn, "pay_pending", "partially_paid", "capturing", "paid", "completed", "cancelled")),
        (OF_MONEY,      to(learn, "pay_pending", "booking_pending", "booked", "partially_paid", "capturing",
                           "paid", "completed", "cancelled")),
        *NOT_SHIPPED,
        (PayOrder,      to(pay, "pay_pending", tells=PaymentStarted)),  # a second part
        (CancelOrder,   to(cancel, "cancelled")),
        (MoveOrder,     STAFF_CANCEL),
        (OrderDeadline, to(end_payments, "pay_pending", "booked", "partially_paid", "cancelled")),
    )),
    # The point of no return is the last of the bank's captures: until then a bank may still end the order by refusing.
    # What follows, the wallet's captures and the stock's commit, cannot be refused, and is asked for until it is done.
    "capturing": State(unpaid=True, asks=(CAPTURES, LETTING_GO), awaits=(MoneyCaptured, PaymentCaptured),
                       deadline=AGAIN_S, undo=OrderCancelled, on=row("capturing",
        (OF_MONEY,      to(learn, "capturing", "paid", "completed", "cancelled")),
        *NOT_SHIPPED,
        (OrderDeadline, to(stay, "capturing", again=True, because=AGAIN)),
    )),

    # Paid.  Cancelling asks shipping first: what is handed over can only come back.
    "paid": State(settled=True, tells=OrderPaid, asks=(SHIPMENT, LETTING_GO), awaits=(ShipmentPending,),
                  deadline=AGAIN_S, undo=OrderCancelled, on=row("paid",
        (OF_PARCEL,     to(learn, "paid", "shipping_pending", "completed", "cancelled")),
        NOT_BACK,
        (CancelOrder,   to(stop, "paid")),
        (MoveOrder,     to(move({"cancelled": stop}), "paid")),  # delivered: not before shipping says that it can be
        (OrderDeadline, to(stay, "paid", again=True, because=AGAIN)),
    )),
    "shipping_pending": State(settled=True, by="paid", asks=(SHIPMENT, RETURNS, LETTING_GO),
                              awaits=(ShipmentDelivered,), deadline=SHIPPING_AGAIN_S, undo=OrderCancelled,
                              on=row("shipping_pending",
        (OF_PARCEL,     to(learn, "shipping_pending", "completed", "cancelled")),
        (ShipmentCannotBeChanged, to(learn, "shipping_pending", tells=AddressNotChanged)),
        (OF_RETURNS,    to(learn, "shipping_pending", "returned", tells=OrderReturned)),  # it was never delivered
        (ChangeOrder,   to(readdress, "shipping_pending")),
        (CancelOrder,   to(stop, "shipping_pending")),
        (MoveOrder,     to(move({"cancelled": stop, "completed": deliver}), "shipping_pending", "completed",
                           tells=DeliveryReported)),
        (ReturnItems,   to(take_undelivered, "shipping_pending")),
        (OrderDeadline, to(stay, "shipping_pending", again=True, because=AGAIN)),
    )),

    # The ends.  They are left in two ways: goods come back, or late money revives what was given up for want of it.
    "completed": State(final=True, settled=True, by="paid", tells=OrderCompleted, asks=(RETURNS, LETTING_GO),
                       on=row("completed",
        (ShipmentCannotBeChanged, to(learn, "completed", tells=AddressNotChanged)),  # that it arrived overtook it
        (OF_RETURNS,    to(learn, "completed", "returned", tells=OrderReturned)),
        (ReturnItems,   to(return_items, "completed", "returned", tells=OrderReturned)),
        (OrderDeadline, to(stay, "completed", because=LOST)),
    )),
    "returned": State(final=True, settled=True, asks=(RETURNS, LETTING_GO), on=row("returned",
        (ShipmentDelivered, to(learn, "returned", tells=OrderCompleted)),  # that it came back overtook that it arrived
        (OrderDeadline, to(stay, "returned", because=LOST)),
    )),
    "cancelled": State(final=True, settled=True, tells=OrderCancelled, asks=(LETTING_GO,), on=row("cancelled",
        (PaymentHeld,   to(take_late_money, "cancelled", "new", "pay_pending", "capturing", tells=OrderRevived)),
        (PaymentCaptured, to(take_late_money, "cancelled", "new", "pay_pending", "paid", "completed",
                             tells=OrderRevived)),
        NOT_BACK,
        (CancelOrder,   to(stay, "cancelled", because="it is what was wished")),
        (OrderDeadline, to(stay, "cancelled", because=LOST)),
    )),
}
# fmt: on
