"""The one loop, over the twin and in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import pytest

from sagamart.messaging.database import CommitUnknownError, ConflictError, UnavailableError
from sagamart.messaging.inbox import INBOX_DAYS
from sagamart.messaging.limits import Limits
from sagamart.messaging.memory import MemoryDatabase
from sagamart.messaging.memory_store import Store
from sagamart.messaging.message import Body, Message
from sagamart.messaging.requests import Contended, Overloaded, StoredReply, request_of
from sagamart.messaging.sweep import Sweep
from sagamart.messaging.transport import Transport
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.worker import Node, Worker
from simulation.virtual_loop import run_virtually
from unit.boxes import AT, BOXES, Box, Break, Knock, Put, said

LASTS_S_MAX = timedelta(days=INBOX_DAYS).total_seconds()


class Once:
    """Trouble at one point of the twin, so many times."""

    def __init__(self, point: str, error: Exception, times: int = 1) -> None:
        self.point, self.error, self.left = point, error, times

    async def __call__(self, point: str) -> None:
        if point == self.point and self.left:
            self.left -= 1
            raise self.error


async def calm(_point: str) -> None:
    pass


class Kept(LocalTransport):
    """What is handed over stays on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Message[Body]] = []

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        self.sent += [message for message in messages if message.source == producer]


Test = Callable[[Worker, Store], Awaitable[None]]


def at_work(
    test: Test,
    pause: Callable[[str], Awaitable[None]] = calm,
    limits: Limits = Limits(),  # noqa: B008  immutable
    most: int = 2,
    transport: Transport | None = None,
) -> None:
    """Run a worker over an empty store while the test runs; a box holds so much at most."""

    async def run() -> None:
        def clock() -> datetime:
            return AT + timedelta(seconds=asyncio.get_running_loop().time())

        store = Store(BOXES, clock=clock, checks={Box: lambda box: box.count <= most})
        database = MemoryDatabase(store, node="n", pause=pause)
        worker = Worker(
            BOXES, database, transport or LocalTransport(), node=Node("n", clock, lambda: 0.5), limits=limits
        )
        lane = asyncio.create_task(worker.run())
        await asyncio.wait_for(test(worker, store), LASTS_S_MAX)
        worker.stop()
        await lane
        assert worker.failed is None

    run_virtually(run())


async def put(worker: Worker, key: str = "k", box: str = "a", number: int = 1) -> StoredReply:
    return await worker.ask(said(Put(box), number), request_of("ann", "put", key, {}))


def test_a_request_is_answered_when_it_is_committed() -> None:
    async def test(worker: Worker, store: Store) -> None:
        assert (await put(worker)).body == b'{"count":1}'
        assert store.rows[Box] == {"a": Box(1, "a", "", 1)}

    at_work(test)


def test_the_same_request_twice_is_one() -> None:
    async def test(worker: Worker, store: Store) -> None:
        first, joined = await asyncio.gather(put(worker, number=1), put(worker, number=2))
        assert first == joined == await put(worker, number=3)
        assert store.rows[Box]["a"].count == 1

    at_work(test)


def test_whoever_asks_first_and_goes_away_takes_the_answer_from_nobody() -> None:
    async def test(worker: Worker, store: Store) -> None:
        first, joined = asyncio.create_task(put(worker, number=1)), asyncio.create_task(put(worker, number=2))
        await asyncio.sleep(0)  # both have asked, nothing is answered
        first.cancel()

        assert (await joined).body == b'{"count":1}'
        assert store.rows[Box]["a"].count == 1

    at_work(test)


def test_the_same_key_of_two_customers_or_for_two_wishes_is_not_the_same_request() -> None:
    async def test(worker: Worker, store: Store) -> None:
        for number, (caller, route) in enumerate((("ann", "put"), ("bob", "put"), ("ann", "add")), 1):
            reply = await worker.ask(said(Put("a"), number), request_of(caller, route, "k", {}))
            assert reply.status == 200
        assert store.rows[Box]["a"].count == 3

    at_work(test, most=5)


