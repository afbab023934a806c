"""What a batch of messages means."""

from typing import Any

import msgspec
import pytest

from sagamart.messaging.database import Changes, KnownRequest, Loaded
from sagamart.messaging.decision import NOTHING, Arm, Decision
from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.message import Body, Message, derived_id
from sagamart.messaging.requests import StoredReply, call_of, request_of
from sagamart.messaging.service import Handler, Service
from unit.boxes import AT, BOXES, Box, Break, Hush, Knock, Put, Wake, WasPut, said


def folded(*arrivals: Arrival, service: Service = BOXES, **known: Any) -> tuple[Batch, Changes]:
    """Fold these over what the database knows."""
    batch = Batch(service, arrivals, node="n", now=AT)
    batch.wanted()
    batch.take(msgspec.structs.replace(Loaded(set(), set(), set(), {}, {}), **known))
    if batch.wanted_more():
        batch.take_more({})
    return batch, batch.decide()


def sent(changes: Changes) -> list[Message[Body]]:
    """What goes out, whatever the parcel."""
    return [message for parcel in changes.outbox for message in parcel.messages]


def test_decisions_of_one_batch_follow_on_each_other_and_are_saved_once() -> None:
    _, changes = folded(Arrival(said(Put("a"), 1)), Arrival(said(Put("a"), 2)), records={Box: [Box(4, "a", "", 7)]})
    assert changes.changed == {Box: [(Box(6, "a", "", 9), 4)]}
    assert [message.body for message in sent(changes)] == [WasPut("a", 8), WasPut("a", 9)]


def test_the_same_id_twice_in_one_batch_counts_once() -> None:
    batch, changes = folded(Arrival(said(Put("a"))), Arrival(said(Put("a"))))
    assert changes.new == {Box: [Box(1, "a", "", 1)]}
    assert batch.duplicates == 1


def test_what_changes_nothing_is_handled_and_counted_as_stale() -> None:
    deaf = Service("deaf", tables=(), handlers=(Handler(takes=WasPut, decide=lambda _m, _: NOTHING),), migrations="")
    batch = Batch(deaf, [Arrival(said(WasPut("a", 1), number)) for number in (1, 2, 2)], node="n", now=AT)
    batch.wanted()
    batch.take(Loaded(set(), set(), set(), {}, {}))

    assert len(batch.decide().handled) == batch.stale == 2
    assert batch.duplicates == 1
    assert folded(Arrival(said(Put("a"))))[0].stale == 0


@pytest.mark.parametrize("decision", [Decision(timers=[Arm("knock", 60, Knock("a"))]), Decision(send=[WasPut("a", 1)])])
def test_a_handler_that_arms_or_sends_what_it_does_not_declare_is_a_bug_and_nothing_is_taken(
    decision: Decision,
) -> None:
    rash = Handler(takes=Wake, decide=lambda _m, _: decision)

    _, changes = folded(Arrival(said(Wake("a"))), service=BOXES.changed(handlers=[rash]))

    assert "not in its `emits`" in changes.dead[0].error
    assert changes == Changes(dead=changes.dead)


def test_a_service_knows_what_it_may_say_to_itself_later() -> None:
    assert BOXES.arms == {"Knock"}


def test_what_the_inbox_knows_has_no_effect() -> None:
    message = said(Put("a"))
    _, changes = folded(Arrival(message), handled={message.id})
    assert changes == Changes()


def test_a_call_is_answered_with_what_would_be_said_to_the_caller_and_nothing_else() -> None:
    message = said(Put("a"))
    batch, changes = folded(Arrival(message, request=call_of(message, {"WasPut"})))
    answers = [{"type": "WasPut", "schema": 1, "body": {"box_id": "a", "count": 1}}]
    assert msgspec.json.decode(batch.replies[message.id].body) == answers
    assert sent(changes) == []


