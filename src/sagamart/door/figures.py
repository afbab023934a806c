"""What a door measures of the requests that it hands on."""

from typing import Any

from sagamart.platform import metric_families as known
from sagamart.platform.metrics import Metrics

ALL = "all"
"""In the place of a service's name: every service was asked, for one list."""


class Relays:
    """Requests by service and status, and how long each service took to begin its answers."""

    def __init__(self, metrics: Metrics) -> None:
        self._time = metrics.histogram(known.DOOR_TIME)
        self._requests = metrics.counter(known.DOOR_REQUESTS)
        self._answers: dict[tuple[str, int], tuple[Any, Any]] = {}
        """The two series of each kind of answer: looking them up by label costs more than counting."""

    def answered(self, service: str, status: int, seconds: float) -> None:
        """A request to a service, which a route names, began to be answered after so long."""
        series = self._answers.get((service, status))
        if series is None:
            series = self._time.labels(service), self._requests.labels(service, status)
            self._answers[service, status] = series
        series[0].observe(seconds)
        series[1].inc()
