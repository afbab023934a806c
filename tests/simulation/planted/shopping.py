"""Well-known bugs of shops, each put in on purpose: money or goods go wrong."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sagamart.contracts import order_numbers
from sagamart.contracts.order_requests import ReleaseRequested
from sagamart.contracts.orders import OrderCancelled, OrderReturned
from sagamart.contracts.payments import PaymentCaptured, PaymentHeld
from sagamart.contracts.stock import StockRefused
from sagamart.messaging.decision import Arm, Decision, Disarm
from sagamart.messaging.message import Message
from sagamart.shop.orders import stepping
from sagamart.shop.orders.decide import stay
from sagamart.shop.orders.lifecycle import LIFECYCLE, to
from sagamart.shop.orders.messages import OrderDeadline
from sagamart.shop.orders.money import live
from sagamart.shop.orders.records import Fact, Order, Return
from sagamart.shop.payments import answers, signatures
from sagamart.shop.payments.http_bank import HttpBank
from sagamart.shop.payments.messages import Answer, BankView
from sagamart.shop.payments.outside import BankSilentError
from sagamart.shop.payments.records import Payment
from sagamart.shop.promotions.decide import Uses, give_back
from sagamart.shop.promotions.records import Redemption
from sagamart.shop.shipping.decide import hand_over
from sagamart.shop.shipping.messages import HandOverShipment
from sagamart.shop.shipping.records import Shipment
from sagamart.shop.stock.decide import release as give_goods_back
from sagamart.shop.stock.decide import wanted_pieces
from sagamart.shop.stock.records import Reservation, Sku
from sagamart.shop.wallet.decide import deposit
from sagamart.shop.wallet.decide import release as let_money_go
from sagamart.shop.wallet.messages import DepositMoney
from sagamart.shop.wallet.records import Hold, Wallet
from simulation.bank import SimulatedBank

Plant = pytest.MonkeyPatch


def late_money_dropped(plant: Plant) -> None:
    """Money that comes after the order was given up means nothing to it."""
    cells: Any = LIFECYCLE["cancelled"].on
    for kind in (PaymentHeld, PaymentCaptured):
        plant.setitem(cells, kind, to(stay, "cancelled"))


def refusal_swallowed(plant: Plant) -> None:
    """An order goes on waiting for goods that were refused."""
    cells: Any = LIFECYCLE["booking_pending"].on
    plant.setitem(cells, StockRefused, to(stay, "booking_pending", because="something will turn up"))


def bank_asked_under_another_key(plant: Plant) -> None:
    """The bank is asked again under a new key, and charges again."""
    opened = SimulatedBank.open
    calls: dict[str, int] = {}

    async def under_a_new_key(self: SimulatedBank, key: str, *wanted: Any) -> Answer:
        calls[key] = calls.get(key, 0) + 1
        return await opened(self, key if calls[key] == 1 else f"{key}.{calls[key]}", *wanted)

    plant.setattr(SimulatedBank, "open", under_a_new_key)


def not_found_taken_for_failed(plant: Plant) -> None:
    """A payment that the bank does not find yet is taken for declined, though it may still be on its way."""
    state = HttpBank.state

    async def declined(self: HttpBank, key: str) -> Answer:
        try:
            return await state(self, key)
        except BankSilentError:
            return Answer("refused", "not_found", BankView("unknown", "declined", 1, 0, 0))

    plant.setattr(HttpBank, "state", declined)


def charge_believed_while_it_is_let_go(plant: Plant) -> None:
    """A charge is credited as soon as it is seen taken, though the bank is being asked to give it back."""
    taken = answers._captured

    def believed(payment: Payment, *told: Any) -> Decision:
        return taken(replace(payment, closing=""), *told)

    plant.setattr(answers, "_captured", believed)


def capture_before_the_booking(plant: Plant) -> None:
    """Money is taken for goods that nobody has reserved."""
    plant.setattr(Order, "knows", lambda self, name: name == "booked" or Fact(self.attempt, name) in self.known)


def parts_without_those_in_flight(plant: Plant) -> None:
    """What is still due is reckoned without the payments that have not been answered."""

    def without_those_in_flight(order: Order) -> int:
        return order.total_minor - sum(one.payment.amount_minor for one in live(order) if one.standing != "in_flight")

    plant.setattr("sagamart.shop.orders.paying.due_minor", without_those_in_flight)


def refund_of_the_gross(plant: Plant) -> None:
    """A refund is of the price before the discount."""

    def gross_minor(order: Order, here: Return) -> int:
        return sum(order.lines[line.line].price_minor * line.quantity for line in here.lines)

    plant.setattr("sagamart.shop.orders.returning.value_minor", gross_minor)


def promo_given_back_twice(plant: Plant) -> None:
    """A cancelled order frees its promo code twice."""

    def again(message: OrderCancelled, redemptions: Mapping[str, Redemption], uses: Uses) -> Decision:
        decision = give_back(message, redemptions, uses)
        return replace(
            decision,
            save=[replace(row, used=max(0, row.used - 1)) if hasattr(row, "used") else row for row in decision.save],
        )

    plant.setattr("sagamart.shop.promotions.service.give_back", again)


def goods_back_in_the_wrong_quantity(plant: Plant) -> None:
    """All pieces of a line are put back, though one was returned."""

    def all_of_each_line(message: OrderReturned) -> dict[str, int]:
        return wanted_pieces(message.lines[one.line] for one in message.returned)

    plant.setattr("sagamart.shop.stock.decide.returned_pieces", all_of_each_line)


def release_without_a_tombstone(plant: Plant) -> None:
    """A release whose booking has not come yet is forgotten."""

    def forgetful(
        message: Message[OrderCancelled], reservations: Mapping[str, Reservation], skus: Mapping[str, Sku]
    ) -> Decision:
        decision = give_goods_back(message, reservations, skus)
        kept = [row for row in decision.save if not (isinstance(row, Reservation) and row.version == 1)]
        return replace(decision, save=kept)

    plant.setattr("sagamart.shop.stock.service.release", forgetful)


def reservation_released_twice(plant: Plant) -> None:
    """A cancelled order gives one piece more back than it had reserved."""

    def again(
        message: Message[OrderCancelled], reservations: Mapping[str, Reservation], skus: Mapping[str, Sku]
    ) -> Decision:
        decision = give_goods_back(message, reservations, skus)
        return replace(
            decision,
            save=[_with_one_more(row) if isinstance(row, Sku) and row.reserved else row for row in decision.save],
        )

    plant.setattr("sagamart.shop.stock.service.release", again)


def _with_one_more(sku: Sku) -> Sku:
    return replace(sku, reserved=sku.reserved - 1)


def hold_released_twice(plant: Plant) -> None:
    """Money that was let go is let go again when that is asked again."""

    def again(message: ReleaseRequested, earlier: Hold | None, wallet: Wallet) -> Decision:
        if earlier is not None and earlier.status == "released" and wallet.version:
            return Decision(save=[wallet.change(held_minor=-earlier.amount_minor)])
        return let_money_go(message, earlier, wallet)

    plant.setattr("sagamart.shop.wallet.service.release", again)


def currency_ignored(plant: Plant) -> None:
    """A euro is put into a wallet as a rouble."""

    def at_par(message: Message[DepositMoney], wallet: Wallet) -> Decision:
        return deposit(replace(message, body=replace(message.body, currency=wallet.currency)), wallet)

    plant.setattr("sagamart.shop.wallet.service.deposit", at_par)


def signature_over_other_bytes(plant: Plant) -> None:
    """A webhook is parsed and written again before its signature is looked at."""
    is_signed = signatures.is_signed

    def of_what_it_means(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        return is_signed(keys, headers, msgspec.json.encode(msgspec.json.decode(body)), now)

    plant.setattr(signatures, "is_signed", of_what_it_means)


def webhook_of_any_age(plant: Plant) -> None:
    """A webhook that was caught once counts for ever."""
    plant.setattr(signatures, "TOLERANCE_S", 10**9)


def order_number_reused(plant: Plant) -> None:
    """The number of an order is that of its millisecond."""
    number_of = order_numbers.number_of
    plant.setattr(order_numbers, "number_of", lambda order_id: number_of(order_id[:-10] + "0" * 10))


def parcel_leaves_after_it_was_stopped(plant: Plant) -> None:
    """Staff hand over a parcel whose order was cancelled."""

    def unstoppable(message: Message[HandOverShipment], shipment: Shipment | None) -> Decision:
        if shipment is not None and shipment.status == "stopped" and shipment.parcels:
            shipment = replace(shipment, status="pending")
        return hand_over(message, shipment)

    plant.setattr("sagamart.shop.shipping.service.hand_over", unstoppable)
    plant.setattr("simulation.staff.READY", frozenset({"pending", "stopped"}))


def deadline_not_armed_again(plant: Plant) -> None:
    """An order whose deadline has passed waits without another."""
    timers = stepping._timers

    def once(before: Order, after: Order, message: Message[Any]) -> list[Arm | Disarm]:
        return [] if isinstance(message.body, OrderDeadline) else timers(before, after, message)

    plant.setattr(stepping, "_timers", once)
