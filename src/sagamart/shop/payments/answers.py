"""What follows from what the bank tells.

- Of two things that the bank told about a payment the one with the higher version is newer; older ones teach nothing.
- A payment that is being let go (`closing`) ends by the bank's answer to that, by nothing else: what is taken meanwhile
  may be given back by it, as a charge is, or stay taken, as what was held.
- Late money is never lost: what is found taken is told as captured, what is found held is let go.
"""

from typing import assert_never

import msgspec

from sagamart.contracts.payments import DeclineReason
from sagamart.messaging.decision import NOTHING, Arm, Decision, Disarm
from sagamart.messaging.message import Message
from sagamart.shop.payments.decide import LOOK_S, captured, changed
from sagamart.shop.payments.facts import facts, refund_fact
from sagamart.shop.payments.messages import Answer, BankCancelAsked, BankStateAsked, BankTold, BankView, LookAgain
from sagamart.shop.payments.records import BankStatus, Closing, Payment

LET_GO: frozenset[BankStatus] = frozenset({"voided", "expired", "cancelled", "declined"})
"""Nothing is held or taken, and nothing will be."""

LAPSE_GRACE_S = 5
"""So long after a hold should have lapsed the bank is asked whether it has."""

_REASONS: dict[str, DeclineReason] = {
    "insufficient_funds": "insufficient_funds",
    "customer_refused": "not_confirmed",
    "confirmation_expired": "expired",
}


def told(message: Message[BankTold], payment: Payment) -> Decision:
    """Take in an answer of the bank."""
    body = message.body
    answer = body.answer
    match body.asked:
        case "refund":
            return _refund_told(payment, message)
        case "cancel":
            return _cancel_told(payment, answer, message)
        case "open" if answer.ended == "rejected":
            return _close(payment, "rejected")
        case "capture" if answer.ended in ("rejected", "refused", "cancelled"):
            return _capture_refused(payment, answer, message)
        case "open" | "capture" | "state":
            return _learned(payment, answer.payment, message) if answer.payment is not None else NOTHING
        case _:
            assert_never(body.asked)


def _learned(payment: Payment, view: BankView, message: Message[BankTold]) -> Decision:
    """The bank has told how the payment stands."""
    if view.version <= payment.bank_version:
        return NOTHING
    known = _known(payment, view)
    match view.status:
        case "captured":
            return _captured(payment, known, view, message)
        case "held" | "needs_confirmation":
            return _open_at_the_bank(payment, known, message)
        case "voided" | "expired" | "cancelled" | "declined":
            return _ended_at_the_bank(payment, known, view)
        case _:
            assert_never(view.status)


def _known(payment: Payment, view: BankView) -> Payment:
    """The payment with what the bank has told anew."""
    return changed(
        payment,
        bank_id=view.bank_id,
        bank_status=view.status,
        bank_version=view.version,
        holds_until=view.holds_until,
        redirect_url=view.redirect_url if view.status == "needs_confirmation" else None,
    )


def _open_at_the_bank(payment: Payment, known: Payment, message: Message[BankTold]) -> Decision:
    """The customer is on the bank's page, or the money is held."""
    if payment.settled and payment.status not in ("captured", "refunded"):
        return _close(known, "late", since=payment)
    if payment.settled or payment.closing or payment.capturing:
        return Decision(save=[known])
    if known.bank_status == "needs_confirmation":
        status, look_s = "pending", float(LOOK_S)
    else:
        lapse = known.holds_until or message.at
        status, look_s = "held", max(0.0, (lapse - message.at).total_seconds()) + LAPSE_GRACE_S
    open_ = msgspec.structs.replace(known, status=status)
    return Decision(save=[open_], send=facts(open_), timers=[Arm("look", look_s, LookAgain(payment.payment_id, 0))])


def _captured(payment: Payment, known: Payment, view: BankView, message: Message[BankTold]) -> Decision:
    """The money is taken.  It may come unasked, and late."""
    if payment.closing:
        return Decision(save=[known])
    taken = msgspec.structs.replace(
        captured(known, message.at, view.captured_minor),
        version=known.version,
        refunded_minor=max(payment.refunded_minor, view.refunded_minor),
    )
    if taken.refunded_minor >= taken.captured_minor:
        taken = msgspec.structs.replace(taken, status="refunded")
    news = payment.status not in ("captured", "refunded")
    return Decision(save=[taken], send=facts(taken) if news else [], timers=[Disarm("look")])


