"""A batch, alone and against another one: the twin and PostgreSQL answer alike."""

import asyncio
from typing import Any

import msgspec
import pytest

from conformance.sides import Shown, Side, batch, write
from conformance.things import (
    APPLE,
    AT,
    PEAR,
    Line,
    Thing,
    an_id,
    answered,
    changed,
    handled,
    later,
    letter,
    new,
    parcel,
    wanted,
)
from sagamart.messaging.database import Changes, ConflictError, RejectedError
from sagamart.messaging.records import need, need_by


async def test_what_was_committed_is_read_back_whole(side: Side) -> None:
    line = Line("apple/1", "apple", 3)
    await write(side.a, Changes(handled=[an_id(1)], new={Thing: [APPLE], Line: [line]}, outbox=[parcel(7)]))

    loaded = await batch(
        side.b, wanted(need(Thing, "apple", "plum"), messages=(1, 2), keys=("apple",), requests=("nobody",))
    )

    assert loaded.records == {Thing: [APPLE]}
    assert loaded.handled == {an_id(1)}
    assert (loaded.parked, loaded.timers, loaded.requests) == (set(), set(), {})
    shown = await side.shown()
    assert shown.rows == {"things": [APPLE], "lines": [line]}
    assert shown.outbox == [(an_id(7), "a")]


async def test_a_change_that_leaves_alone_what_changes_seldom_is_kept_whole(side: Side) -> None:
    await write(side.a, new(APPLE, PEAR))

    await write(side.a, Changes(changed={Thing: [(later(APPLE, 6), 1), (later(PEAR, 7), 1)]}, often={Thing}))
    with pytest.raises(ConflictError):
        await write(side.b, Changes(changed={Thing: [(later(APPLE, 8), 1)]}, often={Thing}))

    assert (await side.shown()).rows["things"] == [later(APPLE, 6), later(PEAR, 7)]


async def test_a_record_is_found_by_its_unique_column(side: Side) -> None:
    await write(side.a, new(APPLE, PEAR))

    loaded = await batch(side.a, wanted(need_by(Thing, "email", "pear@example.org", "nobody@example.org")))

    assert loaded.records == {Thing: [PEAR]}


async def test_further_records_are_read_in_the_same_transaction(side: Side) -> None:
    await write(side.a, new(APPLE, PEAR))
    async with side.a.transaction() as transaction:
        await transaction.load(wanted(need(Thing, "apple")))
        more = await transaction.load_more([need(Thing, "pear", "plum")])
    assert more == {Thing: [PEAR]}


async def test_a_rolled_back_batch_leaves_nothing(side: Side) -> None:
    everything = Changes(
        handled=[an_id(1)],
        new={Thing: [APPLE]},
        outbox=[parcel(7)],
        requests=answered("k").requests,
        dead=letter(8).dead,
    )

    async def fail() -> None:
        async with side.a.transaction() as transaction:
            await transaction.write(everything)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()

    assert await side.shown() == _nothing()


async def test_a_failed_write_leaves_nothing(side: Side) -> None:
    await write(side.a, new(APPLE))
    with pytest.raises(ConflictError):
        await write(side.a, Changes(handled=[an_id(1)], new={Thing: [PEAR, APPLE]}))
    shown = await side.shown()
    assert shown.inbox == []
    assert shown.rows["things"] == [APPLE]


@pytest.mark.parametrize(
    "again",
    [
        handled(1),
        new(APPLE),
        new(msgspec.structs.replace(PEAR, email="apple@example.org")),
        Changes(new={Line: [Line("apple/1", "apple", 9)]}),
        answered("k"),
        Changes(outbox=[parcel(7)]),
    ],
    ids=["message", "key", "unique column", "journal entry", "request", "outbox"],
)
async def test_the_same_thing_cannot_be_written_twice(side: Side, again: Changes) -> None:
    first = Changes(
        handled=[an_id(1)],
        new={Thing: [APPLE], Line: [Line("apple/1", "apple", 3)]},
        requests=answered("k").requests,
        outbox=[parcel(7)],
    )
    await write(side.a, first)
    before = await side.shown()

    with pytest.raises(ConflictError):
        await write(side.b, again)

    assert await side.shown() == before


