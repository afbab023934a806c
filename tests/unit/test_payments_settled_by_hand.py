"""An operator settles a payment of which the bank does not tell, by what it told by other means."""

import pytest

from one_service import OneService
from payments_examples import (
    ABOUT,
    CAPTURE,
    HELD,
    HOLD,
    PAY,
    REDIRECTED,
    VOID,
    asked,
    facts,
    payment,
    refund,
)
from sagamart.contracts.payments import (
    CaptureRefused,
    PaymentCaptured,
    PaymentDeclined,
    PaymentVoided,
)
from sagamart.messaging.decision import Refusal
from sagamart.messaging.message import Body
from sagamart.shop.payments.decide import PaymentRules
from sagamart.shop.payments.messages import (
    BankRefundAsked,
    BankSilent,
    ResolvePayment,
)
from sagamart.shop.payments.records import Resolution
from sagamart.shop.payments.service import payments_service


@pytest.fixture
def payments() -> OneService:
    return OneService(payments_service(PaymentRules()))


def test_an_operator_settles_what_the_bank_does_not_tell_and_is_named(payments: OneService) -> None:
    payments.hears(HOLD, BankSilent(PAY), ResolvePayment(PAY, "captured", "usr_1", "a letter", "bank_1"))

    assert facts(payments) == [PaymentCaptured(*ABOUT)]
    (audited,) = payments.entries(Resolution)
    assert (audited.by, audited.why, audited.outcome) == ("usr_1", "a letter", "captured")
    again = payments.hears(ResolvePayment(PAY, "nothing_taken", "usr_1", "again")).reply
    assert isinstance(again, Refusal)
    assert again.code == "payment_settled"


def test_a_payment_is_settled_as_captured_only_with_what_a_refund_of_it_needs(payments: OneService) -> None:
    unnamed, named = (ResolvePayment(PAY, "captured", "usr_1", "a letter", one) for one in (None, "bank_7"))

    refused = payments.hears(HOLD, BankSilent(PAY), unnamed).reply
    assert isinstance(refused, Refusal)
    assert (refused.code, payment(payments).status) == ("bank_id_needed", "unknown")
    payments.hears(named, refund(200))

    assert asked(payments)[-1] == BankRefundAsked(PAY, "bank_7", "ref_1", 200, "RUB")


def test_the_id_that_the_bank_has_told_outweighs_an_operators(payments: OneService) -> None:
    payments.hears(HOLD, REDIRECTED, ResolvePayment(PAY, "captured", "usr_1", "a letter", "bank_7"), refund(200))

    assert asked(payments)[-1] == BankRefundAsked(PAY, "bank_1", "ref_1", 200, "RUB")


@pytest.mark.parametrize(
    ("before", "fact"),
    [
        ((HOLD,), PaymentDeclined(*ABOUT, "cancelled")),
        ((HOLD, HELD, CAPTURE), CaptureRefused(*ABOUT)),
        ((HOLD, HELD, VOID), PaymentVoided(*ABOUT, "asked")),
    ],
)
def test_an_operator_who_knows_that_nothing_is_taken_ends_what_was_asked(
    payments: OneService, before: tuple[Body, ...], fact: Body
) -> None:
    payments.hears(*before, ResolvePayment(PAY, "nothing_taken", "usr_1", "a letter"))

    assert facts(payments)[-1] == fact