def _ended_at_the_bank(payment: Payment, known: Payment, view: BankView) -> Decision:
    """Nothing is held there any more."""
    if payment.settled or payment.closing:
        return Decision(save=[known])
    if payment.capturing:
        ended = msgspec.structs.replace(known, status="failed", capturing=False)
    elif view.status == "declined":
        ended = msgspec.structs.replace(known, status="declined", reason=_REASONS.get(view.refusal or "", "declined"))
    else:
        ended = msgspec.structs.replace(known, status="voided", reason="expired")
    return Decision(save=[ended], send=facts(ended), timers=[Disarm("look")])


def _capture_refused(payment: Payment, answer: Answer, message: Message[BankTold]) -> Decision:
    """It is not taken; what is still held is let go before that is told, so that nothing stays held unknown."""
    view = answer.payment
    if view is not None and (view.status == "captured" or view.status in LET_GO):
        return _learned(payment, view, message)
    return _close(payment, "capture_refused")


def _close(known: Payment, closing: Closing, since: Payment | None = None) -> Decision:
    """Ask the bank to let go of it for ever."""
    payment = since or known
    if payment.closing or (payment.settled and closing != "late"):
        return Decision(save=[known] if since else [])
    closed = msgspec.structs.replace(known, closing=closing) if since else changed(known, closing=closing)
    return Decision(save=[closed], send=[BankCancelAsked(payment.payment_id)])


def _cancel_told(payment: Payment, answer: Answer, message: Message[BankTold]) -> Decision:
    """The bank confirms that nothing is or will be held or taken, or that it is too late for that."""
    if answer.ended == "already_done":
        return _too_late(payment, message)
    view = answer.payment
    news = view if view is not None and view.version > payment.bank_version else None
    known = changed(payment) if news is None else _known(payment, news)
    known = msgspec.structs.replace(known, closing="")
    match payment.closing:
        case "":
            return Decision(save=[known]) if news else NOTHING
        case "late":
            return Decision(save=[known])
        case "void":
            ended = msgspec.structs.replace(known, status="voided")
        case "capture_refused":
            ended = msgspec.structs.replace(known, status="failed")
        case "expired":
            ended = msgspec.structs.replace(known, status="declined", reason="expired")
        case "rejected":
            ended = msgspec.structs.replace(known, status="declined", reason="bank_unavailable")
        case _:
            assert_never(payment.closing)
    ended = msgspec.structs.replace(ended, capturing=False, redirect_url=None)
    return Decision(save=[ended], send=facts(ended), timers=[Disarm("look")])


def _too_late(payment: Payment, message: Message[BankTold]) -> Decision:
    """What was held is taken, and stays taken."""
    if payment.status in ("captured", "refunded"):
        return NOTHING
    if payment.bank_id is None:
        # The bank's answer to the opening never came: without its id nothing of this could be refunded.
        return Decision(save=[changed(payment, closing="")], send=[BankStateAsked(payment.payment_id)])
    taken = captured(payment, message.at, payment.amount_minor)
    return Decision(save=[taken], send=facts(taken), timers=[Disarm("look")])


def _refund_told(payment: Payment, message: Message[BankTold]) -> Decision:
    """A refund has reached the card, or the bank does not take it."""
    body = message.body
    earlier = next(one for one in payment.refunds if one.refund_id == body.refund_id)
    if earlier.status != "asked":
        return NOTHING
    done = body.answer.ended == "succeeded"
    ended = msgspec.structs.replace(earlier, status="refunded" if done else "refused")
    refunds = tuple(ended if one.refund_id == ended.refund_id else one for one in payment.refunds)
    refunded_minor = sum(one.amount_minor for one in refunds if one.status == "refunded")
    after = changed(
        payment,
        refunds=refunds,
        refunded_minor=max(payment.refunded_minor, refunded_minor),
        moved_at=message.at,
    )
    if after.refunded_minor >= after.captured_minor:
        after = msgspec.structs.replace(after, status="refunded")
    return Decision(save=[after], send=refund_fact(after, ended))