def test_a_message_that_comes_again_after_the_inbox_was_pruned_counts_once() -> None:
    async def test(worker: Worker, store: Store) -> None:
        await put(worker, "k1", number=1)
        worker.offer([said(Knock("a"), 2)])
        await put(worker, "k2", box="b", number=3)
        await asyncio.sleep(timedelta(days=INBOX_DAYS - 1).total_seconds())
        await Sweep(worker).prune()

        worker.offer([said(Knock("a"), 2)])
        await put(worker, "k3", box="c", number=4)

        assert store.rows[Box]["a"].count == 1 + 10

    at_work(test, most=100)


@pytest.mark.parametrize("error", [ConflictError("deadlock"), UnavailableError("gone")])
def test_a_database_in_trouble_is_left_some_time(error: Exception) -> None:
    async def test(worker: Worker, _store: Store) -> None:
        assert (await put(worker)).status == 200
        assert asyncio.get_running_loop().time() >= 10

    at_work(test, Once("load", error, times=8), Limits(backoff_s=0.5, backoff_s_max=2.0))


@pytest.mark.parametrize(
    ("point", "error"),
    [
        ("write", ConflictError("deadlock")),
        ("load", UnavailableError("gone")),
        ("commit", CommitUnknownError("lost")),
        ("committed", CommitUnknownError("lost")),
        ("begin", UnavailableError("gone")),
    ],
)
def test_trouble_that_passes_is_not_seen_by_the_caller(point: str, error: Exception) -> None:
    async def test(worker: Worker, store: Store) -> None:
        assert (await put(worker)).status == 200
        assert store.rows[Box] == {"a": Box(1, "a", "", 1)}
        assert len(store.inbox) == 1

    at_work(test, Once(point, error))


def test_a_request_that_is_overtaken_again_and_again_may_be_asked_again_under_its_key() -> None:
    overtaken = Once("write", ConflictError("somebody was faster"), times=10_000)

    async def test(worker: Worker, store: Store) -> None:
        with pytest.raises(Contended):
            await put(worker, "k", "a", 1)
        assert store.rows[Box] == {}

        overtaken.left = 0
        assert (await put(worker, "k", "a", 2)).body == b'{"count":1}'

    at_work(test, overtaken)


def test_of_requests_that_are_overtaken_together_each_is_told_so() -> None:
    async def test(worker: Worker, _store: Store) -> None:
        asked = (put(worker, f"k{number}", "a", number) for number in range(1, 4))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in answers] == [Contended] * 3

    at_work(test, Once("write", ConflictError("somebody was faster"), times=10_000))


def test_after_an_unknown_commit_what_was_sent_is_hastened() -> None:
    async def test(worker: Worker, store: Store) -> None:
        await put(worker)
        assert [row.lease_until <= store.clock() for row in store.outbox.values()] == [True]

    at_work(test, Once("committed", CommitUnknownError("lost")))


def test_a_row_that_the_database_refuses_is_found_in_its_batch() -> None:
    async def test(worker: Worker, store: Store) -> None:
        await put(worker, "k1", "a", 1)
        await put(worker, "k2", "a", 2)
        replies = await asyncio.gather(put(worker, "k3", "b", 3), put(worker, "k4", "a", 4), put(worker, "k5", "c", 5))
        assert [reply.status for reply in replies] == [200, 500, 200]
        assert sorted(store.rows[Box]) == ["a", "b", "c"]

    at_work(test)


def test_a_key_that_the_database_cannot_hold_fails_its_request_only() -> None:
    async def test(worker: Worker, _store: Store) -> None:
        replies = await asyncio.gather(put(worker, "k1", "a\0b", 1), put(worker, "k2", "b", 2))
        assert [reply.status for reply in replies] == [500, 200]

    at_work(test)


