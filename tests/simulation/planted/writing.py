"""Writes down the list of planted bugs: `python tests/simulation/planted/writing.py` (`make docs` does it)."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from simulation.planted.bugs import OURS, WELL_KNOWN, Planted
from simulation.planted.finding import TOP

PAGE = "docs/reference/planted-bugs.md"

HEAD = """# Planted bugs

Written from [the list that the tests run](../../tests/simulation/planted/bugs.py); do not edit it by hand.

A suite that is always green may look at nothing. So the bugs that everybody who builds such a system has met are put
into the running code one after another, and each has to be found: by a seed of the simulation, or by the test of the
rule that it breaks, which has to pass again where nothing is planted. `make test` does this for all of them, and
`make prove` tells the score.
"""


def planted_bugs() -> str:
    """The page, as Markdown."""
    return "\n".join(
        [
            HEAD,
            f"## The {len(WELL_KNOWN)} well-known ones",
            "",
            *_table(WELL_KNOWN),
            "",
            "## Others",
            "",
            *_table(OURS),
            "",
        ]
    )


def _table(bugs: Mapping[str, tuple[Planted, ...]]) -> Iterator[str]:
    yield "| bug | as it is planted | what finds it |"
    yield "|---|---|---|"
    for name, planted in bugs.items():
        for number, one in enumerate(planted):
            yield f"| {name if not number else ''} | {' '.join(one.told.split())} | {one.found_by.told} |"


if __name__ == "__main__":
    (TOP / PAGE).write_text(planted_bugs())
