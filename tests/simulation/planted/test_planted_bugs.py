"""Every well-known bug is found where it is planted: a suite that is always green may look at nothing."""

import inspect
from types import ModuleType

import pytest

from simulation.planted import deciding, delivering, shopping
from simulation.planted.bugs import OURS, WELL_KNOWN, Planted
from simulation.planted.finding import TOP, Guard
from simulation.planted.writing import PAGE, planted_bugs

BUGS = {**WELL_KNOWN, **OURS}
PLANTED = [(name, one) for name, planted in BUGS.items() for one in planted]
GUARDED = [(name, one) for name, one in PLANTED if isinstance(one.found_by, Guard)]


def named(value: object) -> str | None:
    return value if isinstance(value, str) else ""


def plants_of(module: ModuleType) -> set[object]:
    """The bugs that a module can put in."""
    functions = inspect.getmembers(module, inspect.isfunction)
    return {one for name, one in functions if one.__module__ == module.__name__ and not name.startswith("_")}


@pytest.mark.parametrize(("bug", "planted"), PLANTED, ids=named)
def test_a_planted_bug_is_found(bug: str, planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    if planted.plant is not None:
        planted.plant(monkeypatch)
    assert planted.found_by.finds(), f"{bug}: nothing is wrong, says {planted.found_by.told}"


@pytest.mark.parametrize(("bug", "planted"), GUARDED, ids=named)
def test_where_nothing_is_planted_its_guard_finds_nothing(bug: str, planted: Planted) -> None:
    assert not planted.found_by.finds(), bug


def test_every_bug_of_the_list_has_a_plant_and_every_plant_a_bug() -> None:
    assert len(WELL_KNOWN) == 38
    assert all(BUGS.values())
    used = {one.plant for _, one in PLANTED} - {None}
    assert used == plants_of(deciding) | plants_of(delivering) | plants_of(shopping)


def test_the_list_is_written_down_as_it_is() -> None:
    assert (TOP / PAGE).read_text() == planted_bugs(), "make docs"
