"""A message as a Kafka record: what is written is read back whole, and is what the documents promise."""

from typing import Any

import msgspec
import pytest
from confluent_kafka import Message as Record

from sagamart.blueprints.cloud_events import event_of
from sagamart.messaging.message import Body, Message, Registry
from sagamart.messaging.transport.kafka_envelope import (
    NoMessageError,
    headers_of,
    letter_of,
    message_of,
    type_of,
    value_of,
)
from unit.boxes import AT, Put


class Shown(Body, frozen=True):
    box_id: str
    version: int
    status: str | None = None

    @property
    def key(self) -> str:
        return self.box_id


REGISTRY = Registry([Shown, Put])
SHOWN: Message[Body] = Message(
    id="019aa000-0000-7000-8000-000000000001",
    type="Shown",
    key="box-é",
    source="boxes",
    at=AT,
    correlation="019aa000-0000-7000-8000-000000000002",
    body=Shown("box-é", 3, "open"),
    cause="019aa000-0000-7000-8000-000000000003",
    node="a",
    trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)
PLAIN = msgspec.structs.replace(SHOWN, type="Put", body=Put("box-é"), cause=None, trace=None)


def record(message: Message[Body], key: bytes | None = None, **changed: str | None) -> Record:
    event = msgspec.json.decode(value_of(message)) | changed
    value = msgspec.json.encode({name: said for name, said in event.items() if said is not None})
    return Record("t", 0, 7, key or message.key.encode(), value, headers_of(message.type), None, (1, 1_000))


@pytest.mark.parametrize("message", [SHOWN, PLAIN, msgspec.structs.replace(SHOWN, body=Shown("box-é", 4))])
def test_the_event_is_that_of_the_documents(message: Message[Body]) -> None:
    assert msgspec.json.decode(value_of(message)) == event_of(message)


@pytest.mark.parametrize("message", [SHOWN, PLAIN])
def test_what_is_written_is_read_back_whole(message: Message[Body]) -> None:
    assert message_of(record(message), REGISTRY) == message


def test_an_event_of_somebody_elses_needs_no_attribute_of_ours() -> None:
    theirs = record(SHOWN, correlationid=None, node=None, schemaversion=None, causationid=None, theirs="more")
    read = message_of(theirs, REGISTRY)
    assert (read.body, read.correlation, read.schema, read.cause) == (SHOWN.body, SHOWN.id, 1, None)


def test_the_type_is_told_before_the_event_is_read() -> None:
    assert type_of([("content-type", b"application/cloudevents+json"), ("ce_type", b"Shown")]) == b"Shown"
    assert type_of([]) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"id": None},
        {"id": "019AA000-0000-7000-8000-000000000001"},
        {"time": "yesterday"},
        {"time": "2026-11-21T12:00:00"},
        {"schemaversion": "first"},
        {"causationid": "nobody"},
        {"type": "Sh\x00wn"},
        {"data": None},
        {"key": b"box\x00"},
        {"key": b"\xff"},
    ],
)
def test_what_no_database_could_keep_is_no_message_and_yet_kept(changed: dict[str, Any]) -> None:
    found = record(SHOWN, **changed)
    with pytest.raises(NoMessageError) as refused:
        message_of(found, REGISTRY)

    letter = letter_of(found, refused.value)

    assert letter == letter_of(found, refused.value), "the same each time that it comes"
    assert "\0" not in letter.key + letter.type + letter.error
    kept = msgspec.json.decode(letter.message)
    assert (kept["topic"], kept["partition"], kept["offset"], kept["id"]) == ("t", 0, 7, letter.id)
    assert msgspec.convert(kept["record_value"], bytes) == found.value()
