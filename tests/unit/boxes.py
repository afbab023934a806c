"""A service of two boxes, one inside the other, small enough to show what the core does and nothing else."""

from datetime import UTC, datetime
from typing import Any

from sagamart.messaging.decision import Arm, Decision, Disarm, Reply
from sagamart.messaging.message import Body, Message, first_id_at
from sagamart.messaging.records import Need, Record, Records, Table, need
from sagamart.messaging.service import Handler, Service

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Box(Record, frozen=True):
    box_id: str
    inner: str = ""
    count: int = 0


class About(Body, frozen=True):
    box_id: str

    @property
    def key(self) -> str:
        return self.box_id


class Put(About, frozen=True):
    """One more thing in this box; `inner` names the box inside it from now on."""

    inner: str = ""


class WasPut(About, frozen=True):
    count: int


class Knock(About, frozen=True):
    """Count in the box and in the one inside it."""


class Wake(About, frozen=True):
    """Arm a knock, on another box if one is named."""

    other: str = ""


class Hush(About, frozen=True):
    """Disarm it."""


class Break(About, frozen=True):
    """Nobody can do this."""


def _put(message: Message[Put], have: Records) -> Decision:
    before = have.find(Box, message.body.box_id)
    count = 1 if before is None else before.count + 1
    after = Box(1 if before is None else before.version + 1, message.body.box_id, message.body.inner, count)
    return Decision(save=[after], send=[WasPut(after.box_id, count)], reply=Reply(200, {"count": count}))


def _inner(message: Message[Knock], have: Records) -> list[Need]:
    box = have.find(Box, message.body.box_id)
    return [need(Box, box.inner)] if box is not None and box.inner else []


def _knock(_message: Message[Knock], have: Records) -> Decision:
    boxes = have.all(Box).values()
    return Decision(save=[Box(box.version + 1, box.box_id, box.inner, box.count + 10) for box in boxes])


def _break(_message: Message[Any], _have: Records) -> Decision:
    raise ZeroDivisionError("it breaks")


def _one(message: Message[Any]) -> list[Need]:
    return [need(Box, message.body.box_id)]


BOXES = Service(
    "boxes",
    tables=(Table(Box, "boxes", key="box_id"),),
    migrations="",
    handlers=(
        Handler(takes=Put, needs=_one, decide=_put, emits=(WasPut,)),
        Handler(takes=Knock, needs=_one, then=_inner, decide=_knock),
        Handler(
            takes=Wake,
            emits=(Knock,),
            decide=lambda m, _: Decision(timers=[Arm("knock", 60, Knock(m.body.other or m.body.box_id))]),
        ),
        Handler(takes=Hush, decide=lambda _m, _: Decision(timers=[Disarm("knock")])),
        Handler(takes=Break, needs=_one, decide=_break),
    ),
)


def said(body: Body, number: int = 1) -> Message[Any]:
    """Message `number`."""
    return Message(
        id=f"{first_id_at(AT)[:13]}-7000-8000-{number:012d}",
        type=type(body).__name__,
        key=body.key,
        source="test",
        at=AT,
        correlation=first_id_at(AT),
        body=body,
    )
