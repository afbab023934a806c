"""The rules about texts and documents hold here, and each bites where a violation is planted."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from architecture.conftest import Plant
from architecture.text_rules import (
    broken_links,
    machine_paths,
    registry_hosts,
    unfinished_work,
    unknown_definitions,
    unknown_make_targets,
)


@pytest.mark.parametrize("rule", [machine_paths, registry_hosts, unfinished_work, broken_links, unknown_definitions])
def test_the_house_keeps_the_rule(rule: Callable[[Sequence[Path]], list[str]], house: list[Path]) -> None:
    assert rule(house) == []


def test_the_documents_name_only_targets_that_exist(house: list[Path], top: Path) -> None:
    assert unknown_make_targets(house, top / "Makefile") == []


@pytest.mark.parametrize(
    "path", ["/home" + "/anna/shop", "/root" + "/.cache", "/Users" + "/anna", "C:" + "\\Users\\anna"]
)
def test_a_path_of_one_machine_is_refused(path: str, plant: Plant) -> None:
    assert len(machine_paths(plant("settings.toml", f'data = "{path}"\n'))) == 1


@pytest.mark.parametrize("path", ["/var/lib/sagamart", "/v1/users/me", "https://example.com/home/index.html"])
def test_a_path_of_any_machine_or_of_the_web_is_accepted(path: str, plant: Plant) -> None:
    assert machine_paths(plant("settings.toml", f'data = "{path}"\n')) == []


@pytest.mark.parametrize("host", ["py" + "pi.org", "files.python" + "hosted.org", "registry.npm" + "js.org"])
@pytest.mark.parametrize("name", ["Dockerfile", "tests/e2e/newman/package-lock.json"])
def test_the_host_of_a_registry_is_refused(name: str, host: str, plant: Plant) -> None:
    assert len(registry_hosts(plant(name, f"https://{host}/simple\n"))) == 1


def test_the_python_lock_file_names_its_registry(plant: Plant) -> None:
    assert registry_hosts(plant("uv.lock", "https://py" + "pi.org/simple\n")) == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"])
@pytest.mark.parametrize("name", ["decide.py", "queries.sql", "README.md"])
def test_unfinished_work_is_refused(name: str, word: str, plant: Plant) -> None:
    assert len(unfinished_work(plant(name, f"-- {word}: the other half\n"))) == 1


def test_vendored_and_binary_files_are_others_work(plant: Plant) -> None:
    assert unfinished_work(plant("web/vendor/chart.js", "// TO" + "DO\n")) == []
    assert unfinished_work(plant("web/logo.png", "\0 TO" + "DO\n")) == []


@pytest.mark.parametrize(
    "link", ["[the saga](docs/saga.md)", "[saga](docs/saga.md#table 'The table')", "[saga]: docs/saga.md"]
)
def test_a_link_that_leads_nowhere_is_refused(link: str, plant: Plant) -> None:
    (finding,) = broken_links(plant("README.md", f"# Shop\n\n{link}\n"))

    assert finding.endswith("README.md:3: no such file: docs/saga.md")


def test_a_link_is_followed_from_the_document_that_has_it(plant: Plant) -> None:
    plant("docs/saga.md", "# Saga\n")

    assert (
        broken_links(plant("docs/reference/api.md", "[saga](../saga.md#table), [web](https://example.com), [up](#api)"))
        == []
    )


def test_code_in_a_document_is_no_link(plant: Plant) -> None:
    assert broken_links(plant("README.md", "`rows[0](x)`\n\n```python\nhandlers[kind](message)\n```\n")) == []


@pytest.mark.parametrize(
    "named", ["decide.py::sell", "[`orders/decide.py::PRICE`](orders/decide.py)", "tests/test_orders.py::book"]
)
def test_a_definition_that_does_not_exist_is_refused(named: str, plant: Plant) -> None:
    files = plant("shop/orders/decide.py", "LIMIT = 1\n\ndef book(): ...\n") + plant("map.md", f"# Map\n\n{named}\n")

    (finding,) = unknown_definitions(files)

    assert "map.md:3: nothing is called so" in finding


@pytest.mark.parametrize("named", ["decide.py::LIMIT", "orders/decide.py::book", "decide.py::Rules", "decide.py::told"])
def test_a_definition_that_exists_is_accepted(named: str, plant: Plant) -> None:
    source = "LIMIT: int = 1\nclass Rules: ...\nasync def told(): ...\ndef book(): ...\n"

    assert unknown_definitions(plant("shop/orders/decide.py", source) + plant("map.md", named)) == []


@pytest.mark.parametrize(
    "code", ["`make fly`", "```sh\nmake fly\n```", "```\n$ cd shop && SEED=1 make fly\n```", "`make SEED=1 fly`"]
)
def test_a_make_target_that_does_not_exist_is_refused(code: str, plant: Plant) -> None:
    (makefile,) = plant("Makefile", "UV := uv\nrun: .venv\n\tsagamart up\n")

    (finding,) = unknown_make_targets(plant("README.md", code), makefile)

    assert finding.endswith("no such target: make fly")


def test_a_make_target_that_exists_is_accepted(plant: Plant) -> None:
    (makefile,) = plant("Makefile", "run: .venv\n\tsagamart up\n")

    assert unknown_make_targets(plant("README.md", "`make`, `make run`\n"), makefile) == []


@pytest.mark.parametrize("text", ["We make sure.", "`We` make sure", "```\nx/  # what make needs\n```"])
def test_prose_about_making_promises_no_target(text: str, plant: Plant) -> None:
    (makefile,) = plant("Makefile", "run: .venv\n\tsagamart up\n")

    assert unknown_make_targets(plant("README.md", text), makefile) == []
