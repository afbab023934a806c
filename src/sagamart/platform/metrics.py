"""Metrics: counted once a batch, not once a message, in a registry of our own.

Depths and the like are read when somebody asks (`gauge`), so they cost nothing in between.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sagamart.messaging.outside import BreakerState, OutsideCalls

BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
BATCH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

Outcome = Literal["handled", "duplicate", "dead"]
Family = type[GaugeMetricFamily] | type[CounterMetricFamily]
CALL_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BREAKER_STATES: Mapping[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}


class Metrics:
    """What a process measures.  Names begin with `sagamart_`; times are in seconds."""

    media_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._read = _ReadWhenAsked()
        self._registry.register(self._read)
        self._batch_size = self._histogram("batch_messages", "Messages in a batch", ("service",), BATCH_SIZES)
        self._batch_seconds = self._histogram("batch_seconds", "Time of a batch", ("service",), BATCH_SECONDS)
        self._messages = self._counter("messages", "Messages by what became of them", ("service", "outcome"))
        self._call_seconds = self._histogram(
            "outside_call_seconds", "Time of a call outside", ("service", "destination", "outcome"), CALL_SECONDS
        )

    def batch(self, service: str, size: int, seconds: float) -> None:
        """A batch of `size` messages was committed."""
        self._batch_size.labels(service).observe(size)
        self._batch_seconds.labels(service).observe(seconds)

    def messages(self, service: str, outcome: Outcome, count: int) -> None:
        """So many messages of a batch ended so."""
        if count:
            self._messages.labels(service, outcome).inc(count)

    def gauge(self, name: str, meaning: str, service: str, read: Callable[[], float]) -> None:
        """A figure that is read when asked for: `queue_messages`, `under_way_messages`."""
        self._read.figures.setdefault((GaugeMetricFamily, name, meaning), {})[service] = read

    def count(self, name: str, meaning: str, service: str, read: Callable[[], float]) -> None:
        """The same for what only grows: `admission_refused`."""
        self._read.figures.setdefault((CounterMetricFamily, name, meaning), {})[service] = read

    def outside_calls(self, service: str, calls: OutsideCalls) -> None:
        """Measure the calls of a service: how many, how long, how they ended, and each destination's breaker."""

        def count(destination: str, answered: bool, seconds: float) -> None:  # noqa: FBT001  called by position
            self._call_seconds.labels(service, destination, "answered" if answered else "failed").observe(seconds)

        calls.on_call.append(count)
        self._read.outside[service] = calls

    def answers(self, counted: Mapping[int, int]) -> None:
        """HTTP answers by status, counted elsewhere."""
        self._read.answers = counted

    def exposition(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"sagamart_{name}", meaning, labels, registry=self._registry)

    def _histogram(self, name: str, meaning: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"sagamart_{name}", meaning, labels, registry=self._registry, buckets=buckets)


class _ReadWhenAsked(Collector):
    def __init__(self) -> None:
        self.figures: dict[tuple[Family, str, str], dict[str, Callable[[], float]]] = {}
        self.answers: Mapping[int, int] = {}
        self.outside: dict[str, OutsideCalls] = {}

    def collect(self) -> Iterator[Metric]:
        for (family, name, meaning), services in self.figures.items():
            figure = family(f"sagamart_{name}", meaning, labels=("service",))
            for service, read in services.items():
                figure.add_metric((service,), read())
            yield figure
        labels = ("service", "destination")
        breaker = GaugeMetricFamily("sagamart_outside_breaker", "0 closed, 1 half open, 2 open", labels=labels)
        waiting = GaugeMetricFamily("sagamart_outside_waiting", "Intents that wait to be called", labels=labels)
        for service, calls in self.outside.items():
            for place in calls.destinations:
                breaker.add_metric((service, place.outside.name), BREAKER_STATES[place.breaker.state])
                waiting.add_metric((service, place.outside.name), place.waiting.qsize())
        yield breaker
        yield waiting
        answered = CounterMetricFamily("sagamart_http_answers", "HTTP answers by status", labels=("status",))
        for status, count in sorted(self.answers.items()):
            answered.add_metric((str(status),), count)
        yield answered
