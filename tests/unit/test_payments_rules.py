"""Payments: what follows from what orders asks and what the bank tells, in any order."""

from typing import Any

import pytest

from one_service import OneService
from payments_examples import (
    ABOUT,
    CANCELLED,
    CAPTURE,
    CAPTURED,
    GIVEN_BACK,
    HELD,
    HOLD,
    PAGE,
    PAY,
    REDIRECTED,
    TAKEN,
    TOP,
    TOP_UP,
    UNTIL,
    VOID,
    asked,
    facts,
    payment,
    refund,
    seen,
    told,
)
from sagamart.contracts.payments import (
    CaptureRefused,
    PaymentCaptured,
    PaymentDeclined,
    PaymentHeld,
    PaymentRedirected,
    PaymentRefunded,
    PaymentVoided,
    RefundRefused,
    TopUpPaid,
)
from sagamart.contracts.wallet import TopUpCredited
from sagamart.messaging.decision import Refusal
from sagamart.messaging.message import Body
from sagamart.shop.payments.decide import PaymentRules
from sagamart.shop.payments.messages import (
    BankCancelAsked,
    BankCaptureAsked,
    BankNotified,
    BankOpenAsked,
    BankRefundAsked,
    BankSilent,
    BankStateAsked,
    LookAgain,
    PageExpired,
    ResolvePayment,
)
from sagamart.shop.payments.service import payments_service


@pytest.fixture
def payments() -> OneService:
    return OneService(payments_service(PaymentRules()))


def test_a_payment_goes_over_the_banks_page_to_a_hold_and_is_captured(payments: OneService) -> None:
    payments.hears(HOLD, REDIRECTED, HELD, CAPTURE, CAPTURED)

    assert facts(payments) == [
        PaymentRedirected(*ABOUT, PAGE),
        PaymentHeld(*ABOUT, UNTIL),
        PaymentCaptured(*ABOUT),
    ]
    assert asked(payments) == [BankOpenAsked(PAY, "hold", 500, "RUB"), BankCaptureAsked(PAY, "bank_1", 500, "RUB")]
    assert (payment(payments).status, payment(payments).order_version) == ("captured", 3)


def test_a_repeated_request_gets_the_earlier_answer_and_asks_the_bank_nothing_new(payments: OneService) -> None:
    payments.hears(HOLD, REDIRECTED, HELD)
    before = len(asked(payments))

    assert payments.hears(HOLD).send == [PaymentHeld(*ABOUT, UNTIL)]
    payments.hears(CAPTURE, CAPTURE)
    payments.hears(CAPTURED)
    assert payments.hears(CAPTURE).send == [PaymentCaptured(*ABOUT)]
    assert len(asked(payments)) == before + 1


def test_of_two_things_that_the_bank_told_the_newer_counts(payments: OneService) -> None:
    payments.hears(HOLD, HELD, REDIRECTED, HELD)

    assert payment(payments).status == "held"
    assert facts(payments) == [PaymentHeld(*ABOUT, UNTIL)]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ("card_declined", "declined"),
        ("insufficient_funds", "insufficient_funds"),
        ("customer_refused", "not_confirmed"),
        ("confirmation_expired", "expired"),
        ("something_new", "declined"),
    ],
)
def test_a_declined_card_is_told_with_its_reason(payments: OneService, refusal: str, reason: Any) -> None:
    payments.hears(HOLD, told("open", "refused", seen("declined", refusal=refusal)))

    assert facts(payments) == [PaymentDeclined(*ABOUT, reason)]


def test_a_silent_bank_leaves_the_payment_unknown_and_nothing_is_told(payments: OneService) -> None:
    payments.hears(HOLD, BankSilent(PAY))

    assert payment(payments).status == "unknown"
    assert payments.sent == [BankOpenAsked(PAY, "hold", 500, "RUB")]
    payments.hears(HELD)
    assert facts(payments) == [PaymentHeld(*ABOUT, UNTIL)]


def test_a_capture_that_the_bank_does_not_answer_is_unknown_until_it_does(payments: OneService) -> None:
    payments.hears(HOLD, HELD, CAPTURE, BankSilent(PAY))
    assert payment(payments).status == "unknown"

    payments.hears(CAPTURED)
    assert facts(payments)[-1] == PaymentCaptured(*ABOUT)


def test_an_answer_that_came_in_time_is_not_made_unknown_by_the_timer(payments: OneService) -> None:
    payments.hears(HOLD, REDIRECTED, BankSilent(PAY))

    assert payment(payments).status == "pending"


def test_a_void_of_what_was_never_opened_refuses_it_when_it_comes(payments: OneService) -> None:
    payments.hears(VOID, HOLD)

    assert payments.sent == [PaymentVoided(*ABOUT, "asked")] * 2


@pytest.mark.parametrize("known", [(), (REDIRECTED,), (REDIRECTED, HELD), (BankSilent(PAY),)])
def test_a_void_is_told_once_the_bank_confirms_that_nothing_is_held(
    payments: OneService, known: tuple[Body, ...]
) -> None:
    payments.hears(HOLD, *known, VOID)
    assert asked(payments)[-1] == BankCancelAsked(PAY)
    before = len(facts(payments))

    payments.hears(told("state", "succeeded", seen("held", 3)))
    assert len(facts(payments)) == before
    payments.hears(CANCELLED)
    assert facts(payments)[before:] == [PaymentVoided(*ABOUT, "asked")]
    assert payment(payments).status == "voided"


