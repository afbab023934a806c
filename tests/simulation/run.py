"""Replay one seed, or try one seed after another: `run.py [--seed N] [--orders M] [-v]`."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulation.world import ORDERS, Outcome, simulate

WHILE_S = 60


def main() -> int:
    """Exit with 1 if an invariant was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this run exactly")
    parser.add_argument("--orders", type=int, default=ORDERS, help="orders to place in a run")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell of every run")
    wished = parser.parse_args()
    if wished.seed is not None:
        return _tell(simulate(wished.seed, wished.orders), verbose=True)
    return _try_seeds(wished.orders, verbose=wished.verbose)


def _try_seeds(orders: int, *, verbose: bool) -> int:
    fired: Counter[str] = Counter()
    seed, began = 0, time.monotonic()
    while time.monotonic() - began < WHILE_S:
        outcome = simulate(seed, orders)
        fired += outcome.fired
        if _tell(outcome, verbose=verbose):
            return 1
        seed += 1
        if seed % 20 == 0:
            _say(f"{seed} seeds, {fired.total()} faults, nothing lost")
    _say(f"{seed} seeds of {orders} orders: nothing lost; faults: {_listed(fired)}")
    return 0


def _tell(outcome: Outcome, *, verbose: bool) -> int:
    if verbose or outcome.violations:
        _say(f"seed {outcome.seed}: {outcome.lasted_s:.0f} s, orders: {_listed(outcome.statuses)}")
        _say(f"  faults: {_listed(outcome.fired)}")
        _say(f"  trace {outcome.trace}")
    for violation in outcome.violations:
        _say(f"  BROKEN {violation}")
    if outcome.violations:
        _say(f"replay it with: {outcome.replay}")
    return int(bool(outcome.violations))


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
