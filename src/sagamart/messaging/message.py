"""A message: what was said (the body) and its envelope.

Rules:
- Every change is a message: a request, a fact from another service, a timer that fires, an operator's command.
- An id is a time-ordered UUID in its text form; its first 48 bits are milliseconds of Unix time (RFC 9562).
- The id of an emitted message is derived from its cause, so that handling a message twice emits the same ids.
  The emitting service is part of it: two services that answer one fact must not collide.
- A body is an immutable struct.  Old versions are lifted by `Body.upcast`; unknown fields are ignored, so that two
  versions of a service can run side by side.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, ClassVar, Generic, TypeVar

import msgspec


class Body(msgspec.Struct, frozen=True):
    """What a message says.  Its class name is the message's type; its `key` names the aggregate it is about."""

    schema_version: ClassVar[int] = 1

    @property
    def key(self) -> str:
        """The aggregate's id: messages of one key are parked together, and travel in one partition."""
        raise NotImplementedError(type(self).__name__)

    @classmethod
    def upcast(cls, version: int, _fields: dict[str, Any]) -> dict[str, Any]:
        """Lift the fields of an older schema version to the present one."""
        raise UnknownMessageError(f"{cls.__name__} version {version} cannot be read: no upcast from it is known")


B_co = TypeVar("B_co", bound=Body, covariant=True)


class Message(msgspec.Struct, Generic[B_co], frozen=True, kw_only=True):
    """The envelope.  `at` is when the message was made (UTC): the only clock that a decision may read.

    `correlation` is the id of the request that began it all, `cause` that of the message that this one follows from,
    `trace` the request's W3C `traceparent`, `node` the process that said it.
    """

    id: str
    type: str
    key: str
    source: str
    at: datetime
    correlation: str
    body: B_co
    cause: str | None = None
    node: str = ""
    schema: int = 1
    trace: str | None = None


class UnknownMessageError(Exception):
    """A message of a type or version that this program does not know.  It goes to the dead letters, not away."""


class TornMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An envelope read back from storage, its body still bytes."""

    id: str
    type: str
    key: str
    source: str
    at: datetime
    correlation: str
    body: msgspec.Raw
    cause: str | None = None
    node: str = ""
    schema: int = 1
    trace: str | None = None


_encoder = msgspec.json.Encoder()
_envelope = msgspec.json.Decoder(TornMessage)


def encode(message: Message[Body]) -> bytes:
    """The message as JSON bytes, as the outbox keeps it."""
    return _encoder.encode(message)


class Registry:
    """Which body type a message's `type` names."""

    def __init__(self, types: Iterable[type[Body]]) -> None:
        self.types: Mapping[str, type[Body]] = {kind.__name__: kind for kind in types}
        self._decoders = {name: msgspec.json.Decoder(kind) for name, kind in self.types.items()}

    def decode(self, raw: bytes) -> Message[Body]:
        """Read a whole message back.

        Raises UnknownMessageError for a type or version not known, msgspec.DecodeError for bytes that are no message.
        """
        torn = _envelope.decode(raw)
        body = self.decode_body(torn.type, torn.schema, torn.body)
        fields = {name: getattr(torn, name) for name in TornMessage.__struct_fields__ if name != "body"}
        return Message(**fields, body=body)

    def decode_body(self, name: str, version: int, raw: bytes | msgspec.Raw) -> Body:
        """Read what a message of this type and schema version says.  Raises as `decode` does."""
        kind = self.types.get(name)
        if kind is None:
            raise UnknownMessageError(f"no message type is called {name!r}")
        if version == kind.schema_version:
            return self._decoders[name].decode(raw)
        return msgspec.convert(kind.upcast(version, msgspec.json.decode(raw)), kind)


def new_id(at: datetime, random: bytes) -> str:
    """A version 7 UUID (RFC 9562) of this moment; `random` is 10 bytes."""
    moment = f"{int(at.timestamp() * 1000):012x}"
    tail = random.hex()
    return f"{moment[:8]}-{moment[8:]}-7{tail[:3]}-{_VARIANT[tail[3]]}{tail[4:7]}-{tail[7:19]}"


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def derived_id(cause: str, service: str, kind: str, position: int, due: datetime | None = None) -> str:
    """The id of the message that `service` emits at `position` for `cause` (a version 8 UUID).

    It keeps the cause's time prefix, so that indexes over ids stay local; a timer's carries the moment it is `due`.
    """
    tail = blake2b(f"{cause} {service} {kind} {position}".encode(), digest_size=10).hexdigest()
    prefix = cause[:13] if due is None else first_id_at(due)[:13]
    return f"{prefix}-8{tail[:3]}-{_VARIANT[tail[3]]}{tail[4:7]}-{tail[7:19]}"


def moment_of(message_id: str) -> datetime:
    """The time that an id carries (UTC, milliseconds)."""
    return datetime.fromtimestamp(int(message_id[:8] + message_id[9:13], 16) / 1000, tz=UTC)


def new_trace(random: bytes) -> str:
    """A trace that begins here, not sampled, as a `traceparent` (W3C Trace Context); `random` is 24 bytes."""
    fresh = random.hex()
    return f"00-{fresh[:32]}-{fresh[32:]}-00"


def trace_id(trace: str | None) -> str | None:
    """What all of a trace has in common: the part of its `traceparent` by which logs name it."""
    return trace[3:35] if trace else None


def names_of_trace(trace: str | None) -> dict[str, str]:
    """The trace and the request that began it, as the Elastic Common Schema names them."""
    return {"trace.id": trace[3:35], "transaction.id": trace[36:52]} if trace else {}


def is_sampled(trace: str | None) -> bool:
    """Whether who began the trace wants to see its spans (the last bit of its flags)."""
    return bool(trace) and str(trace)[-1] in "13579bdf"


def span_id(message_id: str, service: str) -> str:
    """The span of a message's handling (or of the call that an intent asks for) in a service.

    It is derived, so that the next one's parent is known from the envelope: the cause's handling by the source.
    """
    return blake2b(f"{message_id} {service}".encode(), digest_size=8).hexdigest()


def first_id_at(at: datetime) -> str:
    """The smallest id of a moment: all ids of earlier moments sort below it."""
    moment = f"{int(at.timestamp() * 1000):012x}"
    return f"{moment[:8]}-{moment[8:]}-0000-0000-000000000000"
