"""The house as it stands, and ways to build a small one that breaks a rule."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

Plant = Callable[[str, str], list[Path]]


@pytest.fixture(scope="session")
def top() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def house(top: Path) -> list[Path]:
    """Every file that is tracked, or would be when everything here is added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=top, check=True, capture_output=True, text=True).stdout  # noqa: S603 - fixed words
    files = [top / name for name in listed.split("\0") if name and (top / name).is_file()]
    assert top / "pyproject.toml" in files
    return files


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Write one file under an empty folder and list what is there."""

    def write(name: str, text: str) -> list[Path]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return [path]

    return write
