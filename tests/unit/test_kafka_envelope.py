"""A message as a Kafka record: what is written is read back whole, and is what the documents promise."""

import msgspec
import pytest
from confluent_kafka import Message as Record

from sagamart.blueprints.cloud_events import attributes_of
from sagamart.messaging.message import Body, Message, Registry
from sagamart.messaging.transport.kafka_envelope import NoMessageError, headers_of, letter_of, message_of, value_of
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


def text_headers(message: Message[Body]) -> dict[str, str]:
    return {n: v.decode() if isinstance(v, bytes) else str(v) for n, v in headers_of(message)}


def record(message: Message[Body], key: bytes | None = None, **changed: bytes | None) -> Record:
    headers = {name: value.encode() for name, value in text_headers(message).items()} | changed
    sent = {name: value for name, value in headers.items() if value is not None}
    return Record("t", 0, 7, key or message.key.encode(), value_of(message), list(sent.items()), None, (1, 1_000))


def headers_in(found: Record) -> dict[str, bytes]:
    return dict(found.headers() or ())  # type: ignore[arg-type]  # a received record has bytes


@pytest.mark.parametrize("message", [SHOWN, PLAIN, msgspec.structs.replace(SHOWN, body=Shown("box-é", 4))])
def test_the_headers_are_those_of_the_documents(message: Message[Body]) -> None:
    assert text_headers(message) == attributes_of(message)


@pytest.mark.parametrize("message", [SHOWN, PLAIN])
def test_what_is_written_is_read_back_whole(message: Message[Body]) -> None:
    found = record(message)
    assert message_of(found, headers_in(found), REGISTRY) == message


@pytest.mark.parametrize(
    "changed",
    [
        {"ce_id": None},
        {"ce_id": b"019AA000-0000-7000-8000-000000000001"},
        {"ce_id": b"\xff"},
        {"ce_time": b"yesterday"},
        {"ce_time": b"2026-11-21T12:00:00"},
        {"ce_schemaversion": b"first"},
        {"ce_causationid": b"nobody"},
        {"ce_type": b"Sh\x00wn"},
        {"key": b"box\x00"},
    ],
)
def test_what_no_database_could_keep_is_no_message_and_yet_kept(changed: dict[str, bytes | None]) -> None:
    found = record(SHOWN, **changed)
    with pytest.raises(NoMessageError) as refused:
        message_of(found, headers_in(found), REGISTRY)

    letter = letter_of(found, headers_in(found), refused.value)

    assert letter == letter_of(found, headers_in(found), refused.value), "the same each time that it comes"
    assert "\0" not in letter.key + letter.type + letter.error
    kept = msgspec.json.decode(letter.message)
    assert (kept["topic"], kept["partition"], kept["offset"], kept["id"]) == ("t", 0, 7, letter.id)
    assert msgspec.convert(kept["record_value"], bytes) == value_of(SHOWN)
