"""What sweeps read and clear away: leases, timers, letters, attempts, lives.  The twin and PostgreSQL answer alike."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from conformance.sides import Side, batch, write
from conformance.things import (
    APPLE,
    AT,
    Thing,
    an_id,
    answered,
    armed,
    due,
    handled,
    letter,
    new,
    parcel,
    timers_wanted,
    told,
    wanted,
)
from sagamart.messaging.database import Changes
from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import encode
from sagamart.messaging.outbox import LEASE_S, RETRY_S
from sagamart.messaging.records import need
from sagamart.messaging.timers import REFIRE_S


async def test_a_parcel_is_leased_to_its_writer_and_then_to_whoever_comes_first(side: Side) -> None:
    await write(side.a, Changes(outbox=[parcel(7, 17), parcel(8)]))
    assert await side.b.due_outbox("b", 10) == []

    await side.pass_time(LEASE_S + 1)
    taken = await asyncio.gather(side.a.due_outbox("a", 10), side.b.due_outbox("b", 10))

    assert sorted(taken[0] + taken[1]) == [due(7, 17), due(8)]
    assert await side.a.due_outbox("a", 10) == []


async def test_the_oldest_parcels_are_leased_first(side: Side) -> None:
    await write(side.a, Changes(outbox=[parcel(9), parcel(7), parcel(8)]))
    await side.pass_time(LEASE_S + 1)
    assert await side.b.due_outbox("b", 2) == [due(7), due(8)]
    assert await side.b.due_outbox("b", 2) == [due(9)]


async def test_a_parcel_that_is_committed_late_is_leased_after_younger_ones(side: Side) -> None:
    async with side.a.transaction() as slow:
        await slow.write(Changes(outbox=[parcel(7)]))
        await write(side.b, Changes(outbox=[parcel(8)]))
        await side.pass_time(LEASE_S + 1)
        assert await side.b.due_outbox("b", 10) == [due(8)]

    await side.pass_time(LEASE_S + 1)
    assert due(7) in await side.b.due_outbox("b", 10)


async def test_a_parcel_that_somebody_is_clearing_away_is_passed_over(side: Side) -> None:
    await write(side.a, Changes(outbox=[parcel(7)]))
    await side.pass_time(LEASE_S + 1)
    async with side.a.transaction() as transaction:
        await transaction.write(Changes(arrived=[an_id(7)]))
        assert await side.b.due_outbox("b", 10) == []
    assert (await side.shown()).outbox == []


async def test_what_has_arrived_is_forgotten_once(side: Side) -> None:
    await write(side.a, Changes(outbox=[parcel(7), parcel(8)]))
    await side.a.forget_arrived([an_id(7), an_id(9)])
    assert (await side.shown()).outbox == [(an_id(8), "a")]


async def test_postponed_parcels_are_offered_again_each_at_its_time(side: Side) -> None:
    await write(side.a, Changes(outbox=[parcel(7), parcel(8)]))
    assert await side.a.postpone({an_id(7): RETRY_S, an_id(8): 60.0}) == {an_id(7), an_id(8)}
    await side.pass_time(1)
    assert await side.a.due_outbox("a", 10) == [due(7)]
    await side.pass_time(60)
    assert due(8) in await side.a.due_outbox("a", 10)


async def test_a_parcel_that_is_gone_cannot_be_postponed(side: Side) -> None:
    await write(side.a, Changes(outbox=[parcel(7), parcel(8)]))
    await side.b.forget_arrived([an_id(8)])
    assert await side.a.postpone({an_id(7): 0, an_id(8): 0}) == {an_id(7)}


async def test_a_node_that_begins_again_takes_back_its_own_leases_only(side: Side) -> None:
    await write(side.a, Changes(outbox=[parcel(7)]))
    await write(side.b, Changes(outbox=[parcel(8)]))
    assert await side.a.begin_life("a")
    assert await side.a.due_outbox("a", 10) == [due(7)]


async def test_a_life_that_did_not_end_was_not_clean(side: Side) -> None:
    assert await side.a.begin_life("a")
    assert not await side.a.begin_life("a")
    await side.a.end_life("a")
    assert await side.a.begin_life("a")
    assert (await side.shown()).nodes == [("a", True)]


async def test_a_timer_fires_when_it_is_due_and_again_until_it_is_handled(side: Side) -> None:
    await write(side.a, armed(7, after_s=60))
    assert await side.a.due_timers(10) == []

    await side.pass_time(61)
    assert await side.a.due_timers(10) == [("deadline", encode(told(7)))]
    assert await side.b.due_timers(10) == []

    await side.pass_time(REFIRE_S + 1)
    assert await side.b.due_timers(10) == [("deadline", encode(told(7)))]


async def test_no_timer_is_read_where_there_is_no_room(side: Side) -> None:
    await write(side.a, armed(7, after_s=0))
    assert await side.a.due_timers(0) == []


async def test_arming_again_makes_a_new_generation(side: Side) -> None:
    await write(side.a, armed(7, after_s=60), armed(8, after_s=90))
    loaded = await batch(side.a, timers_wanted(7, 8))
    assert loaded.timers == {an_id(8)}
    assert (await side.shown()).timers == [("apple", "deadline", an_id(8))]


async def test_timers_of_other_keys_and_names_stand(side: Side) -> None:
    await write(
        side.a,
        armed(7, after_s=60),
        armed(8, after_s=60, name="reminder"),
        armed(9, after_s=60, key="pear"),
        Changes(disarmed=[("apple", "deadline"), ("plum", "deadline")]),
    )
    assert (await batch(side.a, timers_wanted(7, 8, 9))).timers == {an_id(8), an_id(9)}


async def test_a_firing_that_waited_for_whoever_armed_anew_concerns_nobody(side: Side) -> None:
    await write(side.a, new(APPLE), armed(7, after_s=0))
    firing = timers_wanted(7)
    firing.needs.append(need(type(APPLE), "apple"))
    async with side.a.transaction() as first:
        await first.load(wanted(need(type(APPLE), "apple")))
        second = asyncio.create_task(batch(side.b, firing))
        await side.until_somebody_waits()
        await first.write(armed(8, after_s=60))

    assert (await second).timers == set()


async def test_a_firing_that_waited_for_whoever_disarmed_concerns_nobody(side: Side) -> None:
    await write(side.a, armed(7, after_s=0))
    async with side.a.transaction() as first:
        await first.write(Changes(disarmed=[("apple", "deadline")]))
        second = asyncio.create_task(batch(side.b, timers_wanted(7)))
        await side.until_somebody_waits()

    assert (await second).timers == set()


async def test_a_dead_letter_parks_its_key_until_it_is_discarded(side: Side) -> None:
    await write(side.a, letter(7))
    assert (await batch(side.b, wanted(keys=("apple", "pear")))).parked == {"apple"}
    await side.set_letter(an_id(7), "released")
    assert (await batch(side.b, wanted(keys=("apple",)))).parked == {"apple"}
    await side.set_letter(an_id(7), "discarded")
    assert (await batch(side.b, wanted(keys=("apple",)))).parked == set()


async def test_a_released_letter_goes_first_and_those_that_waited_for_it_follow(side: Side) -> None:
    await write(side.a, letter(7), letter(8, status="waiting"), letter(9, "pear", "waiting"))
    assert await side.a.due_letters(10) == [encode(told(9, "pear"))]

    await side.set_letter(an_id(7), "released")
    assert sorted(await side.a.due_letters(10)) == [encode(told(7)), encode(told(8))]
    assert await side.b.due_letters(10) == [], "they are being tried"

    await write(side.a, Changes(revived=[an_id(7), an_id(8)]))
    assert (await side.shown()).letters == [(an_id(9), "waiting")]


@pytest.mark.parametrize(("second", "then"), [("waiting", "dead"), ("dead", "dead")])
async def test_a_letter_that_comes_twice_is_one(side: Side, second: str, then: str) -> None:
    await write(side.a, letter(7), letter(7, status=second))  # type: ignore[arg-type]  # both are letter statuses
    assert (await side.shown()).letters == [(an_id(7), then)]


async def test_a_released_letter_that_dies_again_is_dead(side: Side) -> None:
    await write(side.a, letter(7))
    await side.set_letter(an_id(7), "released")
    await write(side.a, letter(7))
    assert (await side.shown()).letters == [(an_id(7), "dead")]


def unread(number: int, error: str = "gibberish") -> UnreadableLetter:
    stored = b'{"id":"%s","key":"apple","type":"?","value":"AA=="}' % an_id(number).encode()
    return UnreadableLetter(an_id(number), "apple", "?", error, stored)


async def test_what_cannot_be_read_parks_its_key_until_it_is_discarded(side: Side) -> None:
    await side.a.bury([unread(7), unread(8)])
    await side.b.bury([unread(7)])
    assert (await side.shown()).letters == [(an_id(7), "dead"), (an_id(8), "dead")]
    assert (await batch(side.b, wanted(keys=("apple",)))).parked == {"apple"}

    await side.set_letter(an_id(7), "discarded")
    await side.set_letter(an_id(8), "released")
    await side.a.bury([unread(7), unread(8)])
    assert (await side.shown()).letters == [(an_id(7), "discarded"), (an_id(8), "dead")]


async def test_what_was_handled_after_all_is_not_buried_again(side: Side) -> None:
    await write(side.a, handled(7))
    await side.a.bury([unread(7)])
    await side.a.bury([])
    assert (await side.shown()).letters == []


async def test_what_cannot_be_read_is_given_back_as_it_came(side: Side) -> None:
    await side.a.bury([unread(7)])
    await side.set_letter(an_id(7), "released")
    assert await side.a.due_letters(10) == [unread(7).message]


async def test_attempts_are_counted_until_the_message_is_handled(side: Side) -> None:
    assert await side.a.count_attempts([an_id(2), an_id(1)]) == {an_id(1): 1, an_id(2): 1}
    assert await side.b.count_attempts([an_id(1)]) == {an_id(1): 2}
    await write(side.a, Changes(attempted=[an_id(1)]))
    assert await side.a.count_attempts([an_id(1)]) == {an_id(1): 1}


async def test_what_is_older_than_the_horizon_is_forgotten(side: Side) -> None:
    await write(side.a, handled(1), answered("k"))
    await side.a.prune(datetime(2020, 1, 1, tzinfo=UTC))
    assert (await side.shown()).inbox == [an_id(1)]
    await side.a.prune(datetime.now(UTC) + timedelta(days=3650))
    shown = await side.shown()
    assert (shown.inbox, shown.requests) == ([], [])


async def test_a_record_is_forgotten_once_it_expired_before_the_horizon(side: Side) -> None:
    old, fresh, endless = (
        Thing(1, name, f"{name}@example.com", seen_at=seen_at)
        for name, seen_at in (("old", AT), ("fresh", AT + timedelta(days=2)), ("endless", None))
    )
    await write(side.a, new(endless, fresh, old))
    await side.b.prune(AT + timedelta(days=1))
    found = await batch(side.a, wanted(need(Thing, "old", "fresh", "endless")))
    assert sorted(one.thing_id for one in found.records[Thing]) == ["endless", "fresh"]
    await write(side.a, new(Thing(1, "new", "old@example.com")))