async def test_two_rows_of_one_key_in_one_batch_conflict(side: Side) -> None:
    with pytest.raises(ConflictError):
        await write(side.a, Changes(new={Line: [Line("apple/1", "apple", 3), Line("apple/1", "apple", 4)]}))
    assert (await side.shown()).rows["lines"] == []


async def test_a_record_is_saved_only_over_the_version_that_was_loaded(side: Side) -> None:
    await write(side.a, new(APPLE), changed(later(APPLE, 6), loaded=1))
    with pytest.raises(ConflictError):
        await write(side.b, changed(later(APPLE, 9), loaded=1))
    assert (await side.shown()).rows["things"] == [Thing(2, "apple", APPLE.email, 6, APPLE.tags, AT)]


async def test_a_folded_record_may_skip_versions(side: Side) -> None:
    await write(side.a, new(APPLE))
    third = later(later(APPLE, 6), 8)
    await write(side.a, changed(third, loaded=1))
    assert (await side.shown()).rows["things"] == [third]


async def test_a_record_that_is_not_there_cannot_be_changed(side: Side) -> None:
    with pytest.raises(ConflictError):
        await write(side.a, changed(later(APPLE, 6), loaded=1))


@pytest.mark.parametrize(
    "row",
    [
        msgspec.structs.replace(APPLE, amount=-1),
        msgspec.structs.replace(APPLE, amount=2**63),
        msgspec.structs.replace(APPLE, thing_id="a\0b"),
        msgspec.structs.replace(APPLE, tags=("a\0b",)),
    ],
    ids=["constraint", "too large", "zero byte", "zero byte in a collection"],
)
async def test_a_row_that_the_database_refuses_is_rejected(side: Side, row: Thing) -> None:
    with pytest.raises(RejectedError):
        await write(side.a, new(PEAR, row))
    assert (await side.shown()).rows["things"] == []


async def test_a_key_that_the_database_cannot_hold_is_rejected_when_it_is_looked_for(side: Side) -> None:
    with pytest.raises(RejectedError):
        await batch(side.a, wanted(need(Thing, "a\0b")))


async def test_the_second_waits_for_the_row_and_then_reads_it_as_the_first_left_it(side: Side) -> None:
    await write(side.a, new(APPLE))
    async with side.a.transaction() as first:
        await first.load(wanted(need(Thing, "apple")))
        second = asyncio.create_task(batch(side.b, wanted(need(Thing, "apple"), messages=(1,))))
        await side.until_somebody_waits()
        await first.write(Changes(handled=[an_id(1)], changed={Thing: [(later(APPLE, 6), 1)]}))

    loaded = await second
    assert loaded.records == {Thing: [later(APPLE, 6)]}
    assert loaded.handled == set(), "the statement began before the first one's commit"


async def test_a_waiting_lookup_by_a_unique_column_misses_a_row_that_has_changed_it(side: Side) -> None:
    await write(side.a, new(APPLE))
    async with side.a.transaction() as first:
        await first.load(wanted(need(Thing, "apple")))
        second = asyncio.create_task(batch(side.b, wanted(need_by(Thing, "email", "apple@example.org"))))
        await side.until_somebody_waits()
        moved = msgspec.structs.replace(APPLE, version=2, email="new@example.org")
        await first.write(changed(moved, loaded=1))

    assert (await second).records == {Thing: []}


async def test_absent_rows_are_neither_seen_nor_locked(side: Side) -> None:
    async def too_late() -> None:
        async with side.a.transaction() as first:
            await first.load(wanted(need(Thing, "apple")))
            loaded = await batch(side.b, wanted(need(Thing, "apple")), new(APPLE))
            assert loaded.records == {Thing: []}
            await first.write(new(APPLE))

    with pytest.raises(ConflictError):
        await too_late()


@pytest.mark.parametrize("change", [handled(1), new(APPLE), answered("k")], ids=["message", "record", "request"])
async def test_an_insert_waits_for_the_same_insert_and_loses_if_that_commits(side: Side, change: Changes) -> None:
    async with side.a.transaction() as first:
        await first.write(change)
        second = asyncio.create_task(write(side.b, change))
        await side.until_somebody_waits()
    with pytest.raises(ConflictError):
        await second


