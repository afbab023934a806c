"""A trace of an order: one span for each thing that was done for it, in every service that it touched."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from open_shop import Opened, OpenShop
from sagamart.platform.otel import Exporter
from sagamart.platform.traces import Traces
from sagamart.web import InProcess, WebSection, build_pages
from shop_fixtures import TOKENS
from spans import SeenSpan, is_one_tree, missing_parents, services_of
from web_shop import UNLIMITED

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT = "00f067aa0ba902b7"
TOUCHED = {"orders", "stock", "wallet", "notifications", "timeline"}
"""The services that act on an order that is paid at once from a wallet, without a promo code or a delivery."""

CSRF = "a-browsers-own-token-1"
WITHIN_S = 60.0
LOOK_S = 0.05


class Collected:
    """A shop's traces, kept in memory."""

    def __init__(self, *, ratio: float = 0.0, follow_clients: bool = True) -> None:
        self._memory = InMemorySpanExporter()
        exporter = Exporter(SimpleSpanProcessor(self._memory), version="1.2.3", node="node-1")
        self.traces = Traces(exporter, ratio=ratio, follow_clients=follow_clients)

    def of(self, trace_id: str) -> list[SeenSpan]:
        return [span for span in self.all() if span.trace_id == trace_id]

    def all(self) -> list[SeenSpan]:
        return [seen(span) for span in self._memory.get_finished_spans()]

    @property
    def finished(self) -> Sequence[ReadableSpan]:
        return self._memory.get_finished_spans()


def seen(span: ReadableSpan) -> SeenSpan:
    assert span.context is not None
    about = span.attributes or {}
    parent = None if span.parent is None else f"{span.parent.span_id:016x}"
    return SeenSpan(
        span.name,
        span.kind.name.lower(),
        f"{span.context.trace_id:032x}",
        f"{span.context.span_id:016x}",
        parent,
        str(about.get("sagamart.service", "")),
        str(about.get("sagamart.key", "")),
    )


async def at_rest(shop: OpenShop) -> None:
    """Return when nothing is under way any more."""
    services = shop.shop.services.values()
    async with asyncio.timeout(WITHIN_S):
        while any([await one.readers.fetchval("select count(*) from outbox") for one in services]):  # noqa: ASYNC110  rows
            await asyncio.sleep(LOOK_S)


async def test_a_trace_of_an_order_spans_every_service_that_it_touched(open_shop: Opened) -> None:
    collected = Collected()
    shop = await open_shop(traces=collected.traces)
    await shop.sells("MUG", 100, pieces=5)
    ann = await shop.customer(1, 10_000)
    assert collected.all() == [], "nobody asked for a trace, and none is made by chance"

    sent = {"traceparent": f"00-{TRACE}-{CLIENT}-01", "Prefer": "wait=30"}
    placed = await shop.post("/v1/orders", {"lines": [{"sku": "MUG", "quantity": 1}]}, caller=ann, **sent)
    assert placed.json()["status"] == "completed"
    await at_rest(shop)

    spans = collected.of(TRACE)
    assert spans == collected.all()
    assert services_of(spans) == TOUCHED
    assert missing_parents(spans, root=CLIENT) == []
    assert is_one_tree(spans, root=CLIENT)
    (door,) = [span for span in spans if span.kind == "server"]
    assert (door.name, door.parent_id) == ("POST /v1/orders", CLIENT)
    assert placed.headers["traceresponse"] == f"00-{TRACE}-{door.span_id}-01"
    (begun,) = [span for span in spans if span.parent_id == door.span_id]
    assert (begun.name, begun.kind) == ("orders PlaceOrder", "internal")
    (booking,) = [span for span in spans if span.name == "stock BookingRequested"]
    assert booking.parent_id == begun.span_id
    assert booking.key == placed.headers["Location"].removeprefix("/v1/orders/")


async def test_what_somebody_does_on_a_page_is_one_tree_below_that_page(open_shop: Opened) -> None:
    collected = Collected(ratio=1.0)
    shop = await open_shop(traces=collected.traces)
    await shop.sells("MUG", 100, pieces=5)
    ann = await shop.customer(1)
    wish = {"lines": [{"sku": "MUG"}], "pay": "later"}
    placed = await shop.post("/v1/orders", wish, caller=ann, Prefer="wait=30")
    assert placed.json()["status"] == "booked"
    api: Any = shop.app
    pages: Any = build_pages(WebSection(), UNLIMITED, api=InProcess(api), traces=collected.traces)
    there, cookies = httpx.ASGITransport(app=pages), {"access": TOKENS.sign(ann), "csrf": CSRF}

    async with httpx.AsyncClient(transport=there, base_url="http://shop", cookies=cookies) as window:
        path = f"/orders/{placed.json()['id']}/cancellation"
        answer = await window.post(path, data={"csrf": CSRF, "key": "key-2"})
    await at_rest(shop)

    assert answer.headers["location"] == path.removesuffix("/cancellation")
    spans = collected.of(answer.headers["traceresponse"][3:35])
    (page,) = [span for span in spans if span.parent_id is None]
    assert (page.kind, page.span_id) == ("server", answer.headers["traceresponse"][36:52])
    assert services_of(spans) >= {"orders", "stock", "notifications"}
    assert is_one_tree([span for span in spans if span is not page], root=page.span_id)


async def test_orders_that_share_a_transaction_are_linked_each_in_its_own_trace(open_shop: Opened) -> None:
    collected = Collected(ratio=1.0)
    shop = await open_shop(traces=collected.traces)
    await shop.sells("MUG", 100, pieces=50)
    people = [await shop.customer(number, 10_000) for number in range(1, 5)]
    order = {"lines": [{"sku": "MUG", "quantity": 1}]}

    answers = await asyncio.gather(*(shop.post("/v1/orders", order, caller=who, key=who.id) for who in people))
    await at_rest(shop)

    traces = {answer.headers["traceresponse"][3:35] for answer in answers}
    assert len(traces) == len(people)
    for trace in traces:
        spans = collected.of(trace)
        assert services_of(spans) == TOUCHED
        (root,) = [span for span in spans if span.parent_id is None]
        assert is_one_tree([span for span in spans if span is not root], root=root.span_id)
    linked = [span for span in collected.finished if span.links]
    assert linked, "what an order tells several services at once shares batches"
    known = {(span.context.trace_id, span.context.span_id) for span in collected.finished if span.context}
    assert {(link.context.trace_id, link.context.span_id) for span in linked for link in span.links} <= known


async def test_a_client_may_be_kept_from_deciding_what_is_traced(open_shop: Opened) -> None:
    collected = Collected(follow_clients=False)
    shop = await open_shop(traces=collected.traces)

    answer = await shop.call("GET", "/v1/products", traceparent=f"00-{TRACE}-{CLIENT}-01")

    assert answer.headers["traceresponse"].startswith(f"00-{TRACE}-")
    assert answer.headers["traceresponse"].endswith("-00")
    assert collected.all() == []
