"""What comes from elsewhere: locked to the hash, listed, and looked up among what is known to be vulnerable.

The targets of the Makefile run as they stand there; only the service that knows of vulnerable packages is played.
"""

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dockerfile import TOP
from vulnerability_service import ADVISORY, VULNERABLE, knowing

LOCK: Mapping[str, Any] = tomllib.loads((TOP / "uv.lock").read_text())
NOBODY = "http://127.0.0.1:9/"
ALONE = {"UV_HTTP_RETRIES": "0", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
ALONE |= dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), NOBODY)
"""No network: uv would ask the registry, too, whether a project is still cared for."""

FROM_ELSEWHERE = [one for one in LOCK["package"] if one["name"] != "sagamart"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what says what is needed, to be spoilt."""
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(TOP / name, tmp_path)
    return tmp_path


def made(target: str, *variables: str, project: Path = TOP) -> subprocess.CompletedProcess[str]:
    """Run a target of the Makefile over a project."""
    told = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | ALONE
    return subprocess.run(  # noqa: S603  our own words
        ["make", "--silent", target, f"UV=scripts/uv --project {project}", *variables],  # noqa: S607  whichever make runs the tests
        check=False,
        cwd=TOP,
        env=told,
        capture_output=True,
        text=True,
    )


def audited(project: Path, url: str, parts: Path) -> subprocess.CompletedProcess[str]:
    return made("supply-chain", f"OSV_URL={url}", f"SBOM={parts}", project=project)


def test_the_lock_is_what_is_asked_for_whichever_mirror_a_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example/simple")

    done = made("locked")

    assert done.returncode == 0, done.stderr


def test_a_lock_that_is_older_than_what_is_asked_for_is_refused(project: Path) -> None:
    asked = project / "pyproject.toml"
    asked.write_text(asked.read_text().replace('"uvloop>=0.23"', '"uvloop>=99"'))

    done = made("locked", project=project)

    assert done.returncode != 0
    assert "uv.lock is not what pyproject.toml asks for" in done.stderr


def test_the_checks_before_the_tests_begin_with_the_lock() -> None:
    (needs,) = re.findall(r"^lint: (.*) ##", (TOP / "Makefile").read_text(), re.MULTILINE)
    assert "locked" in needs.split()


def test_every_file_that_may_be_installed_has_a_hash_and_comes_from_one_registry() -> None:
    files = [file for one in FROM_ELSEWHERE for file in (*one.get("wheels", ()), *filter(None, [one.get("sdist")]))]
    assert len(files) > len(FROM_ELSEWHERE) > 100
    assert [file["url"] for file in files if not re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"])] == []
    assert len({str(one["source"]) for one in FROM_ELSEWHERE}) == 1


def test_a_vulnerable_package_fails_the_check(project: Path, tmp_path: Path) -> None:
    plant(project / "uv.lock", *VULNERABLE)

    with knowing() as service:
        done = audited(project, service.url, tmp_path / "parts.json")

    assert done.returncode != 0
    assert ADVISORY in done.stdout + done.stderr
    assert VULNERABLE in service.asked


def plant(lock: Path, name: str, version: str) -> None:
    """Let a lock name another version of a package."""
    (now,) = [one["version"] for one in FROM_ELSEWHERE if one["name"] == name]
    head, package, rest = re.split(rf'(\[\[package\]\]\nname = "{name}"\n.*?\n\n)', lock.read_text(), flags=re.DOTALL)
    lock.write_text(head + package.replace(now, version) + rest)


def test_every_package_of_the_lock_is_looked_up_and_a_sound_one_passes(tmp_path: Path) -> None:
    with knowing() as service:
        done = audited(TOP, service.url, tmp_path / "parts.json")

    assert done.returncode == 0, done.stderr
    assert service.asked == {(one["name"], one["version"]) for one in FROM_ELSEWHERE}
    assert (tmp_path / "parts.json").exists()


def test_a_service_that_does_not_answer_is_no_proof_of_soundness(tmp_path: Path) -> None:
    done = audited(TOP, NOBODY, tmp_path / "parts.json")

    assert done.returncode != 0
    assert "v1/querybatch" in done.stderr
