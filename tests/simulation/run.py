"""Replay one seed, or try one seed after another: `run.py [--seed N] [--orders M] [--without "crash,poison"] [-v]`."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulation.chaos import RATES
from simulation.failing import listed, told
from simulation.world import ORDERS, Outcome, simulate

WHILE_S = 60


def main() -> int:
    """Exit with 1 if an invariant was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this run exactly")
    parser.add_argument("--orders", type=int, default=ORDERS, help="orders to place in a run")
    parser.add_argument("--without", default="", help="kinds of faults to leave out, with commas between")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell of every run")
    wished = parser.parse_args()
    without = tuple(filter(None, wished.without.split(",")))
    if unknown := set(without) - set(RATES):
        parser.error(f"no such faults: {', '.join(sorted(unknown))}; there are {', '.join(RATES)}")
    if wished.seed is not None:
        outcome = simulate(wished.seed, wished.orders, without)
        _tell(outcome)
        for violation in outcome.violations:
            _say(f"  BROKEN {violation}")
        return int(bool(outcome.violations))
    return _try_seeds(wished.orders, without, verbose=wished.verbose)


def _try_seeds(orders: int, without: tuple[str, ...], *, verbose: bool) -> int:
    fired: Counter[str] = Counter()
    seed, began = 0, time.monotonic()
    while time.monotonic() - began < WHILE_S:
        outcome = simulate(seed, orders, without)
        fired += outcome.fired
        if verbose:
            _tell(outcome)
        if outcome.violations:
            _say(told(outcome))
            return 1
        seed += 1
        if seed % 20 == 0:
            _say(f"{seed} seeds, {fired.total()} faults, nothing lost")
    _say(f"{seed} seeds of {orders} orders: nothing lost; faults: {listed(fired)}")
    return 0


def _tell(outcome: Outcome) -> None:
    _say(f"seed {outcome.seed}: {outcome.lasted_s:.0f} s, orders: {listed(outcome.statuses)}")
    _say(f"  faults: {listed(outcome.fired)}")
    _say(f"  trace {outcome.trace}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
