"""A message as a Kafka record: CloudEvents 1.0 in the structured mode of its Kafka protocol binding.

Rules:
- The record's value is the whole event in JSON, the body its `data`.  Of its attributes the type alone is a header as
  well: most records are passed over by it, and a dozen headers cost more than all else of a record (decision 0014).
- The record's key is the message's key: messages of one aggregate lie in one partition.
- An id must be a UUID in lower case and no text may hold a zero byte: a database could not keep such a message, not
  even among its dead letters.  So they are found here, before a batch meets them.
- What cannot be read is kept as it came.  Where its headers and JSON are sound (an unknown type or version), it is kept
  as the outbox would keep it: a later version that knows the type can handle it.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast

import msgspec
from confluent_kafka import Message as Record

from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import Body, Message, Registry, TornMessage, first_id_at

TYPE = "ce_type"
CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"
LABEL_CHARS_MAX = 200
"""Of a type or key that came with something unreadable."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_letter = msgspec.json.Encoder()


class NoMessageError(ValueError):
    """The record is no message: it is no CloudEvent, or one of its attributes is nonsense."""


class _Kept(msgspec.Struct, frozen=True):
    """A record that is no message, bytes as base64."""

    id: str
    key: str
    type: str
    topic: str
    partition: int
    offset: int
    record_key: bytes | None
    record_headers: list[tuple[str, bytes | None]]
    record_value: bytes | None


class _Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message as a CloudEvent; the names are the wire's."""

    specversion: str
    datacontenttype: str
    id: str
    source: str
    type: str
    time: datetime
    correlationid: str
    node: str
    schemaversion: int
    data: Body
    causationid: str | None = None
    traceparent: str | None = None
    aggregateversion: int | None = None
    aggregatestatus: str | None = None


class _Read(msgspec.Struct, frozen=True):
    """The same as it comes in, from us or from somebody else; its data still bytes."""

    id: str
    source: str
    type: str
    time: datetime
    data: msgspec.Raw
    specversion: str
    correlationid: str | None = None
    node: str = ""
    schemaversion: int = 1
    causationid: str | None = None
    traceparent: str | None = None


_event = msgspec.json.Encoder()
_reader = msgspec.json.Decoder(_Read)


def value_of(message: Message[Body]) -> bytes:
    """The message as a CloudEvent in JSON."""
    body = message.body
    return _event.encode(
        _Event(
            "1.0",
            "application/json",
            message.id,
            message.source,
            message.type,
            message.at,
            message.correlation,
            message.node,
            message.schema,
            body,
            message.cause,
            message.trace,
            getattr(body, "version", None),
            getattr(body, "status", None),
        )
    )


@lru_cache(maxsize=1024)
def headers_of(kind: str) -> list[tuple[str, str | bytes | None]]:
    """What says how to read a record of this type, and whether to read it at all."""
    return [(TYPE, kind.encode()), ("content-type", CONTENT_TYPE)]


def type_of(headers: Sequence[tuple[str, bytes | None]]) -> bytes | None:
    """The type alone, by which most of what is read is passed over; ours is the first header."""
    for name, value in headers:
        if name == TYPE:
            return value
    return None


def message_of(record: Record, registry: Registry) -> Message[Any]:
    """Read a record.

    Raises NoMessageError, UnknownMessageError for a type or version not known, msgspec.MsgspecError for a wrong body.
    """
    torn = _torn(record)
    body = registry.decode_body(torn.type, torn.schema, torn.body)
    return Message(
        id=torn.id,
        type=torn.type,
        key=torn.key,
        source=torn.source,
        at=torn.at,
        correlation=torn.correlation,
        body=body,
        cause=torn.cause,
        node=torn.node,
        schema=torn.schema,
        trace=torn.trace,
    )


def letter_of(record: Record, error: Exception) -> UnreadableLetter:
    """Keep what cannot be read.  Without an id of its own its place in the topic gives it one, the same each time."""
    why = _clean(f"{type(error).__name__}: {error}")
    try:
        torn = _torn(record)
    except NoMessageError:
        kept = _kept(record)
        return UnreadableLetter(kept.id, kept.key, kept.type, why, _letter.encode(kept))
    return UnreadableLetter(torn.id, torn.key, _clean(torn.type), why, _letter.encode(torn))


def _torn(record: Record) -> TornMessage:
    """The envelope, the body still bytes.  Raises NoMessageError."""
    try:
        event = _reader.decode(record.value() or b"")
        key = (record.key() or b"").decode()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NoMessageError(f"the record is no CloudEvent: {error}") from error
    if not _UUID.fullmatch(event.id):
        raise NoMessageError(f"the id {event.id[:LABEL_CHARS_MAX]!r} is no UUID in lower case")
    if event.causationid is not None and not _UUID.fullmatch(event.causationid):
        raise NoMessageError(f"causationid {event.causationid[:LABEL_CHARS_MAX]!r} is no UUID in lower case")
    if event.time.tzinfo is None:
        raise NoMessageError("the time has no zone")
    if "\0" in key or "\0" in event.type:
        raise NoMessageError("a zero byte in the key or the type")
    return TornMessage(
        id=event.id,
        type=event.type,
        key=key,
        source=event.source,
        at=event.time,
        correlation=event.correlationid or event.id,
        body=event.data,
        cause=event.causationid,
        node=event.node,
        schema=event.schemaversion,
        trace=event.traceparent,
    )


def _kept(record: Record) -> _Kept:
    topic, partition, offset = record.topic() or "", record.partition() or 0, record.offset() or 0
    headers = cast("list[tuple[str, bytes | None]]", record.headers() or [])
    kind = next((value for name, value in headers if name == TYPE and value), b"?")
    key = record.key()
    return _Kept(
        id=_place_id(topic, partition, offset, record.timestamp()[1]),
        key=_clean(key.decode(errors="replace")) if key else f"{topic}/{partition}/{offset}",
        type=_clean(kind.decode(errors="replace")),
        topic=topic,
        partition=partition,
        offset=offset,
        record_key=key,
        record_headers=headers,
        record_value=record.value(),
    )


def _place_id(topic: str, partition: int, offset: int, at_ms: int) -> str:
    """A UUID (version 8) of the record's time and place."""
    at = datetime.fromtimestamp(max(0, at_ms) / 1000).astimezone()
    tail = blake2b(f"{topic} {partition} {offset}".encode(), digest_size=9).hexdigest()
    return f"{first_id_at(at)[:13]}-8{tail[:3]}-8{tail[3:6]}-{tail[6:18]}"


def _clean(text: str) -> str:
    """What a database can keep."""
    return text.replace("\0", "�")[:LABEL_CHARS_MAX]