def test_a_void_that_comes_too_late_says_that_the_money_is_taken(payments: OneService) -> None:
    payments.hears(HOLD, HELD, CAPTURE, VOID, told("cancel", "already_done"))
    assert facts(payments)[-1] == PaymentCaptured(*ABOUT)

    payments.hears(CAPTURED)
    assert facts(payments).count(PaymentCaptured(*ABOUT)) == 1


def test_money_that_was_taken_before_the_bank_was_heard_is_told_once_it_can_be_refunded(payments: OneService) -> None:
    assert payments.hears(HOLD, VOID, told("cancel", "already_done")).send == [BankStateAsked(PAY)]
    (refunding,) = payments.hears(told("state", "succeeded", seen("captured")), refund(500)).send
    assert isinstance(refunding, BankRefundAsked)


def test_a_capture_that_a_void_overtook_ends_as_voided(payments: OneService) -> None:
    payments.hears(HOLD, HELD, CAPTURE, VOID, told("capture", "refused", seen("held", 2)), CANCELLED)

    assert facts(payments) == [PaymentHeld(*ABOUT, UNTIL), PaymentVoided(*ABOUT, "asked")]


@pytest.mark.parametrize("ended", ["refused", "rejected"])
def test_a_refused_capture_is_told_once_nothing_is_held_any_more(payments: OneService, ended: str) -> None:
    payments.hears(HOLD, HELD, CAPTURE, told("capture", ended, seen("held", 2) if ended == "refused" else None))
    assert (facts(payments)[-1], asked(payments)[-1]) == (PaymentHeld(*ABOUT, UNTIL), BankCancelAsked(PAY))

    payments.hears(CANCELLED)
    assert facts(payments)[-1] == CaptureRefused(*ABOUT)
    assert payment(payments).status == "failed"


def test_a_hold_that_lapsed_refuses_its_capture(payments: OneService) -> None:
    payments.hears(HOLD, HELD, CAPTURE, told("capture", "refused", seen("expired", 3)))

    assert facts(payments)[-1] == CaptureRefused(*ABOUT)


def test_a_hold_that_lapses_unasked_is_told(payments: OneService) -> None:
    payments.hears(HOLD, HELD, told("state", "succeeded", seen("expired", 3)))

    assert facts(payments)[-1] == PaymentVoided(*ABOUT, "lapsed")
    assert payments.hears(HOLD).send == [PaymentVoided(*ABOUT, "lapsed")]


def test_the_bank_is_asked_when_a_hold_should_have_lapsed(payments: OneService) -> None:
    payments.hears(HOLD)

    (look,) = payments.hears(HELD).timers
    assert (look.name, getattr(look, "after_s", None)) == ("look", 24 * 3600 + 5)
    assert payments.hears(LookAgain(PAY, 0)).send == [BankStateAsked(PAY)]


def test_a_customer_on_the_page_is_asked_about_ever_less_often_and_not_at_all_in_the_end(payments: OneService) -> None:
    payments.hears(HOLD, REDIRECTED)

    pauses = [getattr(payments.hears(LookAgain(PAY, round_)).timers[0], "after_s", None) for round_ in range(6)]
    assert pauses == [30, 60, 120, 240, 300, 300]
    payments.hears(CANCELLED, told("state", "succeeded", seen("declined", 9)))
    assert payments.hears(LookAgain(PAY, 3)).send == ()


def test_a_page_that_nobody_used_is_closed_and_the_payment_declined(payments: OneService) -> None:
    payments.hears(HOLD, REDIRECTED, PageExpired(PAY))
    assert asked(payments)[-1] == BankCancelAsked(PAY)

    payments.hears(told("state", "succeeded", seen("held", 2)), CANCELLED)
    assert facts(payments)[1:] == [PaymentDeclined(*ABOUT, "expired")]


def test_what_the_bank_will_not_look_at_is_cancelled_before_it_is_given_up(payments: OneService) -> None:
    payments.hears(HOLD, told("open", "rejected"))
    assert (facts(payments), asked(payments)[-1]) == ([], BankCancelAsked(PAY))

    payments.hears(told("cancel", "cancelled"))
    assert facts(payments) == [PaymentDeclined(*ABOUT, "bank_unavailable")]


def test_money_that_is_held_late_is_let_go(payments: OneService) -> None:
    payments.hears(HOLD, ResolvePayment(PAY, "nothing_taken", "usr_1", "they said so"), HELD)

    assert asked(payments)[-1] == BankCancelAsked(PAY)
    assert payments.hears(told("cancel", "cancelled", seen("cancelled", 3))).send == ()
    assert payment(payments).status == "declined"


def test_money_that_is_taken_late_is_told(payments: OneService) -> None:
    payments.hears(HOLD, VOID, CANCELLED, told("state", "succeeded", seen("captured", 9)))

    assert facts(payments) == [PaymentVoided(*ABOUT, "asked"), PaymentCaptured(*ABOUT)]


