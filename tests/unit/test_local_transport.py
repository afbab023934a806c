"""All services in one process: a message has arrived when every consumer has committed it."""

from collections.abc import Sequence

from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import Body, Message, Registry
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.transport.reached import REMEMBERED_MAX, RENEWED_EVERY, Reached
from unit.boxes import Put, said


class Listener:
    """A worker as the transport sees it: it takes `room` messages, and remembers what it is told."""

    def __init__(self, name: str, *consumes: str, room: int = 9) -> None:
        self.name = name
        self.consumes = frozenset(consumes)
        self.room = room
        self.offered: list[str] = []
        self.gone: list[str] = []
        self.back: list[str] = []

    def offer(self, messages: Sequence[Message[Body]]) -> int:
        taken = messages[: self.room]
        self.offered += [message.id for message in taken]
        return len(taken)

    registry = Registry(())

    async def bury(self, letters: Sequence[UnreadableLetter]) -> None:
        raise AssertionError(letters)

    def arrived(self, message_ids: Sequence[str]) -> None:
        self.gone += message_ids

    def refused(self, message_ids: Sequence[str], _after_s: float = 0) -> None:
        self.back += message_ids


def connected(*listeners: Listener) -> LocalTransport:
    transport = LocalTransport()
    for listener in listeners:
        transport.connect(listener)
    return transport


PUT = said(Put("a"), 1)
AGAIN = said(Put("a"), 2)


def test_a_message_arrives_when_every_consumer_has_committed_it() -> None:
    producer, one, two = Listener("test"), Listener("one", "Put"), Listener("two", "Put")
    transport = connected(producer, one, two)

    transport.hand_over("test", [PUT])
    transport.handled("one", [PUT])
    assert producer.gone == []

    transport.handled("two", [PUT])
    assert producer.gone == [PUT.id]


def test_a_message_that_nobody_consumes_has_arrived() -> None:
    producer = Listener("test")
    connected(producer).hand_over("test", [PUT])
    assert producer.gone == [PUT.id]


def test_a_consumer_that_commits_twice_counts_once() -> None:
    producer, one, two = Listener("test"), Listener("one", "Put"), Listener("two", "Put")
    transport = connected(producer, one, two)
    transport.hand_over("test", [PUT])
    transport.handled("one", [PUT, PUT])
    assert producer.gone == []


def test_what_one_consumer_cannot_take_comes_back_and_has_not_arrived() -> None:
    producer, one, full = Listener("test"), Listener("one", "Put"), Listener("full", "Put", room=1)
    transport = connected(producer, one, full)

    transport.hand_over("test", [PUT, AGAIN])
    transport.handled("one", [PUT, AGAIN])
    transport.handled("full", [PUT])

    assert (producer.gone, producer.back) == ([PUT.id], [AGAIN.id])


def test_what_came_back_may_be_handed_over_again() -> None:
    producer, full = Listener("test"), Listener("full", "Put", room=0)
    transport = connected(producer, full)
    transport.hand_over("test", [PUT])
    full.room = 1
    transport.hand_over("test", [PUT])
    transport.handled("full", [PUT])
    assert (producer.gone, producer.back, full.offered) == ([PUT.id], [PUT.id], [PUT.id])


def test_what_came_back_is_offered_again_to_those_only_who_have_not_committed_it() -> None:
    producer, one, full = Listener("test"), Listener("one", "Put"), Listener("full", "Put", room=0)
    transport = connected(producer, one, full)
    transport.hand_over("test", [PUT])
    transport.handled("one", [PUT])

    full.room = 1
    transport.hand_over("test", [PUT])
    assert (one.offered, full.offered) == ([PUT.id], [PUT.id])

    transport.handled("full", [PUT])
    assert (producer.gone, producer.back) == ([PUT.id], [PUT.id])


def test_a_consumer_that_had_it_in_its_queue_when_it_came_back_is_not_taken_to_have_committed_it() -> None:
    producer, slow, full = Listener("test"), Listener("slow", "Put"), Listener("full", "Put", room=0)
    transport = connected(producer, slow, full)
    transport.hand_over("test", [PUT])
    full.room = 1
    transport.hand_over("test", [PUT])
    transport.handled("full", [PUT])
    assert producer.gone == []

    transport.handled("slow", [PUT])
    assert producer.gone == [PUT.id]


def test_of_so_many_that_came_back_those_that_are_not_remembered_are_told_to_everybody_again() -> None:
    producer, one, full = Listener("test"), Listener("one", "Put", room=REMEMBERED_MAX + 9), Listener("full", "Put")
    full.room = 0
    transport = connected(producer, one, full)
    many = [said(Put("a"), number) for number in range(REMEMBERED_MAX + 1)]
    transport.hand_over("test", many)
    transport.handled("one", many)
    one.offered.clear()

    transport.hand_over("test", [many[0], many[-1]])

    assert one.offered == [many[-1].id]


def test_what_is_remembered_of_more_than_can_be_is_renewed_little_by_little() -> None:
    reached = Reached()
    for number in range(REMEMBERED_MAX + RENEWED_EVERY):
        reached.remember(str(number), ["one"])

    assert len(reached) == REMEMBERED_MAX
    assert not reached.take("0")
    assert reached.take("1") == {"one"}
    assert reached.take(str(REMEMBERED_MAX + RENEWED_EVERY - 1)) == {"one"}
