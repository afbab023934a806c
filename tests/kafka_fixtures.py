"""A real Kafka for the tests: one broker a test process, topics of their own for each test."""

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafka_broker import LinedBroker
from sagamart.platform.ports import Ports

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def started_broker() -> Iterator[LinedBroker]:
    """Give the broker of this test process, as the last test left it."""
    with Ports() as ports:
        broker = LinedBroker(Path(tempfile.mkdtemp(prefix="sagamart-kafka-")), ports.take())
        try:
            broker.start()
            yield broker
        finally:
            broker.remove()


@pytest.fixture
def kafka(started_broker: LinedBroker) -> LinedBroker:
    """Give a broker that runs."""
    if not started_broker.is_running:
        started_broker.start()
    return started_broker


@pytest.fixture
def fresh_prefix() -> Callable[[], str]:
    """Give `fresh_prefix()`: what the names of nobody else's topics begin with."""
    return lambda: f"test-{os.getpid()}-{next(_numbers)}."
