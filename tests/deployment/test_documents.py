"""The documents: they build into a site without a broken link, and what they tell people to type exists."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerfile import TOP
from sagamart.bank.cli import app as bank_command
from sagamart.cli import app as command
from sagamart.operating import VARIABLES
from sagamart.platform.settings import settings_of
from sagamart.settings import ShopSettings

HISTORY = {"decisions", "CHANGELOG.md"}
"""What these tell was so at its time."""

DOCUMENTS = sorted(path for path in (*TOP.glob("docs/**/*.md"), *TOP.glob("*.md")) if HISTORY.isdisjoint(path.parts))
BLOCK = re.compile(r"^[ \t]*```(?:sh|bash|console)?\n(?P<code>.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`(?P<code>[^`\n]+)`(?!`)")
BEFORE = r"(?:^|[;&|(]|-- |\buv run |\bexec [a-z]+ |\b[A-Z_]+=\S+ )[ \t]*"
SAGAMART = re.compile(BEFORE + r"(?P<call>sagamart(?:-bank)?(?:[ \t]+(?![#|&;>)])\S+)*)", re.MULTILINE)
SCRIPT = re.compile(r"(?:^|\s)(?P<path>(?:scripts|deploy)/[\w./-]+)")
SETTING = re.compile(r"\bSAGAMART_[A-Z][A-Z_]*[A-Z]\b")
KNOWN = {one.variable for one in settings_of(ShopSettings)} | VARIABLES
KNOWN |= {"SAGAMART_CONFIG", "SAGAMART_PORT", "SAGAMART_ADMIN_PASSWORD", "SAGAMART_IMAGE"}
OF_A_SHELL = {"serve", "up", "run"}


def codes(text: str) -> Iterator[str]:
    """What stands in a document to be typed, its continued lines joined."""
    for block in BLOCK.finditer(text):
        yield block["code"].replace("\\\n", " ")
    for span in SPAN.finditer(BLOCK.sub("", text)):
        yield span["code"]


def unknown_commands(text: str) -> list[str]:
    """Calls of the program that it would not understand: a command that there is not, or an option."""
    return [call["call"] for code in codes(text) for call in SAGAMART.finditer(code) if not is_understood(call["call"])]


def is_understood(call: str) -> bool:
    name, *words = shlex.split(call.replace("…", "x"), comments=True)
    app = bank_command if name == "sagamart-bank" else command
    chain, apps, rest = app.parse_commands(words)
    options = [word.partition("=")[0] for word in rest if word.startswith("--")]
    if apps[-1].default_command is None:
        return not rest or options == ["--help"]
    known = {one for argument in apps[-1].assemble_argument_collection() for one in argument.names}
    return (bool(chain) or app is bank_command) and set(options) - {"--help"} <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(TOP)))
def test_every_command_that_is_told_exists(path: Path) -> None:
    assert unknown_commands(path.read_text()) == []


@pytest.mark.parametrize(
    "told",
    ["`sagamart fly`", "```sh\nsagamart operate mend ORD\n```", "`sagamart audit --quick`", "`sagamart topics`x"],
)
def test_a_command_that_does_not_exist_would_be_found(told: str) -> None:
    assert len(unknown_commands(told)) == (0 if told.endswith("x") else 1)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(TOP)))
def test_every_setting_that_is_told_exists(path: Path) -> None:
    told = set(SETTING.findall(path.read_text()))
    assert {one for one in told - KNOWN if not any(known.startswith(one) for known in KNOWN)} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(TOP)))
def test_every_script_that_is_told_exists(path: Path) -> None:
    told = {script["path"] for code in codes(path.read_text()) for script in SCRIPT.finditer(code)}
    assert {one for one in told if not (TOP / one).exists() and "secrets" not in one} == set()


def test_every_decision_has_a_number_of_its_own_and_says_it() -> None:
    records = sorted((TOP / "docs/decisions").glob("[0-9]*.md"))
    numbers = [path.name.partition("-")[0] for path in records]
    assert len(records) > 20
    assert sorted(set(numbers)) == numbers
    wrong = [path.name for path in records[1:] if not path.read_text().startswith(f"# {path.name[:4]}. ")]
    assert wrong == []


def test_the_documents_build_into_a_site_without_a_broken_link(tmp_path: Path) -> None:
    mkdocs = Path(sys.executable).parent / "mkdocs"
    done = subprocess.run(  # noqa: S603  our own words
        [mkdocs, "build", "--strict", "--site-dir", tmp_path / "site"],
        check=False,
        cwd=TOP,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 100
    for page in pages:
        fetched = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"?(https?:[^\"\s>]+)", page.read_text())
        assert fetched == [], f"{page.name} needs a network"
