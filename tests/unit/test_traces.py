"""The spans of what is handled, of calls outside, and of what goes wrong."""

from functools import partial
from typing import Any

from msgspec import structs

from sagamart.messaging.fold import Arrival
from sagamart.messaging.message import Body, Message, span_id
from sagamart.messaging.outside import calling
from sagamart.messaging.requests import request_of
from sagamart.platform.traces import SPANS_OF_A_BATCH_MAX, Span, Traces
from unit.boxes import BOXES, Break, Put, said
from unit.test_fold import folded
from unit.test_outside import Ask, Sky, Star, WishSent, under

SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNSAMPLED = SAMPLED[:-1] + "0"
END_NS = 1_000_000_000


def traced(message: Message[Any], trace: str = SAMPLED, **more: Any) -> Message[Any]:
    return structs.replace(message, trace=trace, **more)


def spans_of(*messages: Message[Any], **known: Any) -> list[Span]:
    """What is told of a batch of these that took a quarter of a second."""
    told: list[Span] = []
    traces = Traces(told.append, ratio=0.0, clock_ns=lambda: END_NS)
    batch, _ = folded(*(Arrival(message) for message in messages), **known)
    traces.handled(BOXES.name, batch, 0.25)
    return told


def test_a_message_of_a_sampled_trace_is_a_span_and_another_is_none() -> None:
    (span,) = spans_of(traced(said(Put("a"), 1)), traced(said(Put("b"), 2), UNSAMPLED), said(Put("c"), 3))

    assert (span.name, span.kind, span.trace_id) == ("boxes Put", "consumer", SAMPLED[3:35])
    assert (span.began_ns, span.ended_ns) == (END_NS - 250_000_000, END_NS)
    assert span.parent_id == SAMPLED[36:52], "nothing caused it but the request"
    assert (span.attributes["sagamart.key"], span.attributes["messaging.batch.message_count"]) == ("a", 3)


def test_the_parent_is_the_handling_of_the_cause_by_its_source() -> None:
    (span,) = spans_of(traced(said(Put("a")), cause="cause-1", source="stock"))

    assert span.parent_id == span_id("cause-1", "stock")


def test_a_message_that_comes_twice_or_came_before_is_one_span() -> None:
    first, second = traced(said(Put("a"), 1)), traced(said(Put("a"), 2))

    told = spans_of(first, first, second, handled={second.id})

    assert [span.span_id for span in told] == [span_id(first.id, "boxes")]


def test_a_message_that_dies_is_a_span_that_failed_under_an_id_of_its_own() -> None:
    message = traced(said(Break("a")))

    (span,) = spans_of(message)

    assert span.error is not None
    assert span.span_id != span_id(message.id, "boxes"), "it may be released, and then that will be its span"


def test_spans_of_one_transaction_are_linked_with_the_first_and_bounded() -> None:
    told = spans_of(*(traced(said(Put(f"k{number}"), number)) for number in range(1, SPANS_OF_A_BATCH_MAX + 10)))

    assert len(told) == SPANS_OF_A_BATCH_MAX
    assert {span.link for span in told[1:]} == {(told[0].trace_id, told[0].span_id)}
    assert told[0].link is None


def test_a_call_outside_is_a_span_that_whoever_is_called_and_the_outcome_come_from() -> None:
    told: list[Span] = []
    traces = Traces(told.append, ratio=0.0)
    seen: list[str | None] = []

    class Listening(Star):
        async def call(self, message: Message[WishSent]) -> Body | None:
            seen.append(calling.get())
            return await super().call(message)

    async def test(sky: Sky) -> None:
        sky.calls.on_call.append(partial(traces.called, "wishes"))
        sky.worker.on_batch.append(partial(traces.handled, "wishes"))
        await sky.worker.ask(traced(said(Ask("moon"))), request_of("ann", "ask", "moon", {}))
        await sky.until_at_rest()

    under(test, Listening(failures=1))

    asked, failed, answered, granted = told
    assert [span.name for span in told] == ["wishes Ask", "star WishSent", "star WishSent", "wishes Granted"]
    assert (asked.kind, failed.kind, failed.error, answered.error) == ("internal", "client", "the call failed", None)
    assert [failed.parent_id, answered.parent_id] == [asked.span_id, asked.span_id]
    assert granted.parent_id == answered.span_id
    assert seen == [f"{SAMPLED[:36]}{answered.span_id}-01"] * 2
