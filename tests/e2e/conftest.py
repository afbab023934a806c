"""What tests of the running program tell whoever runs them."""

import os
import sys

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
