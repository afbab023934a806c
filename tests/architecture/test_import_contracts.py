"""The import contracts of pyproject.toml hold here, and each bites on a small house with one wrong import."""

import subprocess
import sys
from pathlib import Path

import pytest

from architecture.conftest import Plant

ROOMS = (
    "messaging.worker",
    "contracts.orders",
    "platform.settings",
    "shop.orders.service",
    "shop.stock.service",
    "bank.api",
    "web.visit",
    "app",
    "programs",
    "cli",
)


def lint(source: Path, settings: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with the project's own contracts over the package that stands in `source`."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]
    arguments = ["--config", str(settings), "--no-cache", "--no-logo"]
    return subprocess.run([*command, *arguments], cwd=source, check=False, capture_output=True, text=True)  # noqa: S603 - fixed words


def build(plant: Plant, module: str, line: str) -> None:
    name = f"sagamart/{module.replace('.', '/')}.py"
    (path,) = plant(name, line)
    for folder in path.parents:
        (folder / "__init__.py").touch()
        if folder.name == "sagamart":
            return


@pytest.fixture
def small_house(tmp_path: Path, plant: Plant) -> Path:
    for room in ROOMS:
        build(plant, room, "")
    return tmp_path


def test_the_house_keeps_its_contracts(top: Path) -> None:
    result = lint(top / "src", top / "pyproject.toml")

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "imports"),
    [
        ("cli", "programs"),
        ("programs", "app"),
        ("app", "shop.orders.service"),
        ("shop.orders.service", "contracts.orders"),
        ("shop.orders.service", "platform.settings"),
        ("contracts.orders", "messaging.worker"),
        ("platform.settings", "messaging.worker"),
        ("programs", "bank.api"),
        ("bank.api", "platform.settings"),
        ("programs", "web.visit"),
        ("web.visit", "platform.settings"),
    ],
)
def test_an_import_downwards_is_accepted(module: str, imports: str, small_house: Path, plant: Plant, top: Path) -> None:
    build(plant, module, f"import sagamart.{imports}\n")

    result = lint(small_house, top / "pyproject.toml")

    assert "1 dependencies" in result.stdout
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "imports"),
    [
        ("messaging.worker", "shop.orders.service"),
        ("messaging.worker", "contracts.orders"),
        ("messaging.worker", "platform.settings"),
        ("contracts.orders", "platform.settings"),
        ("contracts.orders", "shop.orders.service"),
        ("platform.settings", "contracts.orders"),
        ("platform.settings", "shop.orders.service"),
        ("shop.orders.service", "app"),
        ("shop.orders.service", "shop.stock.service"),
        ("shop.orders.service", "bank.api"),
        ("bank.api", "shop.orders.service"),
        ("bank.api", "contracts.orders"),
        ("bank.api", "messaging.worker"),
        ("app", "cli"),
        ("web.visit", "shop.orders.service"),
        ("web.visit", "contracts.orders"),
        ("web.visit", "messaging.worker"),
        ("web.visit", "bank.api"),
        ("shop.orders.service", "web.visit"),
    ],
)
def test_an_import_upwards_or_between_slices_is_refused(
    module: str, imports: str, small_house: Path, plant: Plant, top: Path
) -> None:
    build(plant, module, f"def late():\n    import sagamart.{imports}\n")

    result = lint(small_house, top / "pyproject.toml")

    assert result.returncode == 1, result.stdout + result.stderr
    assert f"sagamart.{module} -> sagamart.{imports}" in result.stdout


def test_a_package_without_a_place_is_refused(small_house: Path, plant: Plant, top: Path) -> None:
    build(plant, "attic.boxes", "")

    result = lint(small_house, top / "pyproject.toml")

    assert result.returncode == 1, result.stdout + result.stderr
    assert "attic" in result.stdout
