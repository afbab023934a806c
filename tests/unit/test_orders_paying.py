"""Paying later: the window, payments that fail, part payments, the bank's captures, money that comes too late."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest

from one_service import AT
from orders_examples import BOOKED, CANCEL, TOTAL_MINOR, deadline, names, order_in, shop
from orders_ways import (
    HOLDS_UNTIL,
    LATER,
    PAID_BY_BANK,
    capture_refused,
    captured,
    declined,
    held,
    order,
    pays,
    refund_refused,
    refunded,
    shop_with,
    voided,
)
from sagamart.contracts.order_requests import BankHoldRequested, RefundRequested
from sagamart.contracts.orders import PaymentAwaited
from sagamart.contracts.payments import PaymentRedirected
from sagamart.contracts.stock import ReservationRevoked, StockChecked, StockRefused
from sagamart.contracts.wallet import MoneyRefunded, MoneyRefused
from sagamart.messaging.decision import NOTHING, Arm, Reply
from sagamart.messaging.message import Body
from sagamart.shop.orders.messages import PAYMENTS_MAX, OrderDeadline
from sagamart.shop.orders.paying import MoreThanDue, NotPayableNow, TooManyPayments
from sagamart.shop.orders.records import Terms
from sagamart.shop.orders.view import OrderView

REVIVING = Terms(later=True, revive=True)
AT_PAYMENT = Terms(later=True, at_payment=True)
HALF = TOTAL_MINOR // 2


def ends_of(start: Sequence[Body], *told: Body, terms: Terms = LATER) -> set[tuple[object, ...]]:
    """How an order ends that hears these in every order, one of them twice."""
    found: set[tuple[object, ...]] = set()
    for twice in told:
        for heard in permutations((*told, twice)):
            service = shop_with(order(terms), *start)
            service.hears(*heard)
            seen = order_in(service)
            found.add((seen.status, seen.known, seen.reason, seen.version))
    return found


def test_an_order_to_be_paid_later_says_that_it_was_placed_and_when_it_waits() -> None:
    service = shop()

    assert names(service.hears(order()).send) == ["OrderPlaced", "BookingRequested"]
    decision = service.hears(BOOKED)

    (awaited,) = decision.send
    assert isinstance(awaited, PaymentAwaited)
    assert (awaited.due_minor, awaited.window_s) == (TOTAL_MINOR, 300)
    assert decision.timers == [Arm("deadline", 300, OrderDeadline("ord_1", "booked"))]


def test_nobody_pays_and_the_window_closes() -> None:
    service = shop_with(order(), BOOKED)

    decision = service.hears(deadline("booked"))

    assert names(decision.send) == ["PaymentWindowExpired", "OrderCancelled"]
    assert order_in(service).reason == "payment_timeout"


def test_a_payment_that_starts_disarms_the_window_and_arms_its_own_deadline() -> None:
    service = shop_with(order(), BOOKED)
    service.now += timedelta(seconds=200)

    decision = service.hears(pays("bank"))

    assert names(decision.send) == ["PaymentStarted", "BankHoldRequested"]
    assert isinstance(decision.send[1], BankHoldRequested)
    assert decision.send[1].expires_s == 900
    assert decision.timers == [Arm("deadline", 900, OrderDeadline("ord_1", "pay_pending"))]


def test_the_customer_is_shown_the_banks_page() -> None:
    service = shop_with(order(), BOOKED, pays("bank"))
    page = PaymentRedirected("ord_1", 1, TOTAL_MINOR, "RUB", "https://bank.example/1")

    service.hears(page)

    assert order_in(service).payments[0].redirect_url == "https://bank.example/1"
    assert service.hears(page) == NOTHING


@pytest.mark.parametrize(
    "failure", [declined(1), voided(1), MoneyRefused("ord_1", 1, TOTAL_MINOR, "RUB", "insufficient_funds", 5)]
)
def test_a_payment_that_fails_leads_back_into_the_window(failure: Body) -> None:
    service = shop_with(order(), BOOKED, pays("wallet" if isinstance(failure, MoneyRefused) else "bank"))
    service.now += timedelta(seconds=400)

    decision = service.hears(failure)

    assert names(decision.send) == ["PaymentAwaited"]
    assert decision.timers == [Arm("deadline", 300, OrderDeadline("ord_1", "booked"))]
    assert names(service.hears(pays("wallet")).send) == ["PaymentStarted", "HoldRequested"]


def test_a_payment_that_takes_too_long_is_over_and_the_bank_lets_it_go() -> None:
    service = shop_with(order(), BOOKED, pays("bank"))
    service.now += timedelta(seconds=900)

    decision = service.hears(deadline("pay_pending"))

    assert names(decision.send) == ["PaymentAwaited", "BankVoidRequested"]
    assert order_in(service).status == "booked"
    assert decision.timers == [Arm("deadline", 300, OrderDeadline("ord_1", "booked"))]


def test_the_younger_of_two_payments_keeps_its_own_time() -> None:
    service = shop_with(order(), BOOKED, pays("bank", HALF))
    service.now += timedelta(seconds=500)
    service.hears(pays("bank"))
    service.now += timedelta(seconds=400)

    decision = service.hears(deadline("pay_pending"))

    assert names(decision.send) == ["BankVoidRequested"]
    assert order_in(service).status == "pay_pending"
    assert decision.timers == [Arm("deadline", 500, OrderDeadline("ord_1", "pay_pending"))]


def test_a_firing_before_any_payment_is_due_ends_none() -> None:
    service = shop_with(order(), BOOKED, pays("bank"))
    service.now += timedelta(seconds=100)

    decision = service.hears(deadline("pay_pending"))

    assert decision.save == ()
    assert decision.timers == [Arm("deadline", 800, OrderDeadline("ord_1", "pay_pending"))]


def test_the_second_payment_sees_what_the_first_one_holds() -> None:
    service = shop_with(order(), BOOKED, pays("wallet", 60_000), held(1, 60_000, "wallet"))
    assert order_in(service).status == "partially_paid"

    assert service.hears(pays("bank", 100_001)).reply == MoreThanDue(100_001, 100_000, "RUB")
    decision = service.hears(pays("bank"))

    assert isinstance(decision.reply, Reply)
    assert isinstance(decision.reply.body, OrderView)
    assert [one.amount_minor for one in decision.reply.body.payments] == [60_000, 100_000]
    assert (decision.reply.status, decision.reply.body.due_minor) == (202, 0)


def test_the_second_payment_sees_what_the_first_one_has_in_flight() -> None:
    service = shop_with(order(), BOOKED, pays("bank", 60_000))

    assert service.hears(pays("wallet", 100_001)).reply == MoreThanDue(100_001, 100_000, "RUB")
    assert service.hears(pays("wallet")).reply is not None
    assert service.hears(pays("wallet")).reply == MoreThanDue(0, 0, "RUB")


def test_the_window_that_closes_on_a_part_releases_it() -> None:
    service = shop_with(order(), BOOKED, pays("wallet", HALF), held(1, HALF, "wallet"))

    decision = service.hears(deadline("partially_paid"))

    assert names(decision.send) == ["PaymentWindowExpired", "OrderCancelled", "ReleaseRequested"]


def test_an_order_gives_up_before_a_hold_of_it_lapses() -> None:
    service = shop_with(order(), BOOKED, pays("bank", HALF))
    service.now = HOLDS_UNTIL - timedelta(seconds=100)

    decision = service.hears(held(1, HALF))

    assert decision.timers == [Arm("deadline", 40, OrderDeadline("ord_1", "partially_paid"))]


def test_an_order_takes_so_many_payments() -> None:
    service = shop_with(order(), BOOKED)
    for number in range(1, PAYMENTS_MAX + 1):
        service.hears(pays("bank"), declined(number))

    assert service.hears(pays("bank")).reply == TooManyPayments()


@pytest.mark.parametrize("heard", [(), (BOOKED, pays("bank"), held(1)), PAID_BY_BANK, (CANCEL,)])
def test_an_order_that_awaits_no_payment_takes_none(heard: Sequence[Body]) -> None:
    service = shop_with(order(), *heard)

    assert service.hears(pays("wallet")).reply == NotPayableNow("ord_1", order_in(service).status)


def test_the_banks_captures_run_one_by_one_and_the_wallets_after_the_last_of_them() -> None:
    service = shop_with(
        order(), BOOKED, pays("wallet", 60_000), pays("bank", 50_000), pays("bank", 50_000), held(1, 60_000, "wallet")
    )

    service.hears(held(3, 50_000))
    assert names(service.sent) == []
    service.hears(held(2, 50_000))
    assert names(service.sent) == ["BankCaptureRequested"]
    service.hears(captured(2, 50_000))
    assert names(service.sent) == ["BankCaptureRequested"] * 2
    service.hears(captured(3, 50_000))
    assert names(service.sent)[2:] == ["CaptureRequested"]
    service.hears(captured(1, 60_000, "wallet"))
    assert names(service.sent)[3:] == ["OrderPaid", "OrderCompleted"]


def test_a_capture_that_the_bank_refuses_lets_everything_go_and_refunds_what_was_taken() -> None:
    service = shop_with(
        order(), BOOKED, pays("bank", 60_000), pays("bank", 50_000), pays("wallet"), held(1, 60_000), held(2, 50_000)
    )
    service.hears(held(3, 50_000, "wallet"), captured(1, 60_000))
    service.sent.clear()

    service.hears(capture_refused(2, 50_000))

    assert order_in(service).reason == "capture_refused"
    assert names(service.sent) == ["OrderCancelled", "BankRefundRequested", "ReleaseRequested"]


def test_a_hold_that_lapses_while_it_is_to_be_captured_ends_the_order() -> None:
    service = shop_with(order(), BOOKED, pays("bank"), held(1))

    service.hears(voided(1, lapsed=True))

    assert (order_in(service).status, order_in(service).reason) == ("cancelled", "capture_refused")


def test_a_hold_that_lapses_before_leads_back_into_the_window() -> None:
    service = shop_with(order(), BOOKED, pays("bank", HALF), held(1, HALF))

    service.hears(voided(1, HALF, lapsed=True))

    assert order_in(service).status == "booked"


def test_a_refund_that_the_bank_refuses_goes_to_the_wallet() -> None:
    service = shop_with(order(), BOOKED, pays("bank", HALF), captured(1, HALF), CANCEL)

    decision = service.hears(refund_refused(1, HALF, "pay_1-1/all"))

    (refund,) = decision.send
    assert isinstance(refund, RefundRequested)
    assert (refund.amount_minor, refund.refund_id) == (HALF, "pay_1-1/all/wallet")
    assert service.hears(MoneyRefunded("ord_1", 1, HALF, "RUB", "pay_1-1/all/wallet")).send == []


@pytest.mark.parametrize("late", [held(1), captured(1)])
def test_late_money_is_let_go_or_refunded(late: Body) -> None:
    service = shop_with(order(), BOOKED, pays("bank"), CANCEL)

    decision = service.hears(late)

    # The payment had been let go when the order was cancelled; what the bank took all the same is refunded.
    assert names(decision.send) == ([] if late == held(1) else ["BankRefundRequested"])
    assert order_in(service).status == "cancelled"


def test_money_of_a_payment_given_up_counts_while_it_is_still_due() -> None:
    service = shop_with(order(REVIVING), BOOKED, pays("bank"))
    service.now += timedelta(seconds=900)
    service.hears(deadline("pay_pending"))

    decision = service.hears(held(1))

    assert names(decision.send) == ["BankCaptureRequested"]


def test_money_of_a_payment_given_up_is_let_go_where_another_has_taken_its_place() -> None:
    service = shop_with(order(REVIVING), BOOKED, pays("bank"))
    service.now += timedelta(seconds=900)
    service.hears(deadline("pay_pending"), pays("wallet"))

    decision = service.hears(held(1))

    assert names(decision.send) == ["BankVoidRequested"]
    assert order_in(service).status == "pay_pending"


def test_goods_are_only_checked_when_an_order_is_placed_and_booked_when_its_payment_starts() -> None:
    service = shop()

    assert names(service.hears(order(AT_PAYMENT)).send) == ["OrderPlaced", "StockCheckRequested"]
    assert order_in(service).status == "new"
    assert names(service.hears(StockChecked("ord_1", 1)).send) == ["PaymentAwaited"]
    assert order_in(service).status == "checked"
    assert names(service.hears(pays("bank")).send) == ["PaymentStarted", "BookingRequested"]
    assert names(service.hears(BOOKED).send) == ["BankHoldRequested"]


def test_goods_that_are_gone_when_the_payment_starts_end_the_order_before_any_money_is_held() -> None:
    service = shop_with(order(AT_PAYMENT), StockChecked("ord_1", 1), pays("bank"))

    assert names(service.hears(StockRefused("ord_1", 1)).send) == ["OrderCancelled"]


@pytest.mark.parametrize(("heard", "ends"), [((), True), ((pays("bank"),), True), ((pays("bank"), held(1)), False)])
def test_missing_pieces_end_an_order_that_is_not_paid_and_no_other(heard: Sequence[Body], ends: bool) -> None:  # noqa: FBT001  a column of the table above
    service = shop_with(order(), BOOKED, *heard)

    service.hears(ReservationRevoked("ord_1", 1))

    assert order_in(service).reason == ("stock_revoked" if ends else None)


@pytest.mark.parametrize("told", [(held(1), captured(1)), (held(1), capture_refused(1)), (declined(1),)])
def test_any_order_of_what_a_bank_tells_ends_the_same(told: Sequence[Body]) -> None:
    assert len(ends_of((BOOKED, pays("bank")), *told)) == 1


def test_any_order_of_two_parts_ends_the_same() -> None:
    start = (BOOKED, pays("bank", HALF), pays("wallet"))
    told = (held(1, HALF), held(2, HALF, "wallet"), captured(1, HALF), captured(2, HALF, "wallet"))

    (end,) = ends_of(start, *told)

    assert (end[0], end[3]) == ("completed", 8)


def test_any_order_of_late_money_and_its_refund_ends_the_same() -> None:
    start = (BOOKED, pays("bank"), CANCEL)

    assert len(ends_of(start, held(1), captured(1), refunded(1, TOTAL_MINOR, "pay_1-1/all"))) == 1


def test_an_order_remembers_when_its_payments_began() -> None:
    assert order_in(shop_with(order(), BOOKED, pays("bank"))).payments[0].started_at == AT
