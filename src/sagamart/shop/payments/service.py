"""Payments as a service: which records each message needs, and which rule decides."""

from collections.abc import Sequence
from typing import Any

from sagamart.contracts.order_requests import (
    BankCaptureRequested,
    BankHoldRequested,
    BankRefundRequested,
    BankVoidRequested,
)
from sagamart.contracts.payments import PaymentRefunded, PaymentVoided, RefundRefused, TopUpPaid
from sagamart.contracts.wallet import TopUpCredited
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Body, Message
from sagamart.messaging.operator_actions import OPERATOR_ACTIONS
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.payments import answers, decide, reconciling, topping_up
from sagamart.shop.payments.decide import PaymentRules
from sagamart.shop.payments.facts import FACTS
from sagamart.shop.payments.messages import (
    BANK,
    BankCancelAsked,
    BankCaptureAsked,
    BankNotified,
    BankOpenAsked,
    BankRefundAsked,
    BankSilent,
    BankStateAsked,
    BankTold,
    BeginReconciling,
    LookAgain,
    OpenTopUp,
    PageExpired,
    Reconcile,
    ReconciliationDue,
    ResolvePayment,
    StatementAsked,
    StatementRead,
    SwitchBank,
)
from sagamart.shop.payments.records import (
    DIFFERENCES,
    OPEN_TOP_UPS,
    PAYMENTS,
    RECONCILIATIONS,
    RESOLUTIONS,
    OpenTopUps,
    Payment,
    Reconciliation,
)

INTENTS: Sequence[type[Body]] = (
    BankOpenAsked,
    BankCaptureAsked,
    BankCancelAsked,
    BankRefundAsked,
    BankStateAsked,
    StatementAsked,
)


def payments_service(rules: PaymentRules) -> Service:
    """The payments of a shop with these rules."""
    return Service(
        "payments",
        tables=(RECONCILIATIONS, OPEN_TOP_UPS, PAYMENTS, RESOLUTIONS, DIFFERENCES, OPERATOR_ACTIONS),
        migrations="sagamart.shop.payments.migrations",
        outside=INTENTS,
        handlers=(*_asked_by_orders(rules), *_asked_by_people(rules), *_timers(), *_bank(), *_reconciling(rules)),
    )


def _asked_by_orders(rules: PaymentRules) -> Sequence[Handler[Any]]:
    return (
        Handler(
            takes=BankHoldRequested,
            needs=_payment,
            decide=lambda m, have: decide.open_payment(m, _found(m, have), rules),
            emits=(BankOpenAsked, BankSilent, PageExpired, *FACTS),
        ),
        Handler(
            takes=BankCaptureRequested,
            needs=_payment,
            decide=lambda m, have: decide.capture(_present(m, have), m.body),
            emits=(BankCaptureAsked, BankSilent, *FACTS),
        ),
        Handler(
            takes=BankVoidRequested,
            needs=_payment,
            decide=lambda m, have: decide.void(m, _found(m, have)),
            emits=(BankCancelAsked, *FACTS),
        ),
        Handler(
            takes=BankRefundRequested,
            needs=_payment,
            decide=lambda m, have: decide.refund(_present(m, have), m.body),
            emits=(BankRefundAsked, PaymentRefunded, RefundRefused),
        ),
    )


def _asked_by_people(rules: PaymentRules) -> Sequence[Handler[Any]]:
    return (
        Handler(
            takes=OpenTopUp,
            needs=lambda m: (*_payment(m), need(OpenTopUps, m.body.customer_id)),
            then=_earlier,
            decide=lambda m, have: topping_up.open_top_up(m, *_opened(m, have), rules),
            emits=(BankOpenAsked, BankSilent),
        ),
        Handler(
            takes=TopUpCredited,
            needs=lambda m: (need(Payment, m.body.top_up_id),),
            decide=lambda m, have: decide.credited(have.get(Payment, m.body.top_up_id), m.body),
        ),
        Handler(
            takes=ResolvePayment,
            needs=_payment,
            decide=lambda m, have: decide.resolve(m, _found(m, have)),
            emits=FACTS,
        ),
        Handler(takes=SwitchBank, needs=lambda _: (), decide=lambda m, _: decide.switched(m)),
    )


def _timers() -> Sequence[Handler[Any]]:
    return (
        Handler(takes=BankSilent, needs=_payment, decide=lambda m, have: decide.silent(_present(m, have))),
        Handler(
            takes=PageExpired,
            needs=_payment,
            decide=lambda m, have: decide.page_expired(_present(m, have)),
            emits=(BankCancelAsked,),
        ),
        Handler(
            takes=LookAgain,
            needs=_payment,
            decide=lambda m, have: decide.look_again(_present(m, have), m.body),
            emits=(BankStateAsked, LookAgain),
        ),
    )


def _bank() -> Sequence[Handler[Any]]:
    return (
        Handler(
            takes=BankTold,
            needs=_payment,
            decide=lambda m, have: answers.told(m, _present(m, have)),
            emits=(BankCancelAsked, BankStateAsked, LookAgain, PaymentRefunded, RefundRefused, PaymentVoided, *FACTS),
        ),
        Handler(
            takes=BankNotified,
            needs=_payment,
            decide=lambda m, have: decide.notified(_found(m, have), m.body),
            emits=(BankStateAsked,),
        ),
    )


def _reconciling(rules: PaymentRules) -> Sequence[Handler[Any]]:
    def begin(message: Message[Any], have: Records) -> Decision:
        return reconciling.begin(message, have.find(Reconciliation, BANK), rules)

    return (
        Handler(
            takes=BeginReconciling,
            needs=_run,
            decide=lambda m, have: reconciling.at_start(m, have.find(Reconciliation, BANK), rules),
            emits=(ReconciliationDue,),
        ),
        Handler(takes=ReconciliationDue, needs=_run, decide=begin, emits=(StatementAsked, ReconciliationDue)),
        Handler(takes=Reconcile, needs=_run, decide=begin, emits=(StatementAsked, ReconciliationDue)),
        Handler(
            takes=StatementRead,
            needs=lambda m: (
                need(Reconciliation, BANK),
                need(Payment, *sorted({entry.payment_key for entry in m.body.entries})),
            ),
            decide=lambda m, have: reconciling.compare(m, have.get(Reconciliation, BANK), have.all(Payment)),
            emits=(BankStateAsked, TopUpPaid, StatementAsked),
        ),
    )


def _earlier(message: Message[OpenTopUp], have: Records) -> Sequence[Need]:
    earlier = have.find(OpenTopUps, message.body.customer_id)
    return (need(Payment, *earlier.payment_ids),) if earlier is not None else ()


def _opened(message: Message[OpenTopUp], have: Records) -> tuple[OpenTopUps | None, Sequence[Payment]]:
    earlier = have.find(OpenTopUps, message.body.customer_id)
    return earlier, () if earlier is None else [have.get(Payment, one) for one in earlier.payment_ids]


def _payment(message: Message[Any]) -> Sequence[Need]:
    return (need(Payment, message.body.payment_id),)


def _found(message: Message[Any], have: Records) -> Payment | None:
    return have.find(Payment, message.body.payment_id)


def _present(message: Message[Any], have: Records) -> Payment:
    return have.get(Payment, message.body.payment_id)


def _run(_message: Message[Any]) -> Sequence[Need]:
    return (need(Reconciliation, BANK),)


PAYMENTS_SERVICE = payments_service(PaymentRules())
"""The payments of a shop that sets nothing."""