def test_what_a_call_makes_known_to_others_goes_by_the_outbox() -> None:
    message = said(Put("a"))
    batch, changes = folded(Arrival(message, request=call_of(message, {"Hush"})))
    assert msgspec.json.decode(batch.replies[message.id].body) == []
    assert [one.body for one in sent(changes)] == [WasPut("a", 1)]


def test_a_call_that_was_answered_gets_the_same_answer_again() -> None:
    message = said(Put("a"))
    call = call_of(message, {"WasPut"})
    before = KnownRequest(call.key, call.fingerprint, message.id, StoredReply(200, b"[7]"))
    batch, changes = folded(Arrival(message, request=call), handled={message.id}, requests={call.key: before})
    assert (batch.replies[message.id].body, changes) == (b"[7]", Changes())


def test_a_call_about_what_came_as_a_message_before_has_nothing_to_add() -> None:
    message = said(Put("a"))
    batch, changes = folded(Arrival(message, request=call_of(message, {"WasPut"})), handled={message.id})
    assert (batch.replies[message.id].body, changes) == (b"[]", Changes())


def test_handling_twice_emits_the_same_ids() -> None:
    first, again = folded(Arrival(said(Put("a"))))[1], folded(Arrival(said(Put("a"))))[1]
    assert [message.id for message in sent(first)] == [message.id for message in sent(again)]


def test_two_services_that_answer_one_fact_do_not_collide() -> None:
    crates = Service("crates", tables=BOXES.tables, migrations="", handlers=tuple(BOXES.handlers.values()))
    (ours,), (theirs,) = (sent(folded(Arrival(said(Put("a"))), service=one)[1]) for one in (BOXES, crates))
    assert (ours.cause, ours.body) == (theirs.cause, theirs.body)
    assert ours.id != theirs.id


def test_a_batch_asks_for_its_records_in_the_order_of_their_keys_whatever_came_first() -> None:
    batch = Batch(BOXES, [Arrival(said(Put(key), number)) for number, key in enumerate("cab", 1)], node="n", now=AT)
    assert [list(one.values) for one in batch.wanted().needs] == [["a", "b", "c"]]


def test_a_batch_notes_what_it_handled_in_the_order_of_ids_whatever_came_first() -> None:
    _, changes = folded(*(Arrival(said(Put("a"), number)) for number in (3, 1, 2)))
    assert changes.handled == [said(Put("a"), number).id for number in (1, 2, 3)]


def test_what_a_message_causes_carries_its_story_on() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    put, wake = (
        msgspec.structs.replace(said(body, number), trace=trace) for number, body in enumerate((Put("a"), Wake("b")), 1)
    )
    _, changes = folded(Arrival(put), Arrival(wake))
    (told,), (timer,) = sent(changes), changes.armed
    for cause, caused in ((put, told), (wake, BOXES.registry.decode(timer.message))):
        assert (caused.cause, caused.correlation, caused.trace) == (cause.id, cause.correlation, trace)
        assert (caused.source, caused.node, caused.schema) == ("boxes", "n", 1)


def test_a_handler_that_raises_poisons_its_message_and_parks_its_key_only() -> None:
    _, changes = folded(Arrival(said(Break("a"), 1)), Arrival(said(Put("a"), 2)), Arrival(said(Put("b"), 3)))
    assert [(letter.message.type, letter.status) for letter in changes.dead] == [("Break", "dead"), ("Put", "waiting")]
    assert changes.new == {Box: [Box(1, "b", "", 1)]}


def test_a_request_passes_a_parked_key() -> None:
    asked = Arrival(said(Put("a")), request=request_of("ann", "put", "k", {}))
    batch, changes = folded(asked, parked={"a"})
    assert changes.new == {Box: [Box(1, "a", "", 1)]}
    assert batch.replies[asked.message.id].status == 200


