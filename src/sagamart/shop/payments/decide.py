"""The rules of payments: what orders, customers, operators and timers ask.  What the bank tells is in `answers.py`.

- A payment is opened at the bank once, under its id, which is stored before the call.  The same call is repeated until
  the bank answers: it never charges twice, and no silence is taken for a no.
- A payment is let go by cancelling its key at the bank, and only the bank's word ends it.
- A repeated request gets the earlier answer again from the row.  A void that comes before its payment leaves a row that
  refuses it.
"""

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from sagamart.contracts.order_requests import (
    BankCaptureRequested,
    BankHoldRequested,
    BankRefundRequested,
    BankVoidRequested,
    PaymentRequest,
)
from sagamart.contracts.payments import CaptureRefused, PaymentVoided
from sagamart.contracts.wallet import TopUpCredited
from sagamart.messaging.decision import NOTHING, Arm, Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.messaging.operator_actions import OperatorAction
from sagamart.shop.payments.facts import about, facts, refund_fact
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
    SwitchBank,
)
from sagamart.shop.payments.records import Payment, PaymentStatus, Refund, Resolution
from sagamart.shop.payments.view import view

SILENCE_S = 20
"""When a call has had no answer for so long, the payment counts as `unknown`."""

LOOK_S = 30
LOOK_S_MAX = 300
"""How often the bank is asked about a customer on its page, should the webhook be lost: 30, 60 … 300 s."""


class PaymentRules(msgspec.Struct, frozen=True):
    """What a shop decides about payments.  `bank`: whether there is one.

    Its statement is read up to `statement_settle_s` ago: younger entries may not all be there; every day when it is
    `reconcile_hour` (UTC).
    """

    bank: bool = True
    currency: str = "RUB"
    top_up_minor_max: int = 100_000_000
    open_top_ups_max: int = 10
    statement_settle_s: float = 60.0
    reconcile_hour: int = 3


class NoSuchPayment(Refusal, frozen=True):
    """There is nothing of this id."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such payment"


class PaymentSettled(Refusal, frozen=True):
    """What the bank has settled, nobody settles otherwise."""

    title: ClassVar[str] = "The payment is settled already"

    payment_status: PaymentStatus


class BankIdNeeded(Refusal, frozen=True):
    """What was taken may have to go back, and the bank gives back what is named by its own id."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "A payment that was captured is settled with the bank's id of it"

    payment_id: str


# -- what orders asks --------------------------------------------------------------------------------------------------


def open_payment(message: Message[BankHoldRequested], earlier: Payment | None, rules: PaymentRules) -> Decision:
    """Have the customer pay on the bank's page; the money is held there."""
    if earlier is not None:
        return Decision(send=facts(earlier))  # opened, ended or voided before: say so again
    if not rules.bank:
        declined = msgspec.structs.replace(_made(message), status="declined", reason="bank_unavailable")
        return Decision(save=[declined], send=facts(declined))

    # From here it is opened, whatever becomes of it.
    payment = _made(message)
    return Decision(
        save=[payment],
        send=[BankOpenAsked(payment.payment_id, "hold", payment.amount_minor, payment.currency)],
        timers=[
            Arm(f"{payment.payment_id} silent", SILENCE_S, BankSilent(payment.payment_id)),
            Arm(f"{payment.payment_id} page", message.body.expires_s, PageExpired(payment.payment_id)),
        ],
    )


def capture(payment: Payment, body: BankCaptureRequested) -> Decision:
    """Take what the bank holds; it may refuse."""
    if payment.settled:
        end = (
            facts(payment)
            if payment.status in ("captured", "refunded", "failed")
            else [CaptureRefused(*about(payment))]
        )
        return Decision(send=end)
    if payment.capturing or payment.closing:
        return NOTHING  # the bank is being asked
    if payment.bank_id is None or payment.bank_status != "held":
        raise AssertionError(f"{body.payment_id} is to be captured, but the bank holds nothing: it is {payment.status}")
    return Decision(
        save=[changed(payment, capturing=True)],
        send=[BankCaptureAsked(payment.payment_id, payment.bank_id, payment.amount_minor, payment.currency)],
        timers=[Arm(f"{payment.payment_id} silent", SILENCE_S, BankSilent(payment.payment_id))],
    )


def void(message: Message[BankVoidRequested], payment: Payment | None) -> Decision:
    """Let go of it wherever it stands; only the bank's word ends it."""
    if payment is None:
        return Decision(save=[_made(message, "voided")], send=[PaymentVoided(*_about(message.body), "asked")])
    if payment.status in ("captured", "refunded"):
        return Decision(send=facts(payment))
    if payment.settled:
        return Decision(send=[PaymentVoided(*about(payment), "asked")])
    asked = [] if payment.closing else [BankCancelAsked(payment.payment_id)]
    return Decision(save=[changed(payment, closing="void")] if payment.closing != "void" else [], send=asked)


