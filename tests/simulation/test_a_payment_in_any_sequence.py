"""One payment, and a bank that is asked late, asked twice, and heard in any order: in the end both have the same money.

Every call is carried out in the end, and answered in the end.  Before that it may be carried out and its answer lost;
after that a copy of it may still be on its way.  Webhooks may be lost.
"""

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from one_service import AT, OneService
from payments_examples import CAPTURE, HOLD, PAY, TOP, TOP_UP, VOID, facts, payment, refund
from sagamart.contracts.payments import PaymentCaptured, PaymentHeld, TopUpPaid
from sagamart.messaging.decision import Arm
from sagamart.messaging.message import Body
from sagamart.shop.payments.decide import PaymentRules
from sagamart.shop.payments.messages import BankNotified, Reconcile, ResolvePayment
from sagamart.shop.payments.outside import BankSilentError
from sagamart.shop.payments.service import payments_service
from simulation.bank import OPEN
from simulation.patient_bank import PatientBank, Refusing

REFUSALS = {"bank rejects", "capture refused", "refund refused"}
PLACES = st.integers(0, 20)
ROUNDS_MAX = 30
"""By then everything has ended: the bank is asked about a customer on its page, closes it, and says so."""


class OnePayment(RuleBasedStateMachine):
    """Payments with one payment, the calls to the bank and the answers that are on their way, and the bank."""

    @initialize(top_up=st.booleans())
    def open(self, *, top_up: bool) -> None:
        self.payments = OneService(payments_service(PaymentRules(statement_settle_s=0)))
        self.dice = Refusing()
        self.bank = PatientBank(self.dice, lambda: AT)
        self.calls: list[Body] = []
        self.copies: list[Body] = []
        self.answers: list[Body] = []
        self.timers: dict[str, Body] = {}
        self.bank.tell = lambda key, version: self.answers.append(BankNotified(key, version))
        self.key = TOP if top_up else PAY
        self.hears(TOP_UP if top_up else HOLD)

    @precondition(lambda self: self.calls)
    @rule(place=PLACES, doubled=st.booleans(), refused=st.booleans())
    def a_call_is_answered(self, place: int, *, doubled: bool, refused: bool) -> None:
        call = self.calls.pop(place % len(self.calls))
        self.dice.refusing = REFUSALS if refused else set()
        try:
            self.answers.append(self.bank.does(call))
        except BankSilentError:
            self.calls.append(call)
        if doubled:
            self.copies.append(call)
        self.dice.refusing = set()

    @precondition(lambda self: self.calls)
    @rule(place=PLACES)
    def an_answer_is_lost(self, place: int) -> None:
        self.lands(self.calls[place % len(self.calls)])

    @precondition(lambda self: self.copies)
    @rule(place=PLACES)
    def a_copy_lands(self, place: int) -> None:
        self.lands(self.copies.pop(place % len(self.copies)))

    @precondition(lambda self: self.answers)
    @rule(place=PLACES, lost=st.booleans())
    def news_of_the_bank_are_heard(self, place: int, *, lost: bool) -> None:
        news = self.answers.pop(place % len(self.answers))
        if not (lost and isinstance(news, BankNotified)):
            self.hears(news)

    @precondition(lambda self: any(deal.status == "needs_confirmation" for deal in self.bank.deals.values()))
    @rule(confirms=st.sampled_from((True, True, False)), at_once=st.booleans())
    def the_customer_decides(self, *, confirms: bool, at_once: bool) -> None:
        self.dice.refusing = {"bank charges at once"} if at_once else set()
        for deal in self.bank.deals.values():
            (self.bank.confirm if confirms else self.bank.decline)(deal)
        self.dice.refusing = set()

    @precondition(lambda self: self.timers)
    @rule(place=PLACES)
    def a_timer_fires(self, place: int) -> None:
        self.hears(self.timers.pop(sorted(self.timers)[place % len(self.timers)]))

    @precondition(lambda self: self.key == PAY)
    @rule()
    def orders_lets_go_of_it(self) -> None:
        self.hears(VOID)

    @precondition(lambda self: any(isinstance(fact, PaymentHeld) for fact in facts(self.payments)))
    @rule()
    def orders_captures_it(self) -> None:
        self.hears(CAPTURE)

    @precondition(lambda self: any(isinstance(fact, PaymentCaptured) for fact in facts(self.payments)))
    @rule(number=st.integers(1, 2))
    def orders_gives_a_part_back(self, number: int) -> None:
        self.hears(refund(200, f"ref_{number}"))

    @rule()
    def an_operator_says_that_nothing_was_taken(self) -> None:
        self.hears(ResolvePayment(self.key, "nothing_taken", "ann", "a letter"))

    def hears(self, body: Body) -> None:
        """Payments hears this; what it asks of the bank is on its way then, and its timers run."""
        before = len(self.payments.sent)
        decision = self.payments.hears(body)
        sent = self.payments.sent[before:]
        self.calls += [one for one in sent if type(one).__name__ in self.payments.service.outside]
        for timer in decision.timers:
            if isinstance(timer, Arm):
                self.timers[timer.name] = timer.body
            else:
                self.timers.pop(timer.name, None)
        self.timers.pop("reconcile", None)

    def lands(self, call: Body) -> None:
        """The bank does it, and nobody hears of it."""
        try:
            self.bank.does(call)
        except BankSilentError:
            return

    def teardown(self) -> None:
        """In the end everything is answered, pages expire, holds lapse, the night comes: both have the same money."""
        if not hasattr(self, "payments"):
            return
        for _ in range(ROUNDS_MAX):
            self._let_all_happen()
        self.payments.now += timedelta(hours=12)
        self.hears(Reconcile())
        for _ in range(ROUNDS_MAX):
            self._let_all_happen()
        assert (self.calls, self.answers, self.timers) == ([], [], {})

        ours, deal = payment(self.payments, self.key), self.bank.deals.get(self.key)
        taken_minor = deal.captured_minor - deal.refunded_minor if deal is not None else 0
        assert deal is None or deal.status not in OPEN
        assert (ours.settled, ours.closing, ours.capturing) == (True, "", False)
        assert ours.captured_minor - ours.refunded_minor == taken_minor == ours.statement_minor
        told = any(isinstance(fact, TopUpPaid | PaymentCaptured) for fact in facts(self.payments))
        assert told == (ours.captured_minor > 0)

    def _let_all_happen(self) -> None:
        """What is on its way arrives; then timers fire; then the bank ends what is open there."""
        while self.copies:
            self.a_copy_lands(0)
        for _ in range(len(self.calls)):
            self.a_call_is_answered(0, doubled=False, refused=False)
        while self.answers:
            self.news_of_the_bank_are_heard(0, lost=False)
        for name in sorted(self.timers):
            self.hears(self.timers.pop(name))
        for deal in self.bank.deals.values():
            if deal.status == "needs_confirmation":
                self.bank.decline(deal)
            if deal.status == "held":
                self.bank._change(deal, "expired")


def test_shop_and_bank_have_the_same_money_in_the_end() -> None:
    run_state_machine_as_test(
        OnePayment,
        settings=settings(
            max_examples=500,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
