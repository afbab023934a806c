"""The long proof: many more seeds, orders and kills than `make test`, three brokers, and all planted bugs.

It writes what it came to.

`prove.py [--seeds N] [--orders M] [--while-s S] [--kills K]`; `make prove` gives the figures of a night.
"""

import argparse
import multiprocessing
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec

from simulation.chaos import RATES
from simulation.failing import commit, told
from simulation.planted.bugs import OURS, WELL_KNOWN
from simulation.world import Outcome, simulate

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs/reference/proof.md"
SAY_EVERY = 100
KILLS_A_LEADER = 50
"""So many kills of the program for one of a broker, which takes longer."""

_PASSED = re.compile(r"(\d+) passed")
_CUT_OFF = re.compile(r"(\d+) requests were cut off")
_KEPT = re.compile(r"\d+ leaders were killed; (\d+) orders were asked for")


class Simulated(msgspec.Struct):
    """What all seeds came to together."""

    seeds: int = 0
    orders: int = 0
    took_s: float = 0
    virtual_s: float = 0
    fired: Counter[str] = msgspec.field(default_factory=Counter)
    statuses: Counter[str] = msgspec.field(default_factory=Counter)
    ends: set[str] = msgspec.field(default_factory=set)

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.seeds += 1
        self.orders += sum(outcome.statuses.values())
        self.virtual_s += outcome.lasted_s
        self.fired += outcome.fired
        self.statuses += outcome.statuses
        self.ends |= outcome.ends


class Killed(NamedTuple):
    """What was killed: the program, with the requests that this cut off, and brokers, with the orders meanwhile."""

    programs: int
    cut_off: int
    leaders: int
    orders: int


def main() -> int:
    """Exit with 1 where something was lost, a planted bug was not found, or a kind of fault never struck."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20_000, help="runs of the simulation at most")
    parser.add_argument("--orders", type=int, default=50, help="orders in each")
    parser.add_argument("--while-s", type=float, default=float("inf"), help="seconds for the simulation at most")
    parser.add_argument("--kills", type=int, default=1_000, help="kills of the real program")
    wished = parser.parse_args()
    found = simulated(range(wished.seeds), wished.orders, wished.while_s)
    if found is None:
        return 1
    score = planted()
    cut_off = killed(wished.kills) if wished.kills else 0
    if score is None or cut_off is None:
        return 1
    leaders = -(-wished.kills // KILLS_A_LEADER)
    kept = led(leaders) if leaders else 0
    if kept is None:
        return 1
    real = Killed(wished.kills, cut_off, leaders, kept)
    PAGE.write_text(page(found, wished.orders, score, real))
    _say(f"written to {PAGE.relative_to(TOP)}")
    return 0


def simulated(seeds: Iterable[int], orders: int, while_s: float) -> Simulated | None:
    """Run the seeds on all processors; None, and why, for the first that breaks an invariant."""
    found, began = Simulated(), time.monotonic()
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        run = partial(_within, began + while_s, orders)
        for outcome in pool.map(run, seeds, chunksize=1):
            if outcome is None:
                break
            if outcome.violations:
                _say(told(outcome))
                return None
            found.add(outcome)
            if found.seeds % SAY_EVERY == 0:
                _say(f"{found.seeds} seeds, {found.orders} orders, {found.fired.total()} faults, nothing lost")
    found.took_s = time.monotonic() - began
    never = set(RATES) - set(found.fired)
    if never:
        _say(f"these faults never struck: {', '.join(sorted(never))}")
        return None
    return found


def _within(until: float, orders: int, seed: int) -> Outcome | None:
    """A run, if there is still time.  The clock is that of the machine, the same in all processes."""
    return simulate(seed, orders) if time.monotonic() < until else None


def planted() -> int | None:
    """How many plants were found, of all; None, and why, where one was not."""
    done = _tests("tests/simulation/planted", "-k", "test_a_planted_bug_is_found")
    passed = _PASSED.search(done.stdout)
    return int(passed[1]) if done.returncode == 0 and passed is not None else None


def killed(kills: int) -> int | None:
    """Kill the real program so often; gives how many requests were cut off by that, None where something was lost."""
    done = _tests("tests/e2e/test_kill.py", KILLS=str(kills))
    cut_off = _CUT_OFF.search(done.stdout + done.stderr)
    return int(cut_off[1]) if done.returncode == 0 and cut_off is not None else None


def led(leaders: int) -> int | None:
    """Kill so many leaders of three brokers; gives the orders asked for meanwhile, None where one was lost."""
    done = _tests("tests/e2e/prove_brokers.py", LEADERS=str(leaders))
    kept = _KEPT.search(done.stdout + done.stderr)
    return int(kept[1]) if done.returncode == 0 and kept is not None else None


def _tests(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    done = subprocess.run(  # noqa: S603  our own tests
        command, cwd=TOP, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    _say(done.stdout[-3000:] + done.stderr[-3000:])
    return done


def page(found: Simulated, orders: int, score: int, real: Killed) -> str:
    """What it came to, as Markdown."""
    bugs = len(WELL_KNOWN) + len(OURS)
    machine = f"{os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}"
    return f"""# What the long proof came to

Written by `make prove` on {datetime.now(UTC):%Y-%m-%d} at {commit()} ({machine}); do not edit it by hand.
[Exactly-once effect](../explanation/exactly-once-effect.md) says what is proved by it and what is not.

| what | how much |
|---|---:|
| seeds of the simulation, each a shop of its own | {found.seeds:,} |
| orders in them, up to {orders} a seed | {found.orders:,} |
| faults that struck | {found.fired.total():,} |
| different ends of an order: status, attempt, and all that it had learned | {len(found.ends):,} |
| invariants broken: money or goods lost or doubled, orders stuck, requests forgotten | 0 |
| real time, minutes | {found.took_s / 60:.1f} |
| planted bugs found ([the list](planted-bugs.md)), in {score} plants | {bugs} of {bugs} |
| `kill -9` of the real program, half of them with its PostgreSQL | {real.programs:,} |
| requests that these cut off, each asked again and answered once | {real.cut_off:,} |
| `kill -9` of the broker that led a topic, one of three with three copies of it | {real.leaders:,} |
| orders that were asked for meanwhile, each there once | {real.orders:,} |

## How often each fault struck

| fault | times |
|---|---:|
{_rows(found.fired)}

## How the orders ended

| end | orders |
|---|---:|
{_rows(found.statuses)}
"""


def _rows(counts: Counter[str]) -> str:
    return "\n".join(f"| {name.replace('_', ' ')} | {count:,} |" for name, count in sorted(counts.items()))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
