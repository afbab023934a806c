"""Whatever way messages travel: each has its effect once at every consumer, and none is lost."""

import asyncio

from conformance.conversation import CURSED
from conformance.ways import World
from sagamart.messaging.limits import Limits

SUBJECTS = tuple(f"subject-{number}" for number in range(40))
ONCE = dict.fromkeys(SUBJECTS, 1)


async def test_every_consumer_hears_everything_once_and_nothing_stays_in_the_outbox(world: World) -> None:
    speaker = await world.start_all()

    await speaker.speak(*SUBJECTS)

    await world.until_all_heard(ONCE)
    assert len(world.stores["speaker"].inbox) == 2 * len(SUBJECTS), "the commands and the answers"


async def test_a_message_arrives_when_its_consumers_have_it_or_the_way_keeps_it(world: World) -> None:
    may_go_on = asyncio.Event()

    async def busy_before_writing(point: str) -> None:
        if point == "write":
            await may_go_on.wait()

    world.pauses["left"] = busy_before_writing
    speaker = await world.start_all()

    await speaker.speak(*SUBJECTS)
    await world.until(lambda: world.heard("right") == ONCE)
    if world.way.keeps_messages:
        await world.until(lambda: not world.outbox("speaker"))
    else:
        assert world.outbox("speaker")
    assert world.heard("left") == {}

    may_go_on.set()
    await world.until_all_heard(ONCE)


async def test_a_message_that_is_sent_again_has_no_further_effect(world: World) -> None:
    speaker = await world.start_all()
    worker = speaker.workers["speaker"]
    sent = []
    worker.on_batch.append(lambda batch, _seconds: sent.extend(batch.sent))
    await speaker.speak(*SUBJECTS)
    await world.until_all_heard(ONCE)

    await speaker.speak("the last word")
    again = [message for message in sent if message.key != "the last word"]
    speaker.transport.hand_over("speaker", again)
    speaker.transport.hand_over("speaker", again)
    await speaker.speak("the very last word")

    await world.until_all_heard({**ONCE, "the last word": 1, "the very last word": 1})


async def test_a_consumer_without_room_gets_everything_in_the_end(world: World) -> None:
    speaker = await world.start_all(limits=Limits(batch_max=5, messages_max=15))

    await speaker.speak(*SUBJECTS)

    await world.until_all_heard(ONCE)


async def test_poison_stops_its_own_subject_only(world: World) -> None:
    speaker = await world.start_all()

    await speaker.speak(CURSED, *SUBJECTS)

    await world.until_all_heard(ONCE)
    await world.until(lambda: [world.letters(name) for name in ("left", "right")] == [[("Said", CURSED, "dead")]] * 2)


async def test_what_dies_with_a_process_is_done_by_its_successor(world: World) -> None:
    first = await world.start_all()

    await first.speak(*SUBJECTS)
    for process in world.processes:
        await process.crash()
    world.let_leases_run_out()
    await world.start_all()

    await world.until_all_heard(ONCE)
