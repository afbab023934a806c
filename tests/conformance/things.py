"""A service of no shop: what the conformance suite keeps in both databases, and short words for a batch of it."""

from datetime import UTC, datetime

import msgspec

from sagamart.messaging.database import Changes, KnownRequest, Wanted
from sagamart.messaging.dead_letters import DeadLetter, LetterStatus
from sagamart.messaging.memory_store import Check
from sagamart.messaging.message import Body, Message, encode
from sagamart.messaging.outbox import Parcel
from sagamart.messaging.records import Entry, Need, Record, Table
from sagamart.messaging.requests import StoredReply
from sagamart.messaging.service import Service
from sagamart.messaging.timers import ArmedTimer

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Thing(Record, frozen=True):
    thing_id: str
    email: str
    amount: int = 0
    tags: tuple[str, ...] = ()
    seen_at: datetime | None = None


class Line(Entry, frozen=True):
    line_id: str
    thing_id: str
    amount: int


class Told(Body, frozen=True):
    thing_id: str

    @property
    def key(self) -> str:
        return self.thing_id


THINGS = Service(
    "things",
    tables=(
        Table(Thing, "things", key="thing_id", unique=("email",), expires="seen_at").changing_seldom("email", "tags"),
        Table(Line, "lines", key="line_id"),
    ),
    handlers=(),
    migrations="",
)

DDL = """
    create table things (
        version bigint not null,
        thing_id text primary key,
        email text not null unique,
        amount bigint not null check (amount >= 0),
        tags jsonb not null,
        seen_at timestamptz
    );
    create table lines (line_id text primary key, thing_id text not null, amount bigint not null);
"""

CHECKS: dict[type, Check] = {Thing: lambda thing: thing.amount >= 0}


def an_id(number: int) -> str:
    """The id of message `number`; later numbers sort later."""
    return f"019aa000-0000-7000-8000-{number:012d}"


def told(number: int, key: str = "apple", cause: int = 1) -> Message[Body]:
    """Message `number` about a thing."""
    return Message(
        id=an_id(number),
        type="Told",
        key=key,
        source="things",
        at=AT,
        correlation=an_id(0),
        body=Told(key),
        cause=an_id(cause),
    )


def parcel(*numbers: int) -> Parcel:
    """A parcel of what these would tell."""
    return Parcel(an_id(numbers[0]), [told(number) for number in numbers])


def due(*numbers: int) -> tuple[str, list[bytes]]:
    """That parcel as it is read back."""
    return an_id(numbers[0]), [encode(told(number)) for number in numbers]


def wanted(
    *needs: Need, messages: tuple[int, ...] = (), keys: tuple[str, ...] = (), requests: tuple[str, ...] = ()
) -> Wanted:
    return Wanted([an_id(number) for number in messages], list(keys), [], list(requests), list(needs))


def timers_wanted(*numbers: int) -> Wanted:
    return Wanted([], ["apple", "pear"], [an_id(number) for number in numbers], [], [])


def handled(*numbers: int) -> Changes:
    return Changes(handled=[an_id(number) for number in numbers])


def new(*things: Thing) -> Changes:
    return Changes(new={Thing: list(things)})


def changed(thing: Thing, *, loaded: int) -> Changes:
    return Changes(changed={Thing: [(thing, loaded)]})


def later(thing: Thing, amount: int) -> Thing:
    """The next version of a thing."""
    return msgspec.structs.replace(thing, version=thing.version + 1, amount=amount)


def armed(number: int, *, after_s: float, key: str = "apple", name: str = "deadline") -> Changes:
    return Changes(armed=[ArmedTimer(key, name, an_id(number), after_s, encode(told(number, key)))])


def letter(number: int, key: str = "apple", status: LetterStatus = "dead") -> Changes:
    return Changes(dead=[DeadLetter(told(number, key), "it would not do", status)])


def answered(key: str, fingerprint: bytes = b"same", number: int = 1) -> Changes:
    reply = StoredReply(201, b'{"a":1}', "/v1/things/apple", refused=False)
    return Changes(requests=[KnownRequest(key, fingerprint, an_id(number), reply)])


APPLE = Thing(1, "apple", "apple@example.org", 5, ("red", "round"), AT)
PEAR = Thing(1, "pear", "pear@example.org", 7)
