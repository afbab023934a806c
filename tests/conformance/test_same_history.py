"""The same random history on the twin and on PostgreSQL: every answer and all that can be seen is the same."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.sides import PostgresSide, Side, TwinSide, batch
from conformance.things import Line, Thing, an_id, answered, armed, letter, parcel
from sagamart.messaging.database import Changes, ConflictError, Database, RejectedError, Wanted
from sagamart.messaging.dead_letters import LetterStatus
from sagamart.messaging.records import need, need_by

EXAMPLES = 200
STEPS_MAX = 12

numbers = st.integers(1, 4)
keys = st.sampled_from(["apple", "pear", "plum"])
emails = st.sampled_from(["ann@example.org", "bob@example.org"])
nodes = st.sampled_from(["a", "b"])
amounts = st.integers(-1, 3)
things = st.builds(Thing, st.integers(1, 3), keys, emails, amounts)
Step = Callable[[Side, Database, str], Awaitable[Any]]


def _joined(*parts: Changes) -> Changes:
    """All of these in one batch, each thing written at most once, as a fold would have it."""
    whole, written = Changes(), set[str]()
    for part in parts:
        for field in Changes.__struct_fields__:
            if field not in written and getattr(part, field):
                setattr(whole, field, getattr(part, field))
                written |= {field, "armed", "disarmed"} if "armed" in field else {field}
    return whole


changes = st.one_of(
    numbers.map(lambda n: Changes(handled=[an_id(n)])),
    things.map(lambda thing: Changes(new={Thing: [thing]})),
    st.tuples(things, st.integers(1, 3)).map(lambda pair: Changes(changed={Thing: [pair]})),
    st.builds(Line, keys, keys, amounts).map(lambda line: Changes(new={Line: [line]})),
    keys.map(answered),
    numbers.map(lambda n: Changes(outbox=[parcel(n, n + 10)])),
    st.tuples(numbers, keys, st.integers(0, 100)).map(lambda t: armed(t[0], key=t[1], after_s=t[2])),
    keys.map(lambda key: Changes(disarmed=[(key, "deadline")])),
    st.builds(letter, numbers, keys, st.sampled_from(get_args(LetterStatus)[:2])),
    numbers.map(lambda n: Changes(revived=[an_id(n)], arrived=[an_id(n)], attempted=[an_id(n)])),
)


def _batch(change: Changes, key: str, email: str, number: int) -> Step:
    wanted = Wanted([an_id(number)], [key], [an_id(number)], [key], [need(Thing, key), need_by(Thing, "email", email)])

    async def step(_side: Side, database: Database, _node: str) -> Any:
        found = await batch(database, wanted, change)
        return found.handled, found.parked, found.timers, found.requests, found.records

    return step


def _sweep(name: str, limit: int) -> Step:
    async def step(_side: Side, database: Database, node: str) -> Any:
        match name:
            case "outbox":
                return sorted(await database.due_outbox(node, limit))
            case "timers":
                return len(await database.due_timers(limit))
            case _:
                return sorted(await database.due_letters(limit))

    return step


def _on_messages(name: str, number: int) -> Step:
    async def step(side: Side, database: Database, node: str) -> Any:
        ids = [an_id(number)]
        match name:
            case "forget_arrived":
                await database.forget_arrived(ids)
            case "postpone":
                return await database.postpone(dict.fromkeys(ids, 50.0))
            case "hasten":
                return await database.postpone(dict.fromkeys(ids, 0.0))
            case "count_attempts":
                return await database.count_attempts(ids)
            case "begin_life":
                return await database.begin_life(node)
            case "end_life":
                await database.end_life(node)
            case "release":
                await side.set_letter(ids[0], "released")
            case "prune":
                await database.prune(datetime(2020 + 100 * (number % 2), 1, 1, tzinfo=UTC))
            case _:
                await side.pass_time(number * 13)
        return None

    return step


NAMES = [
    "forget_arrived",
    "postpone",
    "hasten",
    "count_attempts",
    "begin_life",
    "end_life",
    "release",
    "prune",
    "pass_time",
]
steps = st.one_of(
    st.builds(_batch, st.lists(changes, min_size=1, max_size=3).map(lambda c: _joined(*c)), keys, emails, numbers),
    st.builds(_sweep, st.sampled_from(["outbox", "timers", "letters"]), st.integers(4, 9)),
    st.builds(_on_messages, st.sampled_from(NAMES), numbers),
)


async def _outcome(step: Step, side: Side, node: str) -> Any:
    try:
        return await step(side, side.a if node == "a" else side.b, node)
    except (ConflictError, RejectedError):
        return "refused"


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=st.lists(st.tuples(steps, nodes), min_size=1, max_size=STEPS_MAX))
async def test_both_sides_tell_the_same_story(history: list[tuple[Step, str]], postgres_side: PostgresSide) -> None:
    twin = TwinSide()
    await postgres_side.empty()
    for step, node in history:
        assert await _outcome(step, twin, node) == await _outcome(step, postgres_side, node)
    assert msgspec.to_builtins(await twin.shown()) == msgspec.to_builtins(await postgres_side.shown())
