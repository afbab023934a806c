"""What to say of a run that broke an invariant: the seed, the commit, and the smallest run that still breaks one."""

import subprocess
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from simulation.world import Outcome, simulate

TRIES_MAX = 60
"""Runs that are spent on making a failure small."""


def told(outcome: Outcome) -> str:
    """The violations, and how to see them again."""
    small, without = shrunk(outcome)
    lines = [*(f"BROKEN {one}" for one in outcome.violations), f"replay it with: {replay(outcome)}"]
    if (small.orders, without) != (outcome.orders, ()):
        lines += [f"BROKEN in a smaller run: {one}" for one in small.violations]
        lines += [f"replay that with: {replay(small, without)}", f"faults left: {listed(small.fired)}"]
    return "\n".join(lines)


def replay(outcome: Outcome, without: Collection[str] = ()) -> str:
    """The command, and the commit that it is for."""
    less = f" WITHOUT={','.join(without)!r}" if without else ""
    return f"make sim SEED={outcome.seed} ORDERS={outcome.orders}{less}  (at {commit()})"


def listed(counts: Counter[str]) -> str:
    """Names and numbers on a line."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def shrunk(outcome: Outcome) -> tuple[Outcome, tuple[str, ...]]:
    """The fewest orders with which the seed still fails, then without each kind of fault that it does not need."""
    small, without, tries = outcome, tuple[str, ...](), 0
    for orders in _fewer(outcome.orders):
        tries += 1
        found = simulate(outcome.seed, orders)
        if found.violations:
            small = found
            break
    for kind in sorted(small.fired):
        if tries >= TRIES_MAX:
            break
        tries += 1
        found = simulate(outcome.seed, small.orders, (*without, kind))
        if found.violations:
            small, without = found, (*without, kind)
    return small, without


def _fewer(orders: int) -> list[int]:
    """Some smaller numbers, the smallest first."""
    return sorted({max(1, orders * part // 16) for part in (1, 2, 4, 8, 12)} - {orders})


def commit() -> str:
    """The commit of this tree, marked where the tree has changed since."""
    asked = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    here = Path(__file__).parent
    try:
        done = subprocess.run(asked, cwd=here, capture_output=True, text=True, check=False)  # noqa: S603  fixed words
    except OSError:
        return "a commit that git does not tell"
    return done.stdout.strip() or "a commit that git does not tell"
