"""Another version of the program and this one in turns over HTTP: what a change costs, where the machine's speed moves.

    git worktree add ../before COMMIT && (cd ../before && uv sync --frozen --all-extras)
    uv run python bench/turns.py ../before

Each version runs its own load on a database of its own, and measures it itself: where `front.py` or `load.py` differ,
take this version's over there first.  The first round of each is thrown away.  What counts is the ratio within a pair,
and how far apart the pairs' ratios are.
"""

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter, validators

ROUND = """
import asyncio, json, sys
from pathlib import Path
sys.path.insert(0, "bench")
import front, ground
async def once(folder, orders, connections):
    async with ground.ground(folder):
        pass
    return await front.under_load(folder, orders, connections)
print("\\n" + json.dumps(asyncio.run(once(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))))
"""
"""Runs in the version's own environment, which may be older than this file."""

PYTHON = ".venv/bin/python"
DATA = ".bench-data/turns"
COMPARED = ("orders_per_s", "python_us_per_order", "postgres_us_per_order")
HERE = Path(__file__).resolve().parents[1]

app = App(help=__doc__)


@app.default
def run(
    other: Annotated[Path, Parameter(help="The other version: a work tree with its environment in .venv.")],
    *,
    pairs: Annotated[
        int, Parameter(help="Rounds of each; who begins takes turns as well.", validator=validators.Number(gte=1))
    ] = 8,
    orders: Annotated[int, Parameter(help="Orders a round.")] = 8_000,
    connections: Annotated[int, Parameter(help="Customers at once.")] = 1024,
) -> None:
    """Measure in turns and print how this version compares to the other one."""
    trees = (other.resolve(), HERE)
    for tree in trees:
        if not (tree / PYTHON).exists():
            sys.exit(f"{tree} has no {PYTHON}: run `uv sync --frozen --all-extras` there first")
    for tree in trees:
        print(f"warming up {tree}")
        once(tree, orders, connections)
    seen: list[tuple[dict[str, float], dict[str, float]]] = []
    for number in range(pairs):
        ordered = trees if number % 2 else trees[::-1]
        rounds = {tree: once(tree, orders, connections) for tree in ordered}
        seen.append((rounds[trees[0]], rounds[trees[1]]))
        print(f"pair {number + 1}: {seen[-1][0]['orders_per_s']:,.0f} and {seen[-1][1]['orders_per_s']:,.0f} orders/s")
    for name in COMPARED:
        ratios = sorted(here[name] / there[name] for there, here in seen)
        print(f"{name}: {statistics.median(ratios):.2f} of the other's ({ratios[0]:.2f} to {ratios[-1]:.2f})")


def once(tree: Path, orders: int, connections: int) -> dict[str, float]:
    """One round of a version.  Raises CalledProcessError where it fails; what it says goes to standard error."""
    command = [str(tree / PYTHON), "-c", ROUND, str(tree / DATA), str(orders), str(connections)]
    printed = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603  our own program
    return msgspec.json.decode(printed.splitlines()[-1], type=dict[str, float])


if __name__ == "__main__":
    app()