def test_a_message_that_raises_goes_to_the_dead_letters_and_others_go_on() -> None:
    async def test(worker: Worker, store: Store) -> None:
        worker.offer([said(Break("a"), 1), said(Put("b"), 2)])
        await put(worker, box="c", number=3)
        assert [(letter.type, letter.status) for letter in store.letters.values()] == [("Break", "dead")]
        assert sorted(store.rows[Box]) == ["b", "c"]

    at_work(test)


def test_no_more_requests_are_taken_than_there_is_room_for() -> None:
    async def test(worker: Worker, _store: Store) -> None:
        first = asyncio.create_task(put(worker, "k1"))
        await asyncio.sleep(0)
        worker._requests.append(worker._requests[0])
        with pytest.raises(Overloaded):
            await put(worker, "k2", number=2)
        await first

    at_work(test, limits=Limits(requests_max=1))


def test_messages_are_taken_as_far_as_there_is_room() -> None:
    async def test(worker: Worker, store: Store) -> None:
        assert worker.offer([said(Put("a"), number) for number in (1, 2)]) == 1
        await put(worker, number=9)
        assert store.rows[Box]["a"].count == 2

    at_work(test, limits=Limits(messages_max=1))


def test_a_request_waits_while_too_much_of_what_was_said_is_on_its_way() -> None:
    async def test(worker: Worker, store: Store) -> None:
        worker.unarrived = lambda: len(worker.in_flight)
        await put(worker)
        second = asyncio.create_task(put(worker, "k2", "b", number=2))
        await asyncio.sleep(60)
        assert not second.done()
        assert "b" not in store.rows[Box]

        worker.arrived([message.id for message in kept.sent])
        await second
        assert store.rows[Box]["b"].count == 1

    kept = Kept()
    at_work(test, limits=Limits(unarrived_max=1), transport=kept)


def test_a_request_that_waits_for_room_finds_it_though_nobody_tells_of_it() -> None:
    async def test(worker: Worker, store: Store) -> None:
        on_the_way = [1]
        worker.unarrived = lambda: on_the_way[0]
        asked = asyncio.create_task(put(worker))
        await asyncio.sleep(60)
        assert not asked.done()

        on_the_way[0] = 0
        await asyncio.sleep(worker.limits.admit_s)
        assert store.rows[Box]["a"].count == 1
        await asked

    at_work(test, limits=Limits(unarrived_max=1))


def test_a_message_waits_for_nothing_that_is_on_its_way() -> None:
    async def test(worker: Worker, store: Store) -> None:
        worker.unarrived = lambda: 1_000
        worker.offer([said(Put("a"))])
        await asyncio.sleep(1)
        assert store.rows[Box]["a"].count == 1

    at_work(test)


def test_a_message_under_way_at_too_many_crashes_is_taken_for_poison() -> None:
    async def test(worker: Worker, store: Store) -> None:
        worker.be_careful()
        store.attempts[said(Put("a"), 1).id] = 3
        worker.offer([said(Put("a"), 1), said(Put("b"), 2)])
        await put(worker, box="c", number=3)
        assert [letter.key for letter in store.letters.values()] == ["a"]
        assert sorted(store.rows[Box]) == ["b", "c"]
        assert store.attempts == {}

    at_work(test)


@pytest.mark.parametrize("begin", [lambda _: None, Worker.be_careful], ids=["as always", "after a crash"])
def test_a_worker_that_is_to_stop_does_not_wait_for_a_database_that_is_away(begin: Callable[[Worker], None]) -> None:
    async def away(_point: str) -> None:
        raise UnavailableError("nobody listens")

    async def test(worker: Worker, store: Store) -> None:
        begin(worker)
        worker.offer([said(Put("a"), 1)])
        asking = asyncio.create_task(put(worker, number=2))
        await asyncio.sleep(30)
        assert not asking.done(), "it waits for the database"

        worker.stop()

        with pytest.raises(Overloaded):
            await asking
        assert store.rows[Box] == {}

    at_work(test, away)
