"""Three services that do nothing but talk, so that a transport can be watched: a speaker and two that hear it.

Every hearing is counted in a row, so a message that had its effect twice, or not at all, shows.
"""

from typing import Any

from sagamart.messaging.decision import Decision, Reply
from sagamart.messaging.message import Body, Message
from sagamart.messaging.records import Need, Record, Records, Table, need
from sagamart.messaging.service import Handler, Service

CURSED = "cursed"


class Subject(Record, frozen=True):
    subject_id: str
    heard: int = 0


class About(Body, frozen=True):
    subject: str
    number: int = 0

    @property
    def key(self) -> str:
        return self.subject


class Speak(About, frozen=True):
    """A request: say it to all."""

    text: str = ""


class Said(About, frozen=True):
    text: str = ""


class Muttered(About, frozen=True):
    """Nobody listens to this."""


class Answered(About, frozen=True):
    """What the left one says to the speaker."""


def _one(message: Message[Any]) -> list[Need]:
    return [need(Subject, message.key)]


def _counted(message: Message[Any], have: Records, *answers: Body) -> Decision:
    if message.key == CURSED:
        raise ValueError("nobody can hear this")
    known = have.find(Subject, message.key)
    version, heard = (0, 0) if known is None else (known.version, known.heard)
    return Decision(save=[Subject(version + 1, message.key, heard + 1)], send=list(answers), reply=Reply())


def _speak(message: Message[Speak], _have: Records) -> Decision:
    said = message.body
    return Decision(
        send=[Said(said.subject, said.number, said.text), Muttered(said.subject, said.number)], reply=Reply()
    )


def _hear_and_answer(message: Message[Said], have: Records) -> Decision:
    return _counted(message, have, Answered(message.body.subject, message.body.number))


def _service(name: str, *handlers: Handler[Any]) -> Service:
    return Service(name, tables=(Table(Subject, "subjects", key="subject_id"),), handlers=handlers, migrations="")


SPEAKER = _service(
    "speaker",
    Handler(takes=Speak, decide=_speak, emits=(Said, Muttered)),
    Handler(takes=Answered, needs=_one, decide=_counted),
)
LEFT = _service("left", Handler(takes=Said, needs=_one, decide=_hear_and_answer, emits=(Answered,)))
RIGHT = _service("right", Handler(takes=Said, needs=_one, decide=_counted))

EVERYBODY = {service.name: service for service in (SPEAKER, LEFT, RIGHT)}
EMITS = {name: service.emits for name, service in EVERYBODY.items()}