def test_a_charge_that_is_taken_while_it_is_let_go_is_not_credited_since_letting_go_gives_it_back(
    payments: OneService,
) -> None:
    payments.hears(TOP_UP, told("open", "rejected", payment_id=TOP), TAKEN)
    assert facts(payments) == []

    payments.hears(GIVEN_BACK)
    assert (facts(payments), payment(payments, TOP).status) == ([], "declined")


def test_news_of_a_charge_from_before_it_was_given_back_teach_nothing(payments: OneService) -> None:
    payments.hears(TOP_UP, told("open", "rejected", payment_id=TOP), GIVEN_BACK, TAKEN)

    assert (facts(payments), payment(payments, TOP).status) == ([], "declined")


def test_news_of_a_charge_that_an_operator_has_ended_meanwhile_teach_nothing_either(payments: OneService) -> None:
    ended = ResolvePayment(TOP, "nothing_taken", "usr_1", "a letter")
    payments.hears(TOP_UP, told("open", "rejected", payment_id=TOP), ended, GIVEN_BACK, TAKEN)

    assert (facts(payments), payment(payments, TOP).status) == ([], "declined")


def test_refunds_are_told_one_by_one_and_the_payment_is_refunded_by_the_last(payments: OneService) -> None:
    payments.hears(HOLD, HELD, CAPTURE, CAPTURED, refund(200), refund(300, "ref_2"))
    assert asked(payments)[-1] == BankRefundAsked(PAY, "bank_1", "ref_2", 300, "RUB")

    payments.hears(told("refund", "succeeded", refund_id="ref_2"))
    assert (payment(payments).status, payment(payments).refunded_minor) == ("captured", 300)
    payments.hears(told("refund", "succeeded", refund_id="ref_1"))
    assert payment(payments).status == "refunded"
    assert facts(payments)[-2:] == [
        PaymentRefunded("ord_1", 1, 300, "RUB", "ref_2", "cus_1"),
        PaymentRefunded("ord_1", 1, 200, "RUB", "ref_1", "cus_1"),
    ]


@pytest.mark.parametrize("ended", ["refused", "rejected"])
def test_a_refund_that_the_bank_does_not_take_is_told_and_told_again(payments: OneService, ended: str) -> None:
    payments.hears(HOLD, HELD, CAPTURE, CAPTURED, refund(200), told("refund", ended, refund_id="ref_1"))

    refused = RefundRefused("ord_1", 1, 200, "RUB", "ref_1")
    assert facts(payments)[-1] == refused
    assert payments.hears(refund(200)).send == [refused]
    assert payment(payments).status == "captured"


def test_a_top_up_is_charged_and_told_to_the_wallet(payments: OneService) -> None:
    reply = payments.hears(TOP_UP).reply
    assert getattr(reply, "status", None) == 202
    assert getattr(reply, "location", None) == f"/v1/payments/{TOP}"

    payments.hears(
        told("open", "pending", seen("needs_confirmation"), payment_id=TOP),
        told("state", "succeeded", seen("captured", 2), payment_id=TOP),
    )
    assert payments.sent == [BankOpenAsked(TOP, "charge", 500, "RUB"), TopUpPaid(TOP, "cus_1", 500, "RUB")]
    payments.hears(TopUpCredited(TOP, "cus_1", 500, "RUB"))
    assert payment(payments, TOP).credited


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (PaymentRules(bank=False), "bank_not_configured"),
        (PaymentRules(currency="EUR"), "currency_mismatch"),
        (PaymentRules(top_up_minor_max=499), "top_up_too_large"),
    ],
)
def test_a_top_up_against_the_rules_is_refused(rules: PaymentRules, code: str) -> None:
    payments = OneService(payments_service(rules))

    reply = payments.hears(TOP_UP).reply
    assert isinstance(reply, Refusal)
    assert reply.code == code
    assert payments.sent == []


def test_a_shop_without_a_bank_declines() -> None:
    payments = OneService(payments_service(PaymentRules(bank=False)))
    payments.hears(HOLD)

    assert payments.sent == [PaymentDeclined(*ABOUT, "bank_unavailable")]


def test_a_webhook_only_has_the_bank_asked(payments: OneService) -> None:
    payments.hears(HOLD, REDIRECTED)

    assert payments.hears(BankNotified(PAY, 2)).send == [BankStateAsked(PAY)]
    assert payments.hears(BankNotified(PAY, 1)).send == []
    assert payments.hears(BankNotified("pay_unknown", 1)).send == []
    assert payment(payments).status == "pending"


def test_whatever_order_things_are_known_in_money_is_told_once(payments: OneService) -> None:
    state, again = (told(asked, "succeeded", seen("captured", 3)) for asked in ("state", "open"))
    payments.hears(HOLD, state, HELD, again, told("cancel", "already_done"), VOID)

    assert facts(payments) == [PaymentCaptured(*ABOUT)] * 2  # once as a fact, once as the answer to the void
    assert payment(payments).status == "captured"
