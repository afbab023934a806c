"""The two statements of a batch: one that reads everything, one that writes everything.

A batch makes two round trips, read and write, or four with BEGIN and COMMIT around them.  Rows come back as columns,
one array each.  Lists go in as one JSON parameter: an array of strings (`{}::text[]`, `{}::uuid[]`), or of rows that
are arrays (`rows_of`).  So a statement's text depends only on which tables take part: built once, prepared once.  JSON,
because the driver looks at each element of an array on its own: that was a third of all the time that a message cost.

Lock order, where it locks: the read statement evaluates its tables from left to right, keys sorted.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from sagamart.messaging.records import Table


class Part(NamedTuple):
    """A piece of a statement; `{}` stands for each of its parameters, `{}::text[]` and `{}::uuid[]` for JSON lists.

    A piece with `columns` reads them as arrays.  A piece that is `counted` must write as many rows as its last
    parameter says: otherwise the statement fails (division by zero), and nothing of it stays.
    """

    sql: str
    columns: tuple[str, ...] = ()
    counted: bool = False
    scalar: bool = False


_LIST = re.compile(r"\{\}::(text|uuid)\[\]")


def rows_of(*types: str) -> str:
    """Rows of these column types out of a JSON parameter; `bytea` is base64 there."""
    return f"select {', '.join(map(_value, range(len(types)), types))} from jsonb_array_elements({{}}::jsonb) r"


def _value(place: int, type_: str) -> str:
    match type_:
        case "jsonb":
            return f"nullif(r -> {place}, 'null')"
        case "bytea":
            return f"decode(r ->> {place}, 'base64')"
        case _:
            return f"(r ->> {place})::{type_}"


@lru_cache(maxsize=1024)
def statement(parts: tuple[Part, ...]) -> str:
    """All parts as one statement.  Raises ValueError for no parts."""
    if not parts:
        raise ValueError("a statement needs a part")
    number = 0
    tables: list[str] = []
    outputs: list[str] = []
    for place, part in enumerate(parts):
        sql = _LIST.sub(r"array(select jsonb_array_elements_text({}::jsonb)::\1)", part.sql)
        while "{}" in sql:
            number += 1
            sql = sql.replace("{}", f"${number}", 1)
        if part.scalar:
            outputs.append(f"({sql})")
            continue
        tables.append(f"p{place} as {'materialized ' if part.columns else ''}({sql})")
        outputs.extend(f"(select array_agg({column}) from p{place})" for column in part.columns)
        if part.counted:
            number += 1
            outputs.append(f"1 / ((select count(*) from p{place}) = ${number}::bigint)::int")
    with_ = f"with {', '.join(tables)} " if tables else ""
    return f"{with_}select {', '.join(outputs) or '1'}"


@lru_cache(maxsize=1024)
def select(table: Table[Any], column: str, *, locked: bool) -> Part:
    """Read the records whose `column` is among the values, and lock them."""
    names = tuple(c.name for c in table.columns)
    rows = f"select {', '.join(names)} from {table.name} where {column} = any({{}}::text[])"
    return Part(f"{rows} order by {table.key} for update" if locked else rows, columns=names)


@lru_cache(maxsize=1024)
def insert(table: Table[Any]) -> Part:
    """Insert rows."""
    names = ", ".join(c.name for c in table.columns)
    return Part(f"insert into {table.name} ({names}) {rows_of(*(c.type for c in table.columns))}")


@lru_cache(maxsize=1024)
def update(table: Table[Any]) -> Part:
    """Change the records whose version is still the one that was loaded (a last column after theirs)."""
    names = ", ".join(c.name for c in table.columns)
    values = rows_of(*(c.type for c in table.columns), "bigint")
    sets = ", ".join(f"{c.name} = r.{c.name}" for c in table.columns if c.name != table.key)
    return Part(
        f"update {table.name} t set {sets} from ({values}) as r({names}, loaded_version)"
        f" where t.{table.key} = r.{table.key} and t.version = r.loaded_version returning 1",
        counted=True,
    )
