"""Reconciliation: the bank's statement, entry by entry, against the payments.

- Each entry of the statement is counted once: windows follow each other without a gap, and a page is one message.
- What payments does not know yet is mended by asking the bank about the payment; a top-up that is not credited yet is
  told to the wallet again.  Neither can do harm.
- An entry of no payment of ours, or of another currency, is a difference: kept for a person to look at.
- It is done every day at the hour that the settings name, whenever it was done by hand; a night on which no process ran
  is made up for at the next start.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from sagamart.contracts.payments import TopUpPaid
from sagamart.messaging.decision import Arm, Decision, Reply
from sagamart.messaging.message import Body, Message
from sagamart.shop.payments.decide import PaymentRules, changed
from sagamart.shop.payments.facts import facts
from sagamart.shop.payments.messages import (
    BANK,
    BankStateAsked,
    BeginReconciling,
    Reconcile,
    ReconciliationDue,
    StatementAsked,
    StatementEntry,
    StatementRead,
)
from sagamart.shop.payments.records import Difference, Payment, Reconciliation
from sagamart.shop.payments.view import reconciliation_view

DAY = timedelta(days=1)

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def at_start(message: Message[BeginReconciling], before: Reconciliation | None, rules: PaymentRules) -> Decision:
    """Arm the nightly timer: it arms itself from then on, and a start with another hour moves it."""
    armed = _armed(message.at, rules)
    if before is None:
        first = Reconciliation(1, BANK, None, running=False, at=message.at)
        return Decision(save=[first], timers=[armed])
    missed = before.at < next_at(message.at, rules.reconcile_hour) - DAY
    return Decision(timers=[Arm(armed.name, 0, armed.body) if missed else armed])


def next_at(at: datetime, hour: int) -> datetime:
    """The next time after `at` that it is this hour (UTC)."""
    today = at.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > at else today + DAY


def _armed(at: datetime, rules: PaymentRules) -> Arm:
    left_s = (next_at(at, rules.reconcile_hour) - at).total_seconds()
    return Arm("reconcile", left_s, ReconciliationDue())


def begin(
    message: Message[Reconcile] | Message[ReconciliationDue], before: Reconciliation | None, rules: PaymentRules
) -> Decision:
    """Read on where the last reconciliation ended, and again at the next night's hour."""
    asked = isinstance(message.body, Reconcile)
    armed = _armed(message.at, rules)
    if before is not None and before.running:
        return Decision(reply=Reply(202, reconciliation_view(before))) if asked else Decision(timers=[armed])
    since = before.read_until if before is not None and before.read_until else BEGINNING
    until = max(since, message.at - timedelta(seconds=rules.statement_settle_s))
    began = Reconciliation((before.version if before else 0) + 1, BANK, since, running=True, at=message.at)
    return Decision(
        save=[began],
        send=[StatementAsked(since, until)],
        timers=[armed],
        reply=Reply(202, reconciliation_view(began)) if asked else None,
    )


def compare(message: Message[StatementRead], run: Reconciliation, payments: Mapping[str, Payment]) -> Decision:
    """Take in a page of the statement, and ask for the next one."""
    body = message.body
    after = dict(payments)
    differences: list[Difference] = []
    mend: list[Body] = []
    for entry in body.entries:
        payment = after.get(entry.payment_key)
        if payment is None or payment.currency != entry.currency:
            differences.append(_difference(entry, "unknown" if payment is None else "other_currency", message))
            continue
        after[entry.payment_key] = msgspec.structs.replace(
            payment, statement_minor=payment.statement_minor + entry.amount_minor
        )
    counted = [key for key, payment in after.items() if payment != payments[key]]
    for key in counted:
        mend.extend(_mending(after[key]))
    last = body.cursor is None
    next_run = msgspec.structs.replace(
        run,
        version=run.version + 1,
        running=not last,
        read_until=body.asked.until if last else run.read_until,
        entries=run.entries + len(body.entries),
        differences=run.differences + len(differences),
        mended=run.mended + len(mend),
    )
    page = [] if last else [StatementAsked(body.asked.since, body.asked.until, body.cursor)]
    rows = [changed(payments[key], statement_minor=after[key].statement_minor) for key in counted]
    return Decision(save=[next_run, *rows, *differences], send=[*mend, *page])


def _mending(payment: Payment) -> list[Body]:
    """What may have been missed is asked or told again."""
    if payment.statement_minor != payment.captured_minor - payment.refunded_minor:
        return [BankStateAsked(payment.payment_id)]
    if payment.purpose == "top_up" and not payment.credited:
        return [fact for fact in facts(payment) if isinstance(fact, TopUpPaid)]
    return []


def _difference(entry: StatementEntry, found: str, message: Message[StatementRead]) -> Difference:
    name = f"{entry.entry}"
    return Difference(name, entry.key, entry.kind, entry.amount_minor, entry.currency, found, message.at)
