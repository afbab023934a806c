"""Nothing is lost, doubled or stuck, whatever the seed."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from simulation import failing
from simulation.chaos import RATES
from simulation.planted.shopping import refund_of_the_gross
from simulation.world import Outcome, simulate

SEEDS = 300
CHUNK = 25


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """Collect what the seeds of this session came to."""
    return []


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_the_shop_comes_to_rest_with_nothing_lost_or_doubled(first: int, outcomes: list[Outcome]) -> None:
    for seed in range(first, first + CHUNK):
        outcome = simulate(seed)
        outcomes.append(outcome)
        assert not outcome.violations, failing.told(outcome)


def test_every_kind_of_fault_and_every_end_of_an_order_has_been_met(outcomes: list[Outcome]) -> None:
    fired = sum((outcome.fired for outcome in outcomes), Counter[str]())
    ends = sum((outcome.statuses for outcome in outcomes), Counter[str]())
    assert len(outcomes) == SEEDS
    assert set(fired) == set(RATES)
    assert set(ends) == {
        "completed",
        "returned",
        "promo_refused",
        "stock_refused",
        "stock_revoked",
        "money_refused",
        "capture_refused",
        "shipment_refused",
        "cancelled_by_customer",
        "cancelled_by_staff",
        "booking_timeout",
        "payment_timeout",
    }


def test_every_act_of_customers_has_been_met_and_what_may_become_of_it(outcomes: list[Outcome]) -> None:
    acts = sum((outcome.acts for outcome in outcomes), Counter[str]())
    assert set(acts) >= {
        "order",
        "pay",
        "cancel",
        "return",
        "top",
        "change",
        "change undone",
        "redeliver",
        "move",
        "address changed",
        "address kept",
        "slot sought",
    }


def test_a_seed_replays_exactly_whatever_python_makes_of_hashes() -> None:
    def trace(hash_seed: str) -> str:
        run = Path(__file__).with_name("run.py")
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        ran = subprocess.run(  # noqa: S603  our own program
            [sys.executable, str(run), "--seed", "7"], env=environment, capture_output=True, text=True, check=True
        )
        return ran.stdout

    here = simulate(7)
    assert simulate(7).trace == here.trace
    assert here.trace in trace("1")
    assert trace("1") == trace("2")
    assert simulate(8).trace != here.trace


def test_a_run_that_fails_is_made_small_and_tells_how_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    refund_of_the_gross(monkeypatch)
    monkeypatch.setattr(failing, "TRIES_MAX", 12)
    failed = next(outcome for outcome in map(simulate, range(SEEDS)) if outcome.violations)

    said = failing.told(failed)

    replay = re.search(r"replay that with: make sim SEED=(\d+) ORDERS=(\d+)(?: WITHOUT='(.*)')?  \(at (.+)\)", said)
    assert replay is not None, said
    without = tuple(replay[3].split(",")) if replay[3] else ()
    assert int(replay[2]) < failed.orders or without
    assert replay[4] == failing.commit()
    assert simulate(int(replay[1]), int(replay[2]), without).violations
