"""Rules of the house about every text it tracks, and about what its documents promise.

As in `source_rules`, each rule is a function from files to findings, `path:line: what is wrong`.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

LOCKS = frozenset({"uv.lock", "package-lock.json"})

# Written so that no pattern matches its own line.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|root|Users|work|farm)/[\w.]|\b[A-Z]:\\\\?Users\\")
REGISTRY_HOST = re.compile(r"\b(?:pypi|pythonhosted|npmjs|yarnpkg|crates|rubygems)\.(?:org|com|io)\b|\brepo1?\.maven\b")
UNFINISHED = re.compile(r"\b(?:[T]ODO|[F]IXME|[X]XX|[H]ACK)\b")

FENCE = re.compile(r"^(?P<fence>```|~~~).*?^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`)")
LINK = re.compile(r"\]\(<?(?P<inline>[^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*<?(?P<named>[^\s>]+)", re.MULTILINE)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
DEFINITION = re.compile(r"(?P<file>[\w/.-]+\.py)::(?P<name>\w+)")
ASSIGNMENTS = r"(?:[A-Z_]+=\S+[ \t]+)*"
MAKE_CALL = re.compile(
    rf"(?:^|[`;&|(])[ \t]*(?:\$[ \t]+)?{ASSIGNMENTS}make[ \t]+{ASSIGNMENTS}(?P<target>[a-z][a-z0-9-]*)",
    re.MULTILINE,
)
MAKE_TARGET = re.compile(r"^(?P<target>[a-z][a-z0-9-]*):(?!=)", re.MULTILINE)


def machine_paths(files: Sequence[Path]) -> list[str]:
    """Nothing names a folder of one person's machine."""
    return list(_matches(_texts(files), MACHINE_PATH, "a path of one machine"))


def registry_hosts(files: Sequence[Path]) -> list[str]:
    """Where packages come from is the business of each machine's settings and of the Python lock file."""
    checked = [*_texts(files), *(path for path in files if path.name == "package-lock.json")]
    return list(_matches(checked, REGISTRY_HOST, "the host of a package registry"))


def unfinished_work(files: Sequence[Path]) -> list[str]:
    """Work that is left is an issue, not a remark in the code."""
    return list(_matches(_texts(files), UNFINISHED, "unfinished work"))


def broken_links(files: Sequence[Path]) -> list[str]:
    """A link in a document to a local file leads to something."""
    return [
        f"{path}:{_line(text, link.start())}: no such file: {target}"
        for path in _markdown(files)
        for text in [_without_code(path.read_text())]
        for link in LINK.finditer(text)
        if not SCHEME.match(target := (link["inline"] or link["named"]).partition("#")[0])
        and not (path.parent / target).exists()
    ]


def unknown_definitions(files: Sequence[Path]) -> list[str]:
    """What a document names as `file.py::name` (a rule, a table, a test) is defined in a file that is called so."""
    sources = [path for path in files if path.suffix == ".py"]
    return [
        f"{path}:{_line(text, named.start())}: nothing is called so: {named.group()}"
        for path in _markdown(files)
        for text in [path.read_text()]
        for named in DEFINITION.finditer(text)
        if not any(named["name"] in _defined(source) for source in sources if source.match(named["file"]))
    ]


def unknown_make_targets(files: Sequence[Path], makefile: Path) -> list[str]:
    """A document promises only make targets that exist. Only code is looked at, for prose makes many things."""
    known = {match["target"] for match in MAKE_TARGET.finditer(makefile.read_text())}
    return [
        f"{path}:{_line(text, code.start() + call.start())}: no such target: make {call['target']}"
        for path in _markdown(files)
        for text in [path.read_text()]
        for code in _code(text)
        for call in MAKE_CALL.finditer(code.group())
        if call["target"] not in known
    ]


@cache
def _defined(path: Path) -> frozenset[str]:
    """The names that a Python file gives to something at its top."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Assign(targets=targets):
                names.update(target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return frozenset(names)


def _texts(files: Iterable[Path]) -> Iterator[Path]:
    """All files that people write: no locks, nothing vendored, nothing binary."""
    for path in files:
        if path.name not in LOCKS and "vendor" not in path.parts and b"\0" not in path.read_bytes():
            yield path


def _markdown(files: Iterable[Path]) -> list[Path]:
    return [path for path in files if path.suffix == ".md"]


def _matches(files: Iterable[Path], pattern: re.Pattern[str], what: str) -> Iterator[str]:
    for path in files:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if match := pattern.search(line):
                yield f"{path}:{number}: {what}: {match.group()}"


def _code(text: str) -> list[re.Match[str]]:
    return [*FENCE.finditer(text), *CODE_SPAN.finditer(FENCE.sub(_blank, text))]


def _without_code(text: str) -> str:
    return CODE_SPAN.sub(_blank, FENCE.sub(_blank, text))


def _blank(match: re.Match[str]) -> str:
    """Blank the match out, with every position and line after it kept."""
    return re.sub(r"[^\n]", " ", match.group())


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
