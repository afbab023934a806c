"""`make load`, in short: customers in a shop of many processes, one of which dies."""

import subprocess
import sys
from pathlib import Path

from e2e.shop_program import Tell

PROGRAM = Path(__file__).resolve().parents[2] / "bench" / "storm.py"
SHORT = {"users": "2", "ramp-s": "2", "spike-s": "2", "soak-s": "6", "kill-every-s": "3", "orders": "2"}
LOAD_S_MAX = 600.0


def test_customers_are_answered_rightly_while_a_service_dies_and_returns(folder: Path, tell: Tell) -> None:
    report = folder / "load.md"
    options = [word for name, value in SHORT.items() for word in (f"--{name}", value)]
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, PROGRAM, *options, "--to", report],
        capture_output=True,
        text=True,
        check=False,
        timeout=LOAD_S_MAX,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = report.read_text(encoding="utf-8")
    tell(told)
    assert "Every answer was right. The audit afterwards: every invariant holds." in told
    assert "`kill -9` of" in told
    assert "| completed |" in told