def refund(payment: Payment, body: BankRefundRequested) -> Decision:
    """Give back a part of what was captured, to the card that paid."""
    earlier = next((one for one in payment.refunds if one.refund_id == body.refund_id), None)
    if earlier is not None:
        return Decision(send=refund_fact(payment, earlier))
    if payment.bank_id is None or payment.status not in ("captured", "refunded"):
        raise AssertionError(f"{body.payment_id} is to be refunded, but was not captured: it is {payment.status}")
    asked = Refund(body.refund_id, body.amount_minor, "asked")
    return Decision(
        save=[changed(payment, refunds=(*payment.refunds, asked))],
        send=[
            BankRefundAsked(payment.payment_id, payment.bank_id, asked.refund_id, asked.amount_minor, payment.currency)
        ],
    )


# -- what customers and operators ask ----------------------------------------------------------------------------------


def credited(payment: Payment, _body: TopUpCredited) -> Decision:
    """The wallet has the money."""
    return NOTHING if payment.credited else Decision(save=[changed(payment, credited=True)])


def resolve(message: Message[ResolvePayment], payment: Payment | None) -> Decision:
    """An operator settles what the bank does not tell.  Should the bank tell otherwise later, its word holds.

    So does the id that the bank has told by itself.
    """
    body = message.body
    if payment is None:
        return Decision(reply=NoSuchPayment())
    if payment.settled:
        return Decision(reply=PaymentSettled(payment.status))
    bank_id = payment.bank_id or body.bank_id
    if body.outcome == "captured" and bank_id is None:
        return Decision(reply=BankIdNeeded(payment.payment_id))

    # From here it is settled.
    if body.outcome == "captured":
        settled = msgspec.structs.replace(captured(payment, message.at, payment.amount_minor), bank_id=bank_id)
    elif payment.closing == "void":
        settled = changed(payment, status="voided", closing="", capturing=False)
    elif payment.capturing:
        settled = changed(payment, status="failed", closing="", capturing=False)
    else:
        settled = changed(payment, status="declined", closing="", reason="cancelled")
    audited = Resolution(message.id, payment.payment_id, body.outcome, body.by, body.why, message.at)
    act = OperatorAction(message.id, "resolve_payment", payment.payment_id, body.by, body.why, message.at)
    return Decision(save=[settled, audited, act], send=facts(settled), reply=Reply(200, view(settled)))


def switched(message: Message[SwitchBank]) -> Decision:
    """An operator switches the simulated bank's misbehaviour: that is kept, and touches no payment."""
    body = message.body
    states = (body.before or None, body.after or None)
    return Decision(
        save=[OperatorAction(message.id, "switch_bank", body.key, body.by, body.why, message.at, *states)],
        reply=Reply(204),
    )


def notified(payment: Payment | None, body: BankNotified) -> Decision:
    """A webhook says that something happened: the bank is asked what.  A webhook by itself changes nothing."""
    news = payment is not None and body.bank_version > payment.bank_version
    return Decision(send=[BankStateAsked(body.payment_id)] if news else [], reply=Reply(204))


# -- timers ------------------------------------------------------------------------------------------------------------


def silent(payment: Payment) -> Decision:
    """The bank should have answered by now; it is asked on."""
    waits = payment.status == "new" or (payment.status == "held" and payment.capturing)
    return Decision(save=[changed(payment, status="unknown")]) if waits else NOTHING


def page_expired(payment: Payment) -> Decision:
    """The customer did not pay in time: nothing may be held any more."""
    if payment.status not in ("new", "pending", "unknown") or payment.closing or payment.capturing:
        return NOTHING
    return Decision(save=[changed(payment, closing="expired")], send=[BankCancelAsked(payment.payment_id)])


def look_again(payment: Payment, body: LookAgain) -> Decision:
    """Ask the bank, in case its webhook was lost; again later while nothing is settled."""
    if payment.settled:
        return NOTHING
    after_s = min(LOOK_S_MAX, LOOK_S * 2**body.round)
    return Decision(
        send=[BankStateAsked(payment.payment_id)],
        timers=[Arm("look", after_s, LookAgain(payment.payment_id, min(body.round + 1, 10)))],
    )


# -- rows --------------------------------------------------------------------------------------------------------------


def changed(payment: Payment, **changes: Any) -> Payment:
    """The next version of a payment."""
    return msgspec.structs.replace(payment, version=payment.version + 1, **changes)


def captured(payment: Payment, at: datetime, amount_minor: int) -> Payment:
    """A payment whose money is taken."""
    return changed(
        payment,
        status="captured",
        captured_minor=amount_minor,
        moved_at=at,
        closing="",
        capturing=False,
        redirect_url=None,
    )


def _made(message: Message[BankHoldRequested] | Message[BankVoidRequested], status: PaymentStatus = "new") -> Payment:
    body = message.body
    return Payment(
        1,
        body.payment_id,
        "order",
        body.order_id,
        body.payment,
        body.version,
        body.customer_id,
        body.amount_minor,
        body.currency,
        status,
        message.at,
    )


def _about(body: PaymentRequest) -> tuple[str, int, int, str]:
    return body.order_id, body.payment, body.amount_minor, body.currency
