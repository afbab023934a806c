"""Which handled messages leave a line in the log."""

from datetime import timedelta
from typing import Any

from msgspec import structs
from structlog.testing import capture_logs

from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.message import Body, Message
from sagamart.platform.step_log import StepLog, Steps
from unit.boxes import AT, BOXES, Put, said
from unit.test_fold import folded

SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def lines(steps: Steps, *messages: Message[Body], seconds: float = 0.25, times: int = 1) -> list[Any]:
    """What is written about a batch of these, at this moment."""
    batch, _ = folded(*(Arrival(message) for message in messages))
    moment = iter([100.0, 100.5, 101.0])
    log = StepLog(BOXES.name, steps, 5.0, clock_s=lambda: next(moment))
    with capture_logs() as written:
        for _ in range(times):
            log.handled(batch, seconds)
    return [{name: line[name] for name in line if name != "log_level"} for line in written]


def texts(written: list[Any]) -> list[tuple[str, str]]:
    return [(line["event"], line["key"]) for line in written]


def early(message: Message[Body], seconds: float) -> Message[Body]:
    return structs.replace(message, at=AT - timedelta(seconds=seconds))


def test_what_is_handled_in_time_leaves_no_line() -> None:
    assert lines("slow", said(Put("a"))) == []


def test_a_slow_batch_leaves_one_line_and_no_more_than_one_a_second() -> None:
    written = lines("slow", early(said(Put("a"), 1), 5.0), said(Put("b"), 2), times=3)

    assert texts(written) == [("slow step", "a"), ("slow step", "a")]
    assert (written[0]["waited_ms"], written[0]["messages"]) == (5000, 2)
    assert (written[0]["event.duration"], written[0]["event.action"]) == (250_000_000, "Put")


def test_messages_of_a_sampled_trace_leave_a_line_each() -> None:
    written = lines("sampled", structs.replace(said(Put("a"), 1), trace=SAMPLED), said(Put("b"), 2))

    assert texts(written) == [("step", "a")]
    assert written[0]["trace.id"] == SAMPLED[3:35]
    assert written[0]["transaction.id"] == SAMPLED[36:52]


def test_every_message_may_leave_a_line() -> None:

    assert [key for _, key in texts(lines("all", said(Put("a"), 1), said(Put("b"), 2)))] == ["a", "b"]


def test_what_had_been_handled_before_leaves_no_line() -> None:
    message = said(Put("a"))
    batch = Batch(BOXES, [Arrival(message)], node="n", now=AT)
    with capture_logs() as written:
        StepLog(BOXES.name, "all", 5.0).handled(batch, 0.1)
    assert written == []