def test_a_request_that_fails_is_answered_and_parks_nothing() -> None:
    asked = Arrival(said(Break("a")), request=request_of("ann", "break", "k", {}))
    batch, changes = folded(asked)
    assert batch.replies[asked.message.id].status == 500
    assert (changes.dead, changes.handled) == ([], [])


def test_the_same_key_gets_the_stored_answer_and_other_content_a_refusal() -> None:
    request = request_of("ann", "put", "k", {"n": 1})
    known = KnownRequest(request.key, request.fingerprint, said(Put("a"), 9).id, StoredReply(201, b"1"))
    same = Arrival(said(Put("a"), 1), request=request)
    other = Arrival(said(Put("a"), 2), request=request_of("ann", "put", "k", {"n": 2}))
    batch = Batch(BOXES, [same, other], node="n", now=AT)
    batch.wanted()
    batch.take(Loaded(set(), set(), set(), {request.key: known}, {}))
    changes = batch.decide()
    assert batch.replies[same.message.id] == known.reply
    assert batch.replies[other.message.id].status == 422
    assert changes.handled == []


def test_a_message_older_than_the_inbox_remembers_is_set_aside() -> None:
    old = msgspec.structs.replace(said(Put("a")), id="018aa4e5-2c00-7000-8000-000000000001")
    _, changes = folded(Arrival(old))
    assert changes.dead[0].error.startswith("too_old")
    assert changes.new == {}


def test_a_firing_is_handled_once_and_its_timer_goes() -> None:
    firing = said(Knock("a"))
    _, changes = folded(Arrival(firing, timer="knock"), timers={firing.id}, records={Box: [Box(1, "a")]})
    assert changes.changed == {Box: [(Box(2, "a", "", 10), 1)]}
    assert changes.disarmed == [("a", "knock")]


def test_a_firing_whose_timer_is_gone_has_no_effect() -> None:
    _, changes = folded(Arrival(said(Knock("a")), timer="knock"), records={Box: [Box(1, "a")]})
    assert changes == Changes()


def test_a_firing_that_was_disarmed_by_an_earlier_message_of_its_batch_has_no_effect() -> None:
    firing = said(Knock("a"), 2)
    _, changes = folded(
        Arrival(said(Hush("a"), 1)), Arrival(firing, timer="knock"), timers={firing.id}, records={Box: [Box(1, "a")]}
    )
    assert changes.changed == {}
    assert changes.disarmed == [("a", "knock")]


def test_arming_twice_in_a_batch_leaves_the_later_timer() -> None:
    _, changes = folded(Arrival(said(Wake("a"), 1)), Arrival(said(Wake("a"), 2)))
    assert len(changes.armed) == 1
    assert derived_id(said(Wake("a"), 2).id, "boxes", "Knock", 0)[13:] == changes.armed[0].generation[13:]


def test_a_timer_stands_under_the_key_of_its_firing_whoever_armed_it() -> None:
    _, changes = folded(Arrival(said(Wake("a", other="b"))))
    (timer,) = changes.armed
    assert timer.key == BOXES.registry.decode(timer.message).key == "b"


def test_a_message_whose_needs_became_known_in_its_batch_waits_for_the_next() -> None:
    knock = Arrival(said(Knock("a"), 2))
    batch, changes = folded(Arrival(said(Put("a", inner="b"), 1)), knock)
    assert batch.deferred == [knock]
    assert changes.handled == [said(Put("a"), 1).id]


def test_a_firing_that_waits_for_the_next_batch_keeps_its_timer() -> None:
    firing = Arrival(said(Knock("a"), 2), timer="knock")
    batch, changes = folded(Arrival(said(Put("a", inner="b"), 1)), firing, timers={firing.message.id})
    assert batch.deferred == [firing]
    assert changes.disarmed == []


def test_a_released_letter_that_was_handled_meanwhile_leaves_the_letters() -> None:
    message = said(Put("a"))
    _, changes = folded(Arrival(message, released=True), handled={message.id})
    assert changes.revived == [message.id]
    assert changes.new == {}