async def test_an_insert_waits_for_the_same_insert_and_wins_if_that_is_rolled_back(side: Side) -> None:
    async def let_somebody_wait_and_fail() -> asyncio.Task[None]:
        second: asyncio.Task[None] | None = None
        try:
            async with side.a.transaction() as first:
                await first.write(handled(1))
                second = asyncio.create_task(write(side.b, handled(1)))
                await side.until_somebody_waits()
                raise LookupError
        except LookupError:
            assert second is not None
            return second

    await (await let_somebody_wait_and_fail())
    assert (await side.shown()).inbox == [an_id(1)]


async def test_of_two_that_wait_for_each_other_one_conflicts_and_the_other_goes_on(side: Side) -> None:
    await write(side.a, new(APPLE, PEAR))
    met = asyncio.Barrier(2)

    async def crosswise(database: Any, first: str, second: str) -> None:
        async with database.transaction() as transaction:
            await transaction.load(wanted(need(Thing, first)))
            await met.wait()
            await transaction.load_more([need(Thing, second)])

    outcomes = await asyncio.gather(
        crosswise(side.a, "apple", "pear"), crosswise(side.b, "pear", "apple"), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ConflictError", "NoneType"]


async def test_a_lock_that_is_not_granted_in_time_is_a_conflict(side: Side) -> None:
    await write(side.a, new(APPLE))
    async with side.a.transaction() as first:
        await first.load(wanted(need(Thing, "apple")))
        with pytest.raises(ConflictError):
            await batch(side.b, wanted(need(Thing, "apple")))


async def test_a_cancelled_wait_leaves_the_row_to_others(side: Side) -> None:
    await write(side.a, new(APPLE))
    async with side.a.transaction() as first:
        await first.load(wanted(need(Thing, "apple")))
        second = asyncio.create_task(batch(side.b, wanted(need(Thing, "apple"))))
        await side.until_somebody_waits()
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
    assert (await batch(side.b, wanted(need(Thing, "apple")))).records == {Thing: [APPLE]}


async def test_a_stored_reply_comes_back_as_it_was_given(side: Side) -> None:
    change = answered("ann POST /v1/orders k1", b"\x00\xff", 4)
    await write(side.a, change)
    loaded = await batch(side.b, wanted(requests=("ann POST /v1/orders k1", "ann POST /v1/orders k2")))
    assert loaded.requests == {"ann POST /v1/orders k1": change.requests[0]}


def _nothing() -> Shown:
    return Shown({"things": [], "lines": []}, [], [], [], [], [], [], [])


async def test_an_attempt_reads_past_locks_and_commits_with_its_write(side: Side) -> None:
    await write(side.a, Changes(new={Thing: [APPLE]}))
    async with side.a.transaction() as holder:
        await holder.load(wanted(need(Thing, "apple")))
        async with side.b.attempt() as attempt:
            loaded = await attempt.load(wanted(need(Thing, "apple")))
            assert loaded.records == {Thing: [APPLE]}

    async with side.b.attempt() as attempt:
        await attempt.write(Changes(changed={Thing: [(msgspec.structs.replace(APPLE, version=2), 1)]}))
        assert (await batch(side.a, wanted(need(Thing, "apple")))).records[Thing][0].version == 2


async def test_of_two_attempts_on_one_record_the_later_is_overtaken(side: Side) -> None:
    await write(side.a, Changes(new={Thing: [APPLE]}))

    with pytest.raises(ConflictError):
        await _overtaken(side)

    assert (await side.shown()).inbox == [an_id(1)]


async def _overtaken(side: Side) -> None:
    """Two attempts read the apple; the second one is quicker."""
    ripened: dict[type, list[Any]] = {Thing: [(msgspec.structs.replace(APPLE, version=2), 1)]}
    async with side.a.attempt() as first:
        await first.load(wanted(need(Thing, "apple")))
        async with side.b.attempt() as second:
            await second.load(wanted(need(Thing, "apple")))
            await second.write(Changes(changed=ripened, handled=[an_id(1)]))
        await first.write(Changes(changed=ripened, handled=[an_id(2)]))


async def test_an_attempt_that_breaks_off_before_its_write_leaves_nothing(side: Side) -> None:
    with pytest.raises(LookupError):
        await _broken_off(side)

    assert await side.shown() == _nothing()


async def _broken_off(side: Side) -> None:
    async with side.a.attempt() as attempt:
        await attempt.load(wanted(need(Thing, "apple")))
        raise LookupError
