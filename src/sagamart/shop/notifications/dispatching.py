"""The rules of messages on their way: what came of each, and what is tried again.

Rules:
- A dispatch ends once: sent, failed with its reason, or unknown.  What comes later changes nothing.
- A letter of which nobody can say whether it was taken goes out again under the same Message-ID, after a pause, and is
  counted; at most `UNKNOWN_OUTCOMES_MAX` times, for it may well have arrived.
"""

from datetime import datetime

import msgspec

from sagamart.messaging.decision import NOTHING, Arm, Decision
from sagamart.messaging.message import Message
from sagamart.shop.notifications.messages import (
    EmailRepeatDue,
    EmailRequested,
    MessageNotSent,
    MessageSent,
    SendingUnknown,
)
from sagamart.shop.notifications.records import Dispatch, DispatchStatus

UNKNOWN_OUTCOMES_MAX = 3
REPEAT = "email repeat"


def sent(message: Message[MessageSent], dispatch: Dispatch) -> Decision:
    """It was taken."""
    return _end(dispatch, "sent", message.at)


def not_sent(message: Message[MessageNotSent], dispatch: Dispatch) -> Decision:
    """It was refused, or tried for long enough."""
    return _end(dispatch, "failed", message.at, message.body.reason)


def sending_unknown(message: Message[SendingUnknown], dispatch: Dispatch, repeat_s: float) -> Decision:
    """Count it, and try again after a pause that doubles, but not for ever."""
    if dispatch.status != "pending":
        return NOTHING
    times = dispatch.unknown_outcomes + 1
    counted = msgspec.structs.replace(dispatch, version=dispatch.version + 1, unknown_outcomes=times)
    if times >= UNKNOWN_OUTCOMES_MAX:
        ended = msgspec.structs.replace(counted, status="unknown", ended_at=message.at, reason="server_fell_silent")
        return Decision(save=[ended])
    body = message.body
    repeat = EmailRepeatDue(body.dispatch_id, body.customer_id, body.kind, body.facts)
    return Decision(save=[counted], timers=[Arm(REPEAT, repeat_s * 2 ** (times - 1), repeat)])


def repeat_due(message: Message[EmailRepeatDue], dispatch: Dispatch) -> Decision:
    """Send the same letter again."""
    if dispatch.status != "pending":
        return NOTHING
    body = message.body
    return Decision(send=[EmailRequested(body.dispatch_id, body.customer_id, body.kind, body.facts)])


def _end(dispatch: Dispatch, status: DispatchStatus, at: datetime, reason: str | None = None) -> Decision:
    if dispatch.status != "pending":
        return NOTHING
    ended = msgspec.structs.replace(dispatch, version=dispatch.version + 1, status=status, reason=reason, ended_at=at)
    return Decision(save=[ended])
