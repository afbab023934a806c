"""What a service takes from Kafka: when a record counts as finished, and by what it is known to be the same."""

from collections.abc import Sequence

from confluent_kafka import Message as Record

from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import Body, Message
from sagamart.messaging.transport.kafka_consumer import Inbound
from sagamart.messaging.transport.kafka_envelope import headers_of, value_of
from sagamart.messaging.transport.kafka_intake import Taken
from sagamart.messaging.transport.kafka_offsets import Progress
from unit.boxes import BOXES, Put, said

PUT = said(Put("a"))


class Reading:
    """A service that only remembers what it was offered."""

    name = "boxes"
    consumes = BOXES.consumes
    registry = BOXES.registry

    def __init__(self) -> None:
        self.offered: list[Message[Body]] = []

    def offer(self, messages: Sequence[Message[Body]]) -> int:
        self.offered += messages
        return len(messages)

    def arrived(self, message_ids: Sequence[str]) -> None:
        raise AssertionError(message_ids)

    def refused(self, message_ids: Sequence[str], after_s: float = 0) -> None:
        raise AssertionError(message_ids, after_s)

    async def bury(self, letters: Sequence[UnreadableLetter]) -> None:
        raise AssertionError(letters)


def read_at(offset: int, progress: Progress) -> Taken:
    """The same message, wherever it lies in the log."""
    headers = headers_of(PUT.type)
    return Taken(progress, Record("t", 0, offset, PUT.key.encode(), value_of(PUT), headers, None, (1, 1_000)))


async def test_an_offset_may_be_committed_when_the_database_has_its_message_and_not_before() -> None:
    service, progress = Reading(), Progress(7)
    inbound = Inbound(service, {}, "g", ["t"], BOXES.consumes)

    inbound.deliver([read_at(7, progress)])
    assert [one.id for one in service.offered] == [PUT.id]
    assert (progress.position, inbound.unfinished) == (7, 1)

    inbound.handled(service.offered)
    assert (progress.position, inbound.unfinished) == (8, 0)


async def test_a_message_that_lies_twice_in_the_log_is_one_message() -> None:
    service, progress = Reading(), Progress(7)
    inbound = Inbound(service, {}, "g", ["t"], BOXES.consumes)

    inbound.deliver([read_at(7, progress), read_at(9, progress)])
    assert {one.id for one in service.offered} == {PUT.id}

    inbound.handled(service.offered[:1])
    assert progress.position == 10
