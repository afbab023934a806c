"""The rules of top-ups: a card is charged for a wallet, and what the bank takes is credited, once.

A customer has at most so many top-ups open: pages that may still be paid, charges of which nothing is known.
One that is settled makes room for the next.
"""

from collections.abc import Sequence
from typing import ClassVar

from sagamart.messaging.decision import Arm, Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.payments.decide import SILENCE_S, PaymentRules
from sagamart.shop.payments.messages import BankOpenAsked, BankSilent, OpenTopUp
from sagamart.shop.payments.records import OpenTopUps, Payment
from sagamart.shop.payments.view import link_to, view


class BankNotConfigured(Refusal, frozen=True):
    """A shop without a bank takes no cards."""

    title: ClassVar[str] = "This shop takes no payments by card"


class TopUpTooLarge(Refusal, frozen=True):
    """A top-up has a limit."""

    title: ClassVar[str] = "A top-up of that much is not allowed"

    amount_minor: int
    amount_minor_max: int


class CurrencyMismatch(Refusal, frozen=True):
    """Wallets have one currency."""

    title: ClassVar[str] = "Wallets have another currency"

    currency: str
    wallet_currency: str


class TooManyOpenTopUps(Refusal, frozen=True):
    """The customer pays or leaves the ones that are open first; each is settled when its page expires at the latest."""

    title: ClassVar[str] = "Too many top-ups are open; pay one of them, or wait until one has expired"

    open_top_ups_max: int
    top_ups: tuple[str, ...]


def open_top_up(
    message: Message[OpenTopUp], slots: OpenTopUps | None, earlier: Sequence[Payment], rules: PaymentRules
) -> Decision:
    """Charge a card for a customer's wallet.  Money that the bank takes is credited, once."""
    body = message.body
    still_open = tuple(payment.payment_id for payment in earlier if not payment.settled)
    refusal = _refusal(body, still_open, rules)
    if refusal is not None:
        return Decision(reply=refusal)

    # From here it is opened, whatever becomes of it.
    payment = Payment(
        1,
        body.payment_id,
        "top_up",
        "",
        0,
        0,
        body.customer_id,
        body.amount_minor,
        body.currency,
        "new",
        message.at,
    )
    version = 1 if slots is None else slots.version + 1
    taken = OpenTopUps(version, body.customer_id, (*still_open, payment.payment_id), rules.open_top_ups_max)
    return Decision(
        save=[taken, payment],
        send=[BankOpenAsked(payment.payment_id, "charge", payment.amount_minor, payment.currency)],
        timers=[Arm(f"{payment.payment_id} silent", SILENCE_S, BankSilent(payment.payment_id))],
        reply=Reply(202, view(payment), link_to(payment.payment_id)),
    )


def _refusal(body: OpenTopUp, still_open: tuple[str, ...], rules: PaymentRules) -> Refusal | None:
    if not rules.bank:
        return BankNotConfigured()
    if body.currency != rules.currency:
        return CurrencyMismatch(body.currency, rules.currency)
    if body.amount_minor > rules.top_up_minor_max:
        return TopUpTooLarge(body.amount_minor, rules.top_up_minor_max)
    if len(still_open) >= rules.open_top_ups_max:
        return TooManyOpenTopUps(rules.open_top_ups_max, tuple(link_to(one) for one in still_open))
    return None
