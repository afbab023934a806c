"""Well-known bugs of shops, each put in on purpose: money or goods go wrong, and some seed has to show it."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from sagamart.contracts.orders import OrderCancelled, OrderReturned
from sagamart.contracts.payments import PaymentCaptured, PaymentHeld
from sagamart.messaging.database import Changes
from sagamart.messaging.decision import Arm, Decision, Disarm
from sagamart.messaging.memory_writes import Writes
from sagamart.messaging.message import Message
from sagamart.shop.orders import stepping
from sagamart.shop.orders.decide import stay
from sagamart.shop.orders.lifecycle import LIFECYCLE, to
from sagamart.shop.orders.messages import OrderDeadline
from sagamart.shop.orders.money import live
from sagamart.shop.orders.records import Fact, Order, Return
from sagamart.shop.payments.messages import Answer
from sagamart.shop.promotions.decide import Uses, give_back
from sagamart.shop.promotions.records import Redemption
from sagamart.shop.shipping.decide import hand_over
from sagamart.shop.shipping.messages import HandOverShipment
from sagamart.shop.shipping.records import Shipment
from sagamart.shop.stock.decide import release as give_goods_back
from sagamart.shop.stock.decide import wanted_pieces
from sagamart.shop.stock.records import Reservation, Sku
from simulation.bank import SimulatedBank
from simulation.planting import seed_that_finds_it

RARE = 36
"""Where to begin for what needs many things to come together."""


def test_money_that_comes_after_the_order_was_given_up_and_is_dropped_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    cells: Any = LIFECYCLE["cancelled"].on
    for kind in (PaymentHeld, PaymentCaptured):
        monkeypatch.setitem(cells, kind, to(stay, "cancelled"))
    assert seed_that_finds_it(RARE) is not None


def test_a_bank_that_is_asked_again_under_another_key_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = SimulatedBank.open
    calls: dict[str, int] = {}

    async def under_a_new_key(self: SimulatedBank, key: str, *wanted: Any) -> Answer:
        calls[key] = calls.get(key, 0) + 1
        return await opened(self, key if calls[key] == 1 else f"{key}.{calls[key]}", *wanted)

    monkeypatch.setattr(SimulatedBank, "open", under_a_new_key)
    assert seed_that_finds_it() is not None


def test_money_taken_for_goods_that_are_not_reserved_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Order, "knows", lambda self, name: name == "booked" or Fact(self.attempt, name) in self.known)
    assert seed_that_finds_it() is not None


def test_parts_that_are_summed_without_those_in_flight_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_those_in_flight(order: Order) -> int:
        return order.total_minor - sum(one.payment.amount_minor for one in live(order) if one.standing != "in_flight")

    monkeypatch.setattr("sagamart.shop.orders.paying.due_minor", without_those_in_flight)
    assert seed_that_finds_it() is not None


def test_a_refund_of_the_price_before_the_discount_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def gross_minor(order: Order, here: Return) -> int:
        return sum(order.lines[line.line].price_minor * line.quantity for line in here.lines)

    monkeypatch.setattr("sagamart.shop.orders.returning.value_minor", gross_minor)
    assert seed_that_finds_it() is not None


def test_a_promo_code_given_back_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def again(message: OrderCancelled, redemptions: Mapping[str, Redemption], uses: Uses) -> Decision:
        decision = give_back(message, redemptions, uses)
        return replace(
            decision,
            save=[replace(row, used=max(0, row.used - 1)) if hasattr(row, "used") else row for row in decision.save],
        )

    monkeypatch.setattr("sagamart.shop.promotions.service.give_back", again)
    assert seed_that_finds_it() is not None


def test_goods_taken_back_in_the_wrong_quantity_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_each_line(message: OrderReturned) -> dict[str, int]:
        return wanted_pieces(message.lines[one.line] for one in message.returned)

    monkeypatch.setattr("sagamart.shop.stock.decide.returned_pieces", all_of_each_line)
    assert seed_that_finds_it() is not None


def test_a_reservation_released_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def again(
        message: Message[OrderCancelled], reservations: Mapping[str, Reservation], skus: Mapping[str, Sku]
    ) -> Decision:
        decision = give_goods_back(message, reservations, skus)
        return replace(
            decision,
            save=[_with_one_more(row) if isinstance(row, Sku) and row.reserved else row for row in decision.save],
        )

    monkeypatch.setattr("sagamart.shop.stock.service.release", again)
    assert seed_that_finds_it() is not None


def _with_one_more(sku: Sku) -> Sku:
    return replace(sku, reserved=sku.reserved - 1)


def test_a_parcel_that_leaves_after_it_was_stopped_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unstoppable(message: Message[HandOverShipment], shipment: Shipment | None) -> Decision:
        if shipment is not None and shipment.status == "stopped" and shipment.parcels:
            shipment = replace(shipment, status="pending")
        return hand_over(message, shipment)

    monkeypatch.setattr("sagamart.shop.shipping.service.hand_over", unstoppable)
    monkeypatch.setattr("simulation.staff.READY", frozenset({"pending", "stopped"}))
    assert seed_that_finds_it(RARE) is not None


def test_a_deadline_that_is_not_armed_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    timers = stepping._timers

    def once(before: Order, after: Order, message: Message[Any]) -> list[Arm | Disarm]:
        return [] if isinstance(message.body, OrderDeadline) else timers(before, after, message)

    monkeypatch.setattr(stepping, "_timers", once)
    assert seed_that_finds_it() is not None


def test_a_message_noted_as_handled_outside_its_transaction_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    take = Writes.take

    async def hasty(self: Writes, changes: Changes) -> None:
        self._store.inbox.update(changes.handled)
        changes.handled = []
        await take(self, changes)

    monkeypatch.setattr(Writes, "take", hasty)
    assert seed_that_finds_it() is not None
