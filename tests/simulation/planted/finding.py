"""What finds a bug that was put in on purpose: a seed of the simulation, a rule's test, or one that plants it itself.

A guard is an ordinary test of this suite, called here: it has to pass as the code is, and to fail with the bug in it.
"""

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from sagamart.messaging.database import ConflictError
from simulation.virtual_loop import run_virtually
from simulation.world import simulate

TOP = Path(__file__).parents[3]
SEEDS_MAX = 120
"""A simulation that does not find a bug within so many seeds proves nothing."""

FOUND = (AssertionError, pytest.fail.Exception, ConflictError)
"""How a guard fails.  Any other error is one of the plant: code that it changes is no longer as it knows it."""


class Finder(Protocol):
    """Says whether something is wrong now, and what it is for readers (Markdown)."""

    told: str

    def finds(self) -> bool:
        """Whether it sees that something is wrong."""


class Seeds:
    """The simulation, from a seed on."""

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.told = "a seed of the simulation"

    def finds(self) -> bool:
        seeds = range(self.first, self.first + SEEDS_MAX)
        return any(simulate(seed).violations for seed in seeds)


class Guard:
    """A test of one rule.  What it takes from fixtures is made here, anew each time."""

    def __init__(self, test: Callable[..., Any], **made: Callable[[], Any]) -> None:
        self.test = test
        self.made = made
        self.told = _link(test)

    def finds(self) -> bool:
        given = {name: make() for name, make in self.made.items()}
        try:
            if inspect.iscoroutinefunction(self.test):
                run_virtually(self.test(**given))
            else:
                self.test(**given)
        except FOUND:
            return True
        return False


class Itself:
    """A test that plants the bug and finds it: here it is only named."""

    def __init__(self, test: Callable[..., Any]) -> None:
        self.told = _link(test)

    def finds(self) -> bool:
        return True


async def nothing_happens() -> None:
    """Stand in for what a bug leaves out; others get their turn."""
    await asyncio.sleep(0)


def _link(test: Callable[..., Any]) -> str:
    path = Path(inspect.getfile(test)).relative_to(TOP)
    return f"[{test.__name__.removeprefix('test_').replace('_', ' ')}](../../{path})"
