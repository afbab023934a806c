"""What tests of the running program tell whoever runs them."""

import gc
import os
import sys
from collections.abc import Iterator

import pytest

from e2e.shop_program import Tell


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Give `tell(text)`: text that appears in the output of the run, whether the test passes or not."""

    def say(text: str) -> None:
        # A process of pytest-xdist keeps its standard output to itself; its standard error is ours.
        output = sys.__stderr__ if "PYTEST_XDIST_WORKER" in os.environ else sys.__stdout__
        assert output is not None
        with capsys.disabled():
            output.write(f"\n{text}\n")
            output.flush()

    return say


@pytest.fixture(autouse=True)
def left_overs_are_its_own() -> Iterator[None]:
    """Collect what a test leaves behind, so that a connection that was cut is told to it and to no later test."""
    yield
    gc.collect()
