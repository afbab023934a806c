"""Rules of the house that are read off Python source, each a function from files to findings.

A finding is one line, `path:line: what is wrong`; no findings means that the rule holds. Import directions between the
packages are not here: import-linter holds them, under `[tool.importlinter]` in pyproject.toml.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
EMPTY_NAMES = frozenset({"utils", "util", "common", "helpers", "helper", "misc", "manager", "base"})

WIRING = "service.py"
"""Names a slice's rules: they, and whatever of their slice they import, decide."""

IMPURE_MODULES = frozenset(
    {
        "aiosql",
        "asyncio",
        "asyncpg",
        "confluent_kafka",
        "httpx2",
        "litestar",
        "os",
        "random",
        "sagamart.platform",
        "secrets",
        "socket",
        "threading",
        "time",
        "uuid",
    },
)
CLOCK_READS = frozenset({"now", "utcnow", "today"})

SILENCE = re.compile(r"noqa(?::\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)?|type:\s*ignore(?:\[[^\]]*\])?|pragma:\s*no cover")
_NO_WHOLE_NUMBER = re.compile(r"\b(?:float|Decimal|Fraction)\b")
REASON = re.compile(r"[^\W\d_]{3,}")


def long_files(files: Sequence[Path]) -> list[str]:
    """Nobody reads a file of more than `FILE_LINES_MAX` lines."""
    return [
        f"{path}:{lines}: {lines} lines, {FILE_LINES_MAX} are the most"
        for path in _python(files)
        if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX
    ]


def long_functions(files: Sequence[Path]) -> list[str]:
    """A function of more than `FUNCTION_LINES_MAX` lines does more than one thing."""
    return [
        f"{path}:{node.lineno}: {node.name} has {lines} lines, {FUNCTION_LINES_MAX} are the most"
        for path in _python(files)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]


def empty_names(files: Sequence[Path]) -> list[str]:
    """A module or package is called after what it holds."""
    return [
        f"{path}:1: {name} says nothing about what is in it"
        for path in _python(files)
        for name in (path.stem, path.parent.name)
        if name in EMPTY_NAMES
    ]


def impure_deciders(files: Sequence[Path]) -> list[str]:
    """Deciding needs no driver, clock, chance or source of ids: time and ids arrive in the message.

    A file decides if its slice's `service.py` imports it, or another that decides does.

    The type `UUID` may be imported, its makers may not; so may `datetime`, but nobody asks it what time it is.
    """
    slices: dict[Path, dict[str, ast.Module]] = {}
    for path in _python(files):
        if path.parent.parent.name == "shop":
            slices.setdefault(path.parent, {})[path.stem] = ast.parse(path.read_text())
    return [
        f"{folder / name}.py:{line}: {what}"
        for folder, modules in slices.items()
        for name in sorted(_reached(modules, folder.name))
        for line, what in _impurities(modules[name])
    ]


def unexplained_silences(files: Sequence[Path]) -> list[str]:
    """A check that is silenced on a line says beside it why."""
    return [
        f"{path}:{line}: silenced without a reason: {comment}"
        for path in _python(files)
        for line, comment in _comments(path)
        if SILENCE.search(comment) and not REASON.search(SILENCE.sub("", comment))
    ]


def fractional_money(files: Sequence[Path]) -> list[str]:
    """Amounts are whole minor units: what is called `…_minor` is never a fraction."""
    return [
        f"{path}:{node.lineno}: {name} is no whole number of minor units"
        for path in _python(files)
        if "src" in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None
        for name in [ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else node.arg]
        if name.endswith("_minor") and _NO_WHOLE_NUMBER.search(ast.unparse(node.annotation))
    ]


def _python(files: Sequence[Path]) -> list[Path]:
    return [path for path in files if path.suffix == ".py"]


def _reached(modules: Mapping[str, ast.Module], slice_: str) -> set[str]:
    """The wiring, and all modules of its slice that it leads to."""
    reached: set[str] = set()
    ahead = [Path(WIRING).stem]
    while ahead:
        name = ahead.pop()
        if name in modules and name not in reached:
            reached.add(name)
            ahead.extend(_siblings(modules[name], f"sagamart.shop.{slice_}"))
    return reached


def _siblings(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{package}."):
            yield node.module.removeprefix(f"{package}.")


def _impurities(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, f"imports {name.name}") for name in names if _is_impure(name.name))
            case ast.ImportFrom(module="uuid", names=[ast.alias(name="UUID")]):
                continue
            case ast.ImportFrom(module=str(module), names=names, level=0):
                origins = {module, *(f"{module}.{name.name}" for name in names)}
                if any(_is_impure(origin) for origin in origins):
                    yield node.lineno, f"imports from {module}"
            case ast.Call(func=ast.Attribute(attr=attr)) if attr in CLOCK_READS:
                yield node.lineno, f"reads a clock: {attr}()"


def _is_impure(module: str) -> bool:
    parts = module.split(".")
    return any(".".join(parts[:length]) in IMPURE_MODULES for length in range(1, len(parts) + 1))


def _comments(path: Path) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
