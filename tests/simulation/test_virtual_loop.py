"""The loop without a clock."""

import asyncio
import time

import pytest

from simulation.virtual_loop import NothingWillHappenError, run_virtually


def test_a_day_passes_at_once() -> None:
    async def wait_a_day() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run_virtually(wait_a_day()) == pytest.approx(86_400)
    assert time.monotonic() - began < 5


def test_timers_come_in_the_order_of_their_times() -> None:
    heard: list[str] = []

    async def say(after_s: float, word: str) -> None:
        await asyncio.sleep(after_s)
        heard.append(word)

    async def talk() -> None:
        await asyncio.gather(say(0.3, "three"), say(0.1, "one"), say(0.2, "two"))

    run_virtually(talk())
    assert heard == ["one", "two", "three"]


def test_waiting_for_nothing_is_noticed() -> None:
    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(NothingWillHappenError):
        run_virtually(wait_for_ever())
