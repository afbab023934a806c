"""The tool that tries the rules of Prometheus; `scripts/rules build` makes it."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

TOP = Path(__file__).parents[2]
TOOL = TOP / ".venv" / "rules"


class Selector(msgspec.Struct, frozen=True):
    """A metric of an expression, with the labels that it is chosen by."""

    name: str
    labels: list[str]


class Named(msgspec.Struct, frozen=True):
    """What an expression names, or why it is none."""

    selectors: list[Selector] | None = None
    grouped: list[str] | None = None
    error: str = ""


def tried(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run unit tests of rules."""
    return _run("test", *map(str, files))


def names_in(expressions: Sequence[str]) -> list[Named]:
    """Read each expression as Prometheus does."""
    done = _run("names", said=json.dumps(list(expressions)))
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=list[Named])


def _run(*arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    assert TOOL.is_file(), "the tool that tries rules is not built (it needs Go): scripts/rules build"
    return subprocess.run([TOOL, *arguments], input=said, capture_output=True, text=True, check=False)  # noqa: S603  our own
