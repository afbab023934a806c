"""The tutorial, as whoever follows it: its commands, one after the other, in a shell."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerfile import TOP
from e2e.shop_program import SAGAMART, ShopProgram, environment

TEXT = (TOP / "docs/tutorial/kill-a-service.md").read_text()
STEP = re.compile(r"<!-- (?P<kind>start|run) -->\n```sh\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
STEP_S_MAX = 300
PREFIX = "scripts/uv run sagamart "


def steps(kind: str) -> list[str]:
    return [step["code"] for step in STEP.finditer(TEXT) if step["kind"] == kind]


@pytest.fixture
def shop(folder: Path) -> Iterator[ShopProgram]:
    """Start what the tutorial starts, on a free port and in a folder of its own."""
    (start,) = steps("start")
    with ShopProgram(folder, *start.strip().removeprefix(PREFIX).split()) as running:
        yield running


def own_tools(folder: Path, shop: ShopProgram) -> Path:
    """`pgrep` that sees this shop alone, since others may run on this machine; `scripts/uv` that runs what is here."""
    tools = folder / "tools"
    (tools / "scripts").mkdir(parents=True)
    write(tools / "pgrep", f'exec /usr/bin/env PATH=/usr/bin:/bin pgrep -P {shop.pid} "$@"')
    write(tools / "scripts/uv", f'shift 2\nexec {SAGAMART} "$@"')
    return tools


def write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_service_is_killed_and_the_audit_is_clean(shop: ShopProgram, folder: Path) -> None:
    tools = own_tools(folder, shop)
    told = environment(url=shop.address, data=str(folder))
    told["PATH"] = f"{tools}:{os.environ['PATH']}"
    said = []
    for step in steps("run"):
        done = subprocess.run(  # noqa: S603  the document's own words
            ["/bin/sh", "-euc", step],
            check=False,
            cwd=tools,
            env=told,
            capture_output=True,
            text=True,
            timeout=STEP_S_MAX,
        )
        assert done.returncode == 0, f"{step}\n{done.stdout}{done.stderr}"
        said.append(done.stdout + done.stderr)
    assert "16 invariants hold." in said[-1]
    assert any("kill -9" in step for step in steps("run"))
    assert any(line.startswith("orders-") and "ended (SIGKILL)" in line for line in shop.said), "\n".join(shop.said)
