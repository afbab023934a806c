"""What tests of the running program tell whoever runs them."""

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from e2e.browsing import DESK, NewVisitor, Visitor, Window, chromium, open_shop
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


@pytest.fixture(scope="module")
def shop_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a demo shop is that really runs, with the bank beside it."""
    with open_shop(tmp_path_factory.mktemp("web")) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def visitor(browser: Browser, shop_address: str) -> Iterator[NewVisitor]:
    """Give `visitor(window)`: somebody at a browser window; at the end, no window may have complained of anything."""
    came: list[Visitor] = []

    def come(window: Window = DESK) -> Visitor:
        came.append(Visitor(browser, shop_address, window))
        return came[-1]

    yield come
    for one in came:
        one.close()
    assert [complaint for one in came for complaint in one.complaints] == []
