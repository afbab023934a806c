"""Metrics: counted once a batch, not once a message, in a registry of our own.

Depths and the like are read when somebody asks (`gauge`), so they cost nothing in between.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
BATCH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

Outcome = Literal["handled", "duplicate", "dead"]
Phase = Literal["load", "decide", "save", "commit"]


class Metrics:
    """What a process measures.  Names begin with `sagamart_`; times are in seconds."""

    media_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._read = _ReadWhenAsked()
        self._registry.register(self._read)
        self._batch_size = self._histogram("batch_messages", "Messages in a batch", ("service",), BATCH_SIZES)
        self._batch_seconds = self._histogram("batch_seconds", "Time of a batch", ("service",), BATCH_SECONDS)
        self._phase_seconds = self._histogram(
            "batch_phase_seconds", "Time of a batch by phase", ("service", "phase"), BATCH_SECONDS
        )
        self._messages = self._counter("messages", "Messages by what became of them", ("service", "outcome"))
        self._refused = self._counter(
            "admission_refused", "Requests refused because the service was full", ("service",)
        )

    def batch(self, service: str, size: int, seconds: float) -> None:
        """A batch of `size` messages was committed."""
        self._batch_size.labels(service).observe(size)
        self._batch_seconds.labels(service).observe(seconds)

    def phase(self, service: str, phase: Phase, seconds: float) -> None:
        """A phase of a batch took so long."""
        self._phase_seconds.labels(service, phase).observe(seconds)

    def messages(self, service: str, outcome: Outcome, count: int) -> None:
        """So many messages of a batch ended so."""
        if count:
            self._messages.labels(service, outcome).inc(count)

    def refused(self, service: str) -> None:
        """A request was refused because the service was full."""
        self._refused.labels(service).inc()

    def gauge(self, name: str, meaning: str, service: str, read: Callable[[], float]) -> None:
        """A figure that is read when asked for: `queue_depth`, `outbox_in_flight`."""
        self._read.gauges.setdefault(name, (meaning, {}))[1][service] = read

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
        self.gauges: dict[str, tuple[str, dict[str, Callable[[], float]]]] = {}
        self.answers: Mapping[int, int] = {}

    def collect(self) -> Iterator[Metric]:
        for name, (meaning, services) in self.gauges.items():
            gauge = GaugeMetricFamily(f"sagamart_{name}", meaning, labels=("service",))
            for service, read in services.items():
                gauge.add_metric((service,), read())
            yield gauge
        answered = CounterMetricFamily("sagamart_http_answers", "HTTP answers by status", labels=("status",))
        for status, count in sorted(self.answers.items()):
            answered.add_metric((str(status),), count)
        yield answered
