"""A request's trace: the client's own, or a new one; onward into the message, back to the client, and into the log."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from http_shop import ANNA, BUY_APPLES, Shop, as_caller, open_shop
from sagamart.platform.http.tracing import trace_of

IDS = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


def order(shop: Shop, **headers: str) -> Any:
    sent = {"Idempotency-Key": "k-1", "Content-Type": "application/json", **as_caller(ANNA, **headers)}
    with open_shop(shop) as client:
        return client.post("/v1/orders", content=json.dumps(BUY_APPLES), headers=sent)


def test_the_trace_of_the_client_goes_on_in_the_message_and_comes_back() -> None:
    shop = Shop()
    answer = order(shop, traceparent=f"00-{IDS}-01")
    assert [message.trace for message, _ in shop.asked] == [f"00-{IDS}-01"]
    assert answer.headers["traceresponse"] == f"00-{IDS}-01"


def test_a_request_without_a_trace_begins_one_that_is_not_sampled() -> None:
    shop = Shop()
    answers = [order(shop), order(shop, traceparent="drop table orders")]
    traces = [message.trace for message, _ in shop.asked]
    assert traces == [answer.headers["traceresponse"] for answer in answers]
    assert traces[0] != traces[1]
    for trace in traces:
        assert trace is not None
        assert trace_of([(b"traceparent", trace.encode())]) == trace
        assert trace.endswith("-00")


def test_what_is_refused_names_its_trace_too() -> None:
    with open_shop() as client:
        answer = client.get("/nowhere", headers={"traceparent": f"00-{IDS}-00"})
    assert (answer.status_code, answer.headers["traceresponse"]) == (404, f"00-{IDS}-00")


def test_what_failed_is_logged_under_its_trace() -> None:
    with open_shop() as client, capture_logs() as logs:
        client.get("/v1/orders/ord_broken", headers=as_caller(ANNA, traceparent=f"00-{IDS}-00"))
    assert [log["trace.id"] for log in logs if log["event"] == "request failed"] == [IDS[:32]]


@pytest.mark.parametrize(
    "sent",
    [
        f"ff-{IDS}-00",
        f"00-{IDS}-00-more",
        f"01-{IDS}-00more",
        f"00-{IDS.upper()}-00",
        f"00-{'0' * 32}-00f067aa0ba902b7-00",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-00",
    ],
)
def test_a_header_that_is_no_traceparent_begins_a_new_trace(sent: str) -> None:
    assert IDS[:32] not in trace_of([(b"traceparent", sent.encode())])


def test_of_a_later_version_is_read_what_we_know() -> None:
    assert trace_of([(b"traceparent", f"7a-{IDS}-01-and-more".encode())]) == f"00-{IDS}-01"


def test_two_traces_at_once_are_none() -> None:
    twice = (b"traceparent", f"00-{IDS}-00".encode())
    assert IDS[:32] not in trace_of([twice, twice])
