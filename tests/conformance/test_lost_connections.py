"""A connection that is lost in the middle of a batch: all of it is there or nothing, and again it has one effect."""

from collections.abc import Awaitable, Callable

import pytest

from conformance.sides import Loss, Shown, Side, batch, write
from conformance.things import APPLE, Thing, an_id, parcel, wanted
from sagamart.messaging.database import Changes, CommitUnknownError, Database, UnavailableError
from sagamart.messaging.records import need

CHANGES = Changes(handled=[an_id(1)], new={Thing: [APPLE]}, outbox=[parcel(7)])
NOTHING = Shown({"things": [], "lines": []}, [], [], [], [], [], [], [])
EVERYTHING = Shown({"things": [APPLE], "lines": []}, [an_id(1)], [], [(an_id(7), "frail")], [], [], [], [])


async def transaction(database: Database) -> None:
    async with database.transaction() as one:
        await one.load(wanted(need(Thing, "apple"), messages=(1,)))
        await one.write(CHANGES)


async def attempt(database: Database) -> None:
    async with database.attempt() as one:
        await one.load(wanted(need(Thing, "apple"), messages=(1,)))
        await one.write(CHANGES)


@pytest.mark.parametrize(
    ("loss", "way", "error", "left"),
    [
        ("the write", transaction, UnavailableError, NOTHING),
        ("the commit", transaction, CommitUnknownError, NOTHING),
        ("the commit's answer", transaction, CommitUnknownError, EVERYTHING),
        ("the attempt", attempt, CommitUnknownError, NOTHING),
        ("the attempt's answer", attempt, CommitUnknownError, EVERYTHING),
    ],
    ids=["the write", "the commit", "the commit's answer", "the attempt", "the attempt's answer"],
)
async def test_a_lost_connection_leaves_all_or_nothing_and_the_same_batch_again_has_one_effect(
    side: Side, loss: Loss, way: Callable[[Database], Awaitable[None]], error: type[Exception], left: Shown
) -> None:
    await side.lose(loss)
    with pytest.raises(error):
        await way(side.frail)
    await side.lose(None)
    assert await side.shown() == left

    known = (await batch(side.frail, wanted(messages=(1,)))).handled
    if not known:
        await write(side.frail, CHANGES)
    assert await side.shown() == EVERYTHING
