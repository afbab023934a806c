"""Metrics: counted once a batch, not once a message, in a registry of our own.

Depths and the like are read when somebody asks, so they cost nothing in between: those of this process at once
(`read`), those of a database by `Depths`, which asks it no more often than every few seconds.
"""

import platform
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sagamart.messaging.outside import BreakerState, OutsideCalls
from sagamart.platform import metric_families as known
from sagamart.platform.metric_families import Family

Outcome = Literal["handled", "stale", "duplicate", "dead"]
Reading = tuple[Family, tuple[str, ...], float]
"""A figure: of this family, with these labels, in their order."""

BREAKER_STATES: Mapping[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}
disable_created_metrics()  # type: ignore[no-untyped-call]  # when each series began doubles what is scraped

UNMATCHED = "unmatched"
"""The route of a request that no route takes: an address of a stranger's choice must not become a label."""

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER_METHOD = "other"
"""Nor may a method of a stranger's choice."""


class Metrics:
    """What a process measures."""

    media_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._refreshing: list[Callable[[], Awaitable[None]]] = []
        self._read = _ReadWhenAsked()
        self._registry.register(self._read)
        ProcessCollector(registry=self._registry)
        self._batch_messages = self.histogram(known.BATCH_MESSAGES)
        self._batch_time = self.histogram(known.BATCH_TIME)
        self._step_time = self.histogram(known.STEP_TIME)
        self._messages = self.counter(known.MESSAGES)
        self._call_time = self.histogram(known.CALL_TIME)
        self._http_time = self.histogram(known.HTTP_TIME)
        self._http_requests = self.counter(known.HTTP_REQUESTS)
        self._answers: dict[tuple[str, str, int], tuple[Any, Any]] = {}
        """The two series of each kind of answer: looking them up by label costs more than counting."""

    def about(self, version: str, node: str) -> None:
        """Say what runs here."""
        labels = (version, platform.python_version(), node)
        self._read.sources.append(lambda: [(known.INFO, labels, 1)])

    def batch(self, service: str, size: int, seconds: float) -> None:
        """A batch of `size` messages was committed."""
        self._batch_messages.labels(service).observe(size)
        self._batch_time.labels(service).observe(seconds)

    def messages(self, service: str, outcome: Outcome, count: int) -> None:
        """So many messages of a batch ended so."""
        if count:
            self._messages.labels(service, outcome).inc(count)

    def step(self, service: str, kind: str, seconds: float) -> None:
        """A message of this type took so long from its making to its commit."""
        self._step_time.labels(service, kind).observe(max(0.0, seconds))

    def answered(self, scope: Mapping[str, Any], status: int, seconds: float) -> None:
        """An HTTP request with this ASGI scope began to be answered after so long."""
        method, route = scope["method"], scope.get("path_template") or UNMATCHED
        known = self._answers.get((method, route, status))
        if known is None:
            called = method if method in METHODS else OTHER_METHOD
            known = self._http_time.labels(called, route), self._http_requests.labels(called, route, status)
            if called == method:
                self._answers[method, route, status] = known
        known[0].observe(seconds)
        known[1].inc()

    def read(self, family: Family, service: str, read: Callable[[], float]) -> None:
        """A figure of a service that is read when asked for."""
        self._read.sources.append(lambda: [(family, (service,), read())])

    def outside_calls(self, service: str, calls: OutsideCalls) -> None:
        """Measure the calls of a service: how many, how long, how they ended, and each destination's breaker."""

        def count(destination: str, _intent: object, answered: bool, seconds: float) -> None:  # noqa: FBT001  called by position
            self._call_time.labels(service, destination, "answered" if answered else "failed").observe(seconds)

        def places() -> Iterator[Reading]:
            for place in calls.destinations:
                labels = (service, place.outside.name)
                yield known.BREAKER, labels, BREAKER_STATES[place.breaker.state]
                yield known.WAITING, labels, place.waiting.qsize()

        calls.on_call.append(count)
        self._read.sources.append(places)

    def show(self, source: Callable[[], Iterable[Reading]]) -> None:
        """Figures that are at hand when they are asked for."""
        self._read.sources.append(source)

    def look_with(self, refresh: Callable[[], Awaitable[None]], source: Callable[[], Iterable[Reading]]) -> None:
        """Figures that have to be waited for: `refresh` is awaited before they are read."""
        self._refreshing.append(refresh)
        self.show(source)

    async def looked(self) -> bytes:
        """Everything, after a look at what has to be waited for."""
        for refresh in self._refreshing:
            await refresh()
        return self.exposition()

    def exposition(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        return generate_latest(self._registry)

    def counter(self, family: Family) -> Counter:
        """A new counter of this family; of each family there is one at most."""
        return Counter(f"sagamart_{family.name}", family.meaning, family.labels, registry=self._registry)

    def histogram(self, family: Family) -> Histogram:
        """A new histogram of this family; of each family there is one at most."""
        name = f"sagamart_{family.name}"
        return Histogram(name, family.meaning, family.labels, registry=self._registry, buckets=family.buckets)


def exposition_of(readings: Iterable[Reading]) -> bytes:
    """These figures alone, in the text format of Prometheus: what a program leaves behind in a file."""
    kept = list(readings)
    source, registry = _ReadWhenAsked(), CollectorRegistry()
    source.sources.append(lambda: kept)
    registry.register(source)
    return generate_latest(registry)


class _ReadWhenAsked(Collector):
    def __init__(self) -> None:
        self.sources: list[Callable[[], Iterable[Reading]]] = []

    def collect(self) -> Iterator[Metric]:
        found: dict[Family, GaugeMetricFamily | CounterMetricFamily] = {}
        for source in self.sources:
            for family, labels, value in source():
                kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
                if family not in found:
                    found[family] = kind(f"sagamart_{family.name}", family.meaning, labels=family.labels)
                found[family].add_metric(labels, value)
        yield from found.values()
