"""The bank as a program of its own, and beside the shop in its demonstration."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import httpx

from bank_at_work import RUB

START_S_MAX = 180
STOP_S_MAX = 60
BIN = Path(sys.executable).parent
SHOP = {"Authorization": "Bearer bank-demo-shop", "Idempotency-Key": "key-1"}


@contextmanager
def running(*command: str) -> Iterator[Iterator[str]]:
    """A program of ours; gives the lines that it says.  It has to end well when it is asked to."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("SAGAMART_", "BANK_"))}
    process = subprocess.Popen(  # noqa: S603  our own program
        [BIN / command[0], *command[1:]],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=mine,
    )
    assert process.stderr is not None
    watch = Timer(START_S_MAX, process.kill)
    watch.start()
    try:
        yield iter(process.stderr)
        process.terminate()
        process.stderr.read()
        assert process.wait(STOP_S_MAX) == 0
    finally:
        watch.cancel()
        process.kill()
        process.wait(STOP_S_MAX)
        process.stderr.close()


def address_in(lines: Iterator[str], before: str) -> str:
    """Wait for the line that tells where something is open."""
    said = []
    for line in lines:
        said.append(line)
        if found := re.search(rf"{before}(http://\S+)", line):
            return found[1]
    raise AssertionError(f"it did not open: {said}")


def test_the_bank_starts_alone_tells_its_cards_and_remembers_after_a_restart(folder: Path) -> None:
    for _ in range(2):
        with running("sagamart-bank", "--port", "0", "--data", str(folder)) as lines:
            address = address_in(lines, "The bank is open at ")
            body = {"kind": "charge", **RUB(1250), "reference": "tea", "card": "4000000000000001"}
            answer = httpx.post(f"{address}/v1/payments", json=body, headers=SHOP, trust_env=False, timeout=60)
            window = "from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z"
            statement = httpx.get(f"{address}/v1/statement?{window}", headers=SHOP, trust_env=False, timeout=60)

        assert answer.json()["status"] == "succeeded"
        assert [one["amount_minor"] for one in statement.json()["items"]] == [1250]


def test_a_demonstration_has_a_bank_beside_the_shop(folder: Path) -> None:
    with running("sagamart", "up", "--demo", "--port", "0", "--data", str(folder)) as lines:
        address = address_in(lines, "A bank to try payments with is open at ")

        assert httpx.get(f"{address}/readyz", trust_env=False, timeout=60).json()["status"] == "ready"
