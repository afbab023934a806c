"""A message as a Kafka record: CloudEvents 1.0 in the binary mode of its Kafka protocol binding.

Rules:
- The record's value is the body alone, as JSON; what is known about it is in headers, readable without the body.
- The record's key is the message's key: messages of one aggregate lie in one partition.
- An id must be a UUID in lower case and no text may hold a zero byte: a database could not keep such a message, not
  even among its dead letters.  So they are found here, before a batch meets them.
- What cannot be read is kept as it came.  Where its headers and JSON are sound (an unknown type or version), it is kept
  as the outbox would keep it: a later version that knows the type can handle it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast

import msgspec
from confluent_kafka import Message as Record

from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import Body, Message, Registry, TornMessage, first_id_at

Headers = Mapping[str, bytes]

TYPE = "ce_type"
LABEL_CHARS_MAX = 200
"""Of a type or key that came with something unreadable."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_body = msgspec.json.Encoder()
_letter = msgspec.json.Encoder()


class NoMessageError(ValueError):
    """The record is no message: a header is missing or nonsense."""


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


def value_of(message: Message[Body]) -> bytes:
    """What the message says."""
    return _body.encode(message.body)


def headers_of(message: Message[Body]) -> list[tuple[str, str | bytes | None]]:
    """What is known about it."""
    headers = [
        *_fixed_headers(message.type, message.source, message.node, message.schema),
        ("ce_id", message.id),
        _time_header(message.at),
        ("ce_correlationid", message.correlation),
    ]
    if message.cause is not None:
        headers.append(("ce_causationid", message.cause))
    if message.trace is not None:
        headers.append(("traceparent", message.trace))
    for name, field in _aggregate_fields(type(message.body)):
        value = getattr(message.body, field)
        if value is not None:
            headers.append((name, str(value)))
    return headers


@lru_cache(maxsize=4096)
def _fixed_headers(kind: str, source: str, node: str, schema: int) -> tuple[tuple[str, str | bytes | None], ...]:
    """What all messages of a type from one node have in common, encoded once."""
    return (
        (TYPE, kind.encode()),
        ("ce_specversion", b"1.0"),
        ("ce_source", source.encode()),
        ("ce_node", node.encode()),
        ("ce_schemaversion", str(schema).encode()),
        ("content-type", b"application/json"),
    )


@lru_cache(maxsize=64)
def _time_header(at: datetime) -> tuple[str, bytes]:
    """A batch's messages are all of one moment."""
    return "ce_time", at.isoformat().encode()


@lru_cache(maxsize=1024)
def _aggregate_fields(kind: type[Body]) -> tuple[tuple[str, str], ...]:
    """How the aggregate stood, where the body says so."""
    wanted = (("ce_aggregateversion", "version"), ("ce_aggregatestatus", "status"))
    return tuple((name, field) for name, field in wanted if field in kind.__struct_fields__)


def type_of(headers: Sequence[tuple[str, bytes | None]]) -> bytes | None:
    """The type alone, by which most of what is read is passed over; ours is the first header."""
    for name, value in headers:
        if name == TYPE:
            return value
    return None


def message_of(record: Record, headers: Headers, registry: Registry) -> Message[Any]:
    """Read a record.

    Raises NoMessageError, UnknownMessageError for a type or version not known, msgspec.MsgspecError for a wrong body.
    """
    torn = _torn(record, headers)
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


def letter_of(record: Record, headers: Headers, error: Exception) -> UnreadableLetter:
    """Keep what cannot be read.  Without an id of its own its place in the topic gives it one, the same each time."""
    why = _clean(f"{type(error).__name__}: {error}")
    try:
        torn = _torn(record, headers)
        msgspec.json.decode(torn.body)
    except (NoMessageError, msgspec.MsgspecError):
        kept = _kept(record)
        return UnreadableLetter(kept.id, kept.key, kept.type, why, _letter.encode(kept))
    return UnreadableLetter(torn.id, torn.key, _clean(torn.type), why, _letter.encode(torn))


def _torn(record: Record, headers: Headers) -> TornMessage:
    """The envelope, the body still bytes.  Raises NoMessageError."""
    try:
        message_id, kind = headers["ce_id"].decode(), headers[TYPE].decode()
        source, at = headers["ce_source"].decode(), datetime.fromisoformat(headers["ce_time"].decode())
        correlation = headers.get("ce_correlationid", headers["ce_id"]).decode()
        schema = int(headers.get("ce_schemaversion", b"1"))
        cause, trace, node = _text(headers, "ce_causationid"), _text(headers, "traceparent"), _text(headers, "ce_node")
        key, value = (record.key() or b"").decode(), record.value()
    except KeyError as missing:
        raise NoMessageError(f"there is no header {missing}") from missing
    except (ValueError, AttributeError) as error:
        raise NoMessageError(f"a header or the key is nonsense: {error}") from error
    if not _UUID.fullmatch(message_id):
        raise NoMessageError(f"ce_id {message_id[:LABEL_CHARS_MAX]!r} is no UUID in lower case")
    if cause is not None and not _UUID.fullmatch(cause):
        raise NoMessageError(f"ce_causationid {cause[:LABEL_CHARS_MAX]!r} is no UUID in lower case")
    if at.tzinfo is None:
        raise NoMessageError("ce_time has no zone")
    if "\0" in key or "\0" in kind:
        raise NoMessageError("a zero byte in the key or the type")
    if value is None:
        raise NoMessageError("there is no value")
    return TornMessage(
        id=message_id,
        type=kind,
        key=key,
        source=source,
        at=at,
        correlation=correlation,
        body=msgspec.Raw(value),
        cause=cause,
        node=node or "",
        schema=schema,
        trace=trace,
    )


def _text(headers: Headers, name: str) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode()


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
