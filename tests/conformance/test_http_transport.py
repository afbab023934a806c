"""Services in processes of their own, over real sockets: what a transport owes its workers, and what goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from listeners import CONSUMERS, EMITS, TOKENS, Listener
from sagamart.messaging.message import Message
from sagamart.messaging.transport.http import LANES, QUEUE_MAX, HttpTransport
from sagamart.platform.http.server import Server
from sagamart.platform.internal.listener import InternalListener
from sagamart.platform.internal.posting import Destinations, Posting
from sagamart.platform.ports import Ports
from unit.boxes import Hush, Put, WasPut, said

DEADLINE_S = 30.0
PUT, AGAIN, THIRD = said(Put("a"), 1), said(Put("b"), 2), said(Put("c"), 3)


class Town:
    """The producer `test` and the consumers `one` and `two`, each in what could be a process of its own."""

    def __init__(self, closing: AsyncExitStack) -> None:
        self.closing = closing
        self.test, self.one, self.two = Listener("test"), Listener("one", Put, WasPut), Listener("two", Put)
        self.one_beside = Listener("one", Put, WasPut)
        self.ports: dict[str, list[int]] = {"one": [], "two": []}
        self.transports: dict[str, HttpTransport] = {}

    def unused_port(self) -> int:
        """A port on which nobody listens yet."""
        return self.closing.enter_context(Ports()).take()

    async def listens(self, consumer: Listener, port: int = 0) -> Server:
        """Let a consumer take posts, on a port that is known before or a new one."""
        transport = await self.closing.enter_async_context(HttpTransport(CONSUMERS, nobody))
        transport.connect(consumer)
        self.transports[consumer.name] = transport
        app = InternalListener(transport, {consumer.name: consumer.service}, EMITS, TOKENS)
        server = await self.closing.enter_async_context(Server(app, host="127.0.0.1", port=port, share_port=True))
        self.ports[consumer.name].append(server.port)
        return server

    async def sends(self, *messages: Message[Any], takes_messages: bool = True) -> None:
        """Hand these over, as the producer does."""
        if "test" not in self.transports:
            where = [f"{name}=http://127.0.0.1:{port}" for name, ports in self.ports.items() for port in ports]
            posting = Posting(Destinations(where), TOKENS)
            self.closing.callback(posting.close)
            transport = HttpTransport(CONSUMERS, posting, takes_messages=takes_messages)
            self.transports["test"] = await self.closing.enter_async_context(transport)
            transport.connect(self.test)
            if not takes_messages:
                transport.connect(self.one_beside)
        self.transports["test"].hand_over("test", messages)

    def commits(self, consumer: Listener, *messages: Message[Any]) -> None:
        """The consumer has committed these."""
        self.transports[consumer.name].handled(consumer.name, messages)


async def nobody(_producer: str, _consumer: str, _lane: int, _messages: bytes) -> bytes:
    raise AssertionError("consumers send nothing here")


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that has to come true."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  what it waits for sets no event
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    async with AsyncExitStack() as closing:
        yield Town(closing)


async def test_a_message_arrives_when_every_consumer_has_committed_it(town: Town) -> None:
    await town.listens(town.one)
    await town.listens(town.two)

    await town.sends(PUT)
    await until(lambda: town.one.offered == town.two.offered == [PUT])
    town.commits(town.one, PUT)
    town.commits(town.two, AGAIN)
    assert town.test.gone == []

    town.commits(town.two, PUT)
    await until(lambda: town.test.gone == [PUT.id])


async def test_a_process_that_only_takes_requests_posts_what_its_own_services_would_take_too(town: Town) -> None:
    await town.listens(town.one)
    await town.listens(town.two)

    await town.sends(PUT, takes_messages=False)
    await until(lambda: town.one.offered == town.two.offered == [PUT])
    assert town.one_beside.offered == []


async def test_what_is_on_its_way_is_counted_where_most_is(town: Town) -> None:
    await town.listens(town.one)
    await town.listens(town.two)
    await town.sends(PUT, AGAIN)
    await until(lambda: town.one.offered == town.two.offered == [PUT, AGAIN])

    town.commits(town.two, PUT, AGAIN)
    assert town.transports["test"].on_the_way("test") == 2
    town.commits(town.one, PUT, AGAIN)
    await until(lambda: town.transports["test"].on_the_way("test") == 0)


async def test_a_consumer_to_which_nothing_gets_through_holds_up_nobody(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagamart.messaging.transport.http.STALLED_S", 1.0)
    await town.listens(town.one)
    town.ports["two"].append(town.unused_port())
    await town.sends(PUT, AGAIN)
    await until(lambda: town.one.offered == [PUT, AGAIN])
    town.commits(town.one, PUT, AGAIN)
    assert town.transports["test"].on_the_way("test") == 2

    await until(lambda: town.transports["test"].on_the_way("test") == 0)
    await town.sends(THIRD)
    assert town.transports["test"].on_the_way("test") == 1, "one that takes something counts"
    await until(lambda: THIRD in town.one.offered)
    town.commits(town.one, THIRD)


async def test_a_message_that_nobody_consumes_has_arrived(town: Town) -> None:
    hush = said(Hush("a"))
    await town.sends(hush)
    assert town.test.gone == [hush.id]


async def test_messages_travel_in_batches_and_none_is_lost_or_doubled(town: Town) -> None:
    await town.listens(town.one)
    many = [said(WasPut(str(number), number), number) for number in range(2_000)]
    town.one.room = 10_000

    await town.sends(*many)
    await until(lambda: len(town.one.offered) == len(many))
    town.commits(town.one, *many)

    await until(lambda: sorted(town.test.gone) == [one.id for one in many])
    assert sorted(one.id for one in town.one.offered) == [one.id for one in many]


async def test_what_a_consumer_has_no_room_for_goes_back_and_only_that_one_is_told_again(town: Town) -> None:
    await town.listens(town.one)
    await town.listens(town.two)
    town.two.room = 1

    await town.sends(PUT, AGAIN)
    await until(lambda: town.one.offered == [PUT, AGAIN] and town.two.offered == [PUT])
    town.commits(town.one, PUT, AGAIN)
    town.commits(town.two, PUT)
    await until(lambda: (town.test.gone, town.test.back) == ([PUT.id], [AGAIN.id]))

    await town.sends(AGAIN)
    await until(lambda: town.two.offered == [PUT, AGAIN])
    town.commits(town.two, AGAIN)
    await until(lambda: town.test.gone == [PUT.id, AGAIN.id])
    assert town.one.offered == [PUT, AGAIN]


async def test_a_consumer_that_takes_nothing_is_asked_again_until_it_does(town: Town) -> None:
    await town.listens(town.one)
    town.one.room = 0
    told = said(WasPut("a", 1))

    await town.sends(told)
    await until(lambda: town.one.asked > 1)
    town.one.room = 1
    await until(lambda: town.one.offered == [told])
    town.commits(town.one, told)

    await until(lambda: town.test.gone == [told.id])
    assert town.test.back == []


async def test_a_consumer_that_comes_later_is_told_and_the_others_are_not_told_again(town: Town) -> None:
    await town.listens(town.one)
    later = town.unused_port()
    town.ports["two"].append(later)

    await town.sends(PUT)
    await until(lambda: town.one.offered == [PUT])
    town.commits(town.one, PUT)
    await town.listens(town.two, later)
    await until(lambda: town.two.offered == [PUT])
    town.commits(town.two, PUT)

    await until(lambda: town.test.gone == [PUT.id])
    assert town.one.offered == [PUT]


async def test_where_one_replica_is_dead_the_other_takes_the_posts(town: Town) -> None:
    town.ports["one"].append(town.unused_port())
    await town.listens(town.one)
    told = [said(WasPut("a", number), number) for number in range(10)]

    for message in told:
        await town.sends(message)
    await until(lambda: len(town.one.offered) == len(told))
    town.commits(town.one, *told)

    await until(lambda: sorted(town.test.gone) == [message.id for message in told])


async def test_a_post_whose_answer_is_lost_is_posted_again(town: Town) -> None:
    cut = asyncio.Event()

    async def cut_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"]")
        writer.close()
        cut.set()

    port = town.unused_port()
    breaking = await asyncio.start_server(cut_off, "127.0.0.1", port, reuse_port=True)
    town.ports["one"].append(port)
    told = said(WasPut("a", 1))

    await town.sends(told)
    async with asyncio.timeout(DEADLINE_S):
        await cut.wait()
    breaking.close()
    await breaking.wait_closed()
    await town.listens(town.one, port)
    await until(lambda: town.one.offered == [told])
    town.commits(town.one, told)

    await until(lambda: town.test.gone == [told.id])


async def test_a_message_that_is_posted_twice_is_queued_once_and_answered_twice(town: Town) -> None:
    await town.listens(town.one)
    transport = town.transports["one"]

    first = asyncio.create_task(transport.receive("one", [PUT, AGAIN]))
    second = asyncio.create_task(transport.receive("one", [AGAIN, THIRD]))
    await until(lambda: len(town.one.offered) > 2)
    town.commits(town.one, PUT, AGAIN, THIRD)

    assert (await first, await second) == ([], [])
    assert town.one.offered == [PUT, AGAIN, THIRD]


async def test_what_a_full_queue_cannot_hold_stays_in_the_outbox(town: Town) -> None:
    town.ports["one"].append(town.unused_port())
    many = [said(WasPut("a", number), number) for number in range(QUEUE_MAX + 1)]

    await town.sends(*many)

    assert town.test.back == [many[-1].id]


async def test_a_consumer_that_is_gone_for_long_keeps_nothing_from_the_others(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagamart.messaging.transport.http.QUEUE_MAX", 10)
    monkeypatch.setattr("sagamart.messaging.transport.http.POSTED_MAX", 1)
    await town.listens(town.one)
    town.ports["two"].append(town.unused_port())
    puts = [said(Put("a"), number) for number in range(10 + LANES + 1)]

    def one_has_heard(count: int) -> bool:
        town.commits(town.one, *town.one.offered)
        return len(town.one.offered) == count

    await town.sends(*puts[:10])
    await until(lambda: one_has_heard(10))
    await town.sends(*puts[10:])
    assert town.test.back, "a lane holds one message, and the queue of the one that is gone no more than ten"
    await until(lambda: one_has_heard(len(puts)))


async def test_a_consumer_in_the_same_process_is_told_in_memory(town: Town) -> None:
    told = said(WasPut("a", 1))
    await town.sends()
    town.transports["test"].connect(town.one)

    await town.sends(told)
    assert town.one.offered == [told]
    town.transports["test"].handled("one", [told])

    assert town.test.gone == [told.id]
