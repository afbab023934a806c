"""The rules of programs that log in by themselves, and of failed log-ins.

Rules:
- A machine never administers: roles and machines are given by people.
- Failures are counted in the database, so that replicas count together, and for addresses that nobody has as well, so
  that the count tells nothing.  An account forgives one failure in `ACCOUNT_FORGIVES_S`, and has `ACCOUNT_FAILURES_MAX`
  at once; a client, behind which many may sit, more.
"""

from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.accounts.messages import AdmitMachine, DismissMachine, NoteFailedLogIn
from sagamart.shop.accounts.records import FailedLogIns, Machine, MachineRole

ACCOUNT_FAILURES_MAX = 10
ACCOUNT_FORGIVES_S = 30.0
CLIENT_FAILURES_MAX = 50
CLIENT_FORGIVES_S = 5.0


class UnknownMachine(Refusal, frozen=True):
    """There is no such client."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such client"


class MachineView(msgspec.Struct, frozen=True):
    """A machine without its secret."""

    client_id: str
    name: str
    roles: tuple[MachineRole, ...]
    made_by: str
    made_at: datetime
    revoked_at: datetime | None = None


def admit(message: Message[AdmitMachine]) -> Decision:
    """Let a program log in."""
    body = message.body
    roles = tuple(sorted(set(body.roles)))
    machine = Machine(1, body.client_id, body.name, body.secret_hash, roles, body.by, message.at)
    return Decision(save=[machine], reply=Reply(201, view(machine), f"/v1/clients/{body.client_id}"))


def dismiss(message: Message[DismissMachine], machine: Machine | None) -> Decision:
    """Let a program log in no more; its last access token ends within ten minutes."""
    if machine is None:
        return Decision(reply=UnknownMachine())
    if machine.revoked_at is not None:
        return Decision(reply=Reply(204))
    after = msgspec.structs.replace(machine, version=machine.version + 1, revoked_at=message.at)
    return Decision(save=[after], reply=Reply(204))


def view(machine: Machine) -> MachineView:
    """A machine as administrators see it."""
    return MachineView(*(getattr(machine, field) for field in MachineView.__struct_fields__))


def note_failure(
    message: Message[NoteFailedLogIn], account: FailedLogIns | None, client: FailedLogIns | None
) -> Decision:
    """Count a failure against the account and against the client."""
    body = message.body
    return Decision(
        save=[
            _failed(account, body.account, message.at, ACCOUNT_FORGIVES_S),
            _failed(client, body.client, message.at, CLIENT_FORGIVES_S),
        ],
        reply=Reply(204),
    )


def wait_s(forgiven_at: datetime, now: datetime, *, is_account: bool) -> float:
    """How long to wait before the next try; 0 or less: none."""
    failures, every_s = (
        (ACCOUNT_FAILURES_MAX, ACCOUNT_FORGIVES_S) if is_account else (CLIENT_FAILURES_MAX, CLIENT_FORGIVES_S)
    )
    return (forgiven_at - now).total_seconds() - (failures - 1) * every_s


def _failed(before: FailedLogIns | None, origin: str, at: datetime, every_s: float) -> FailedLogIns:
    if before is None:
        return FailedLogIns(1, origin, at + timedelta(seconds=every_s))
    forgiven_at = max(before.forgiven_at, at) + timedelta(seconds=every_s)
    return msgspec.structs.replace(before, version=before.version + 1, forgiven_at=forgiven_at)
