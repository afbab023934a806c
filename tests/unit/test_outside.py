"""Calls to the world outside, over the twin and in virtual time: one outcome each, whatever fails or dies."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from sagamart.messaging.decision import Decision, Reply
from sagamart.messaging.memory import MemoryDatabase
from sagamart.messaging.memory_store import Store
from sagamart.messaging.message import Body, Message
from sagamart.messaging.outbox import Parcel
from sagamart.messaging.outside import BACKOFF_S_MAX, FINISH_S, Breaker, Outside, OutsideCalls, backoff_s
from sagamart.messaging.records import Record, Records, Table, need
from sagamart.messaging.requests import request_of
from sagamart.messaging.service import Handler, Service
from sagamart.messaging.sweep import Sweep
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.worker import Node, Worker
from sagamart.platform.metrics import Metrics
from simulation.virtual_loop import run_virtually
from unit.boxes import AT, Put, said


class Wish(Record, frozen=True):
    wish_id: str
    granted: int = 0


class About(Body, frozen=True):
    wish_id: str

    @property
    def key(self) -> str:
        return self.wish_id


class Ask(About, frozen=True):
    """Somebody wishes."""


class Peek(About, frozen=True):
    """Somebody asks for nothing outside."""


class WishSent(About, frozen=True):
    """An intent."""


class Granted(About, frozen=True):
    """Its outcome."""


def _grant(message: Message[Granted], have: Records) -> Decision:
    wish = have.get(Wish, message.body.wish_id)
    return Decision(save=[Wish(wish.version + 1, wish.wish_id, wish.granted + 1)])


WISHES = Service(
    "wishes",
    tables=(Table(Wish, "wishes", key="wish_id"),),
    migrations="",
    handlers=(
        Handler(
            takes=Ask,
            needs=lambda m: (need(Wish, m.body.wish_id),),
            decide=lambda m, _: Decision(
                save=[Wish(1, m.body.wish_id)], send=[WishSent(m.body.wish_id)], reply=Reply()
            ),
            emits=(WishSent,),
        ),
        Handler(takes=Peek, decide=lambda _m, _: Decision(reply=Reply())),
        Handler(takes=Granted, needs=lambda m: (need(Wish, m.body.wish_id),), decide=_grant),
    ),
    outside=(WishSent,),
)


class Star:
    """The world outside: grants a wish once a key, after failing so often; counts what it hears."""

    def __init__(self, *, failures: int = 0, takes_s: float = 0.0, silent: bool = False) -> None:
        self.heard: Counter[str] = Counter()
        self.at_s: list[float] = []
        self.granted: set[str] = set()
        self.at_once = self.at_once_max = 0
        self.failures, self.takes_s = failures, takes_s
        self.silent = silent

    async def call(self, message: Message[WishSent]) -> Body | None:
        self.heard[message.id] += 1
        self.at_s.append(asyncio.get_running_loop().time())
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        if self.failures:
            self.failures -= 1
            raise ConnectionError("clouds")
        self.granted.add(message.id)
        return None if self.silent else Granted(message.body.wish_id)


class Watched(LocalTransport):
    """A transport that says what it was handed."""

    def __init__(self) -> None:
        super().__init__()
        self.handed: list[str] = []

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        self.handed += [message.type for message in messages]
        super().hand_over(producer, messages)


class Sky:
    """A service that calls outside, at work over a store that outlives its processes."""

    def __init__(self, star: Star, **bounds: Any) -> None:
        self.star = star
        self.store = Store(WISHES, clock=self.clock)
        self.bounds = bounds
        self.crash_at: str | None = None

    def clock(self) -> datetime:
        return AT + timedelta(seconds=asyncio.get_running_loop().time())

    async def start(self) -> None:
        node = Node("n", self.clock, lambda: 0.5)
        outside = Outside(name="star", calls={WishSent: self.star.call}, **self.bounds)
        database = MemoryDatabase(self.store, node="n", pause=self._pause)
        self.transport = Watched()
        self.worker = Worker(WISHES, database, self.transport, node=node)
        self.calls = OutsideCalls(self.worker, [outside])
        await database.begin_life("n")
        runs = (self.worker.run(), Sweep(self.worker).run(), self.calls.run())
        self.tasks = [asyncio.create_task(one) for one in runs]

    async def kill(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def ask(self, *wish_ids: str) -> None:
        for number, wish_id in enumerate(wish_ids, 1):
            await self.worker.ask(said(Ask(wish_id), number), request_of("ann", "ask", wish_id, {}))

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(3600):
            while not holds():  # noqa: ASYNC110  a condition on what the twin holds
                await asyncio.sleep(0.01)

    async def until_at_rest(self) -> None:
        await self.until(lambda: not self.store.outbox)

    def granted(self) -> Sequence[int]:
        return [wish.granted for wish in self.store.rows[Wish].values()]

    async def _pause(self, point: str) -> None:
        if point == self.crash_at and self.star.granted:
            self.crash_at = None
            raise asyncio.CancelledError


def under(test: Callable[[Sky], Awaitable[None]], star: Star, **bounds: Any) -> None:
    async def run() -> None:
        sky = Sky(star, **bounds)
        await sky.start()
        await test(sky)
        await sky.kill()

    run_virtually(run())


def test_an_intent_with_nothing_to_tell_is_over_with_its_answer() -> None:
    async def test(sky: Sky) -> None:
        await sky.ask("a")
        await sky.until_at_rest()
        assert (list(sky.star.heard.values()), sky.granted()) == ([2], [0])

    under(test, Star(failures=1, silent=True))


def test_what_became_an_intent_after_it_was_packed_goes_outside_and_the_rest_its_way() -> None:
    async def test(sky: Sky) -> None:
        sky.worker.send(Parcel("p", [said(Put("b"), 8), said(WishSent("a"), 9)]))
        await sky.until(lambda: len(sky.star.granted) == 1)
        assert sky.transport.handed == ["Put"]

    under(test, Star())


def test_an_intent_is_called_once_and_its_outcome_is_handled() -> None:
    star = Star()

    async def test(sky: Sky) -> None:
        await sky.ask("moon")
        await sky.until_at_rest()
        assert sky.granted() == [1]

    under(test, star)
    assert list(star.heard.values()) == [1]


def test_an_intent_never_reaches_the_transport() -> None:
    async def test(sky: Sky) -> None:
        await sky.ask("moon")
        await sky.until_at_rest()
        assert sky.transport.handed == []

    under(test, Star())


def test_a_failed_call_is_repeated_under_its_key_with_growing_pauses() -> None:
    star = Star(failures=4)

    async def test(sky: Sky) -> None:
        await sky.ask("moon")
        await sky.until_at_rest()
        assert sky.granted() == [1]

    under(test, star, failures_max=100)
    assert list(star.heard.values()) == [5]
    pauses = [later - earlier for earlier, later in zip(star.at_s, star.at_s[1:], strict=False)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 3


def test_a_call_that_is_late_counts_as_failed() -> None:
    star = Star(takes_s=60)

    async def test(sky: Sky) -> None:
        await sky.ask("moon")
        await sky.until(lambda: len(star.at_s) == 2)
        star.takes_s = 0
        await sky.until_at_rest()
        assert sky.granted() == [1]

    under(test, star, deadline_s=5)


def test_a_process_that_dies_during_a_call_calls_again_under_the_same_key() -> None:
    star = Star(takes_s=5)

    async def test(sky: Sky) -> None:
        await sky.ask("moon")
        await sky.until(lambda: bool(star.heard))
        await sky.kill()
        await sky.start()
        await sky.until_at_rest()
        assert sky.granted() == [1]

    under(test, star)
    assert list(star.heard.values()) == [2]


@pytest.mark.parametrize("point", ["write", "commit", "committed"])
def test_a_process_that_dies_at_the_commit_of_an_outcome_has_one_effect(point: str) -> None:
    star = Star()

    async def test(sky: Sky) -> None:
        sky.crash_at = point
        await sky.ask("moon")
        await sky.until(lambda: sky.crash_at is None)
        await sky.kill()
        await sky.start()
        await sky.until_at_rest()
        assert sky.granted() == [1]

    under(test, star)
    assert list(star.heard.values()) == [2]
    assert len(star.granted) == 1


def test_a_slow_outside_delays_nobody_else() -> None:
    async def test(sky: Sky) -> None:
        began_s = asyncio.get_running_loop().time()
        await sky.ask(*"abcdefgh")
        await sky.worker.ask(said(Peek("a"), 99), request_of("ann", "peek", "k", {}))
        assert asyncio.get_running_loop().time() - began_s < 1
        await sky.until_at_rest()

    under(test, Star(takes_s=8))


def test_only_so_many_calls_run_at_once_and_none_is_lost() -> None:
    star = Star(takes_s=0.5)

    async def test(sky: Sky) -> None:
        await sky.ask(*(f"w{number}" for number in range(40)))
        await sky.until_at_rest()
        assert sky.granted() == [1] * 40

    under(test, star, concurrency_max=3, waiting_max=5)
    assert star.at_once_max == 3
    assert set(star.heard.values()) == {1}


def test_an_intent_that_waited_past_its_lease_is_left_to_whoever_leases_it_next() -> None:
    star = Star(takes_s=20)

    async def test(sky: Sky) -> None:
        await sky.ask("a", "b", "c")
        await sky.until_at_rest()
        assert sky.granted() == [1, 1, 1]

    under(test, star, concurrency_max=1, deadline_s=25)
    assert set(star.heard.values()) == {1}


def test_while_the_breaker_is_open_only_a_probe_calls() -> None:
    star = Star(failures=10**6)

    async def test(sky: Sky) -> None:
        await sky.ask(*(f"w{number}" for number in range(20)))
        await sky.until(lambda: sky.calls.destinations[0].breaker.state == "open")
        calls = sum(star.heard.values())
        await asyncio.sleep(100)
        assert sum(star.heard.values()) - calls <= 10
        star.failures = 0
        await sky.until_at_rest()
        assert sky.granted() == [1] * 20
        assert sky.calls.destinations[0].breaker.state == "closed"

    under(test, star, failures_max=5, open_s=10, concurrency_max=2)


def test_a_stop_waits_for_an_outcome_but_not_long() -> None:
    async def test(sky: Sky) -> None:
        await sky.ask("quick")
        await sky.until(lambda: bool(star.heard))
        await sky.calls.finish()
        assert sky.granted() == [1]
        star.takes_s = 60
        await sky.kill()
        await sky.start()
        await sky.worker.ask(said(Ask("slow"), 2), request_of("ann", "ask", "slow", {}))
        await sky.until(lambda: len(star.heard) == 2)
        began_s = asyncio.get_running_loop().time()
        await sky.calls.finish()
        assert asyncio.get_running_loop().time() - began_s <= FINISH_S + 0.1

    star = Star(takes_s=0.2)
    under(test, star)


def test_a_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    breaker = Breaker(failures_max=2, open_s=10)
    breaker.failed(0)
    breaker.succeeded()
    breaker.failed(1)
    assert breaker.admits(1)
    breaker.failed(2)
    assert not breaker.admits(11.9)
    assert breaker.pause_s(3) == 9
    assert breaker.admits(12)
    assert not breaker.admits(12)
    breaker.failed(13)
    assert not breaker.admits(22.9)
    assert breaker.admits(23)
    breaker.succeeded()
    assert breaker.state == "closed"


def test_the_pause_after_a_failure_doubles_with_the_age_up_to_a_cap() -> None:
    ages_s = (-5, 0, 1, 4, 32, 3600)
    assert [backoff_s(AT, AT + timedelta(seconds=age)) for age in ages_s] == [1, 1, 1, 4, 32, BACKOFF_S_MAX]


def test_an_adapter_for_an_intent_that_is_not_declared_is_refused() -> None:
    worker = Worker(WISHES, MemoryDatabase(Store(WISHES), node="n"), LocalTransport(), node=Node("n"))
    with pytest.raises(TypeError, match="declares as outside"):
        OutsideCalls(worker, [])


def test_a_deadline_beyond_the_lease_is_refused() -> None:
    with pytest.raises(ValueError, match="another replica"):
        Outside(name="star", calls={}, deadline_s=30)


def test_calls_and_breakers_are_measured() -> None:
    metrics = Metrics()

    async def test(sky: Sky) -> None:
        metrics.outside_calls("wishes", sky.calls)
        await sky.ask("moon")
        await sky.until_at_rest()

    under(test, Star(failures=1), failures_max=1)
    told = metrics.exposition().decode()
    assert 'outside_call_seconds_count{destination="star",outcome="failed",service="wishes"} 1.0' in told
    assert 'outside_call_seconds_count{destination="star",outcome="answered",service="wishes"} 1.0' in told
    assert 'sagamart_outside_breaker{destination="star",service="wishes"} 0.0' in told
