"""Spans on their way to a collector, which may not be there."""

import threading

from kafka_broker import free_port
from sagamart.platform.otel import LAST_SPANS, sending_to
from sagamart.platform.traces import Span

DEADLINE_S = 60.0
SPAN = Span(
    name="orders PlaceOrder",
    kind="internal",
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    span_id="00f067aa0ba902b7",
    parent_id=None,
    began_ns=1,
    ended_ns=2,
)


def test_a_collector_that_is_away_keeps_nobody_from_ending() -> None:
    with sending_to(f"http://127.0.0.1:{free_port()}/v1/traces", version="1", node="n") as export:
        export(SPAN)

    left = [thread for thread in threading.enumerate() if thread.name == LAST_SPANS]
    assert [thread.daemon for thread in left] == [True] * len(left), "the process may end at once"
    for thread in left:
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), "it was tried for a while, and not for ever"
