"""The two statements of a batch: one that reads everything, one that writes everything.

A batch makes two round trips, read and write, or four with BEGIN and COMMIT around them.  Rows come back as columns,
each an array, or a list in JSON.  Lists go in as one JSON parameter: an array of strings (`{}::text[]`, `{}::uuid[]`),
or of rows that are arrays (`rows_of`).  So a statement's text depends only on which tables take part: built once,
prepared once.  JSON, because the driver looks at each element of an array on its own: that was a third of all the time
that a message cost.

Lock order, where it locks: the read statement evaluates its tables from left to right, keys sorted.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from sagamart.messaging.records import Table


class Part(NamedTuple):
    """A piece of a statement; `{}` stands for each of its parameters, `{}::text[]` and `{}::uuid[]` for JSON lists.

    A piece with `columns` is read as these aggregates over its rows.  A piece that is `counted` must write as many rows
    as its last parameter says: otherwise the statement fails (division by zero), and nothing of it stays.
    """

    sql: str
    columns: tuple[str, ...] = ()
    counted: bool = False
    scalar: bool = False


_LIST = re.compile(r"\{\}::(text|uuid)\[\]")


def joined(pieces: Sequence[bytes]) -> tuple[bytes, list[tuple[int, int]]]:
    """Pieces as one parameter, and where each of them is (from 1 on, bytes), for `substring`.

    Half of what base64 in the JSON costs PostgreSQL, and a quarter of what the driver takes for an array of bytes.
    """
    ends = list(accumulate(map(len, pieces)))
    return b"".join(pieces), [(end - len(piece) + 1, len(piece)) for end, piece in zip(ends, pieces, strict=True)]


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
        if part.columns:
            named = ", ".join(f"{aggregate} as c{column}" for column, aggregate in enumerate(part.columns))
            sql = f"select {named} from ({sql}) r"
        tables.append(f"p{place} as {'materialized ' if part.columns else ''}({sql})")
        outputs.extend(f"(select c{column} from p{place})" for column in range(len(part.columns)))
        if part.counted:
            number += 1
            outputs.append(f"1 / ((select count(*) from p{place}) = ${number}::bigint)::int")
    with_ = f"with {', '.join(tables)} " if tables else ""
    return f"{with_}select {', '.join(outputs) or '1'}"


def arrays(*names: str) -> tuple[str, ...]:
    """The aggregates that make an array of each of these columns."""
    return tuple(f"array_agg({name})" for name in names)


@lru_cache(maxsize=1024)
def select(table: Table[Any], column: str, *, locked: bool) -> Part:
    """Read the records whose `column` is among the values, and lock them."""
    names = ", ".join(c.name for c in table.columns)
    rows = f"select {names} from {table.name} where {column} = any({{}}::text[])"
    return Part(
        f"{rows} order by {table.key} for update" if locked else rows,
        columns=tuple(c.aggregate for c in table.columns),
    )


@lru_cache(maxsize=1024)
def insert(table: Table[Any]) -> Part:
    """Insert rows."""
    names = ", ".join(c.name for c in table.columns)
    return Part(f"insert into {table.name} ({names}) {rows_of(*(c.type for c in table.columns))}")


@lru_cache(maxsize=1024)
def update(table: Table[Any], *, often: bool) -> Part:
    """Change the records whose version is still the one that was loaded (a last column after theirs).

    `often`: only in the columns that are not declared to change seldom.  Two statements a table, not one for each set
    of columns that differ: every statement is planned, and kept, on every connection.
    """
    columns = table.often if often else table.columns
    names = ", ".join(c.name for c in columns)
    values = rows_of(*(c.type for c in columns), "bigint")
    sets = ", ".join(f"{c.name} = r.{c.name}" for c in columns if c.name != table.key)
    return Part(
        f"update {table.name} t set {sets} from ({values}) as r({names}, loaded_version)"
        f" where t.{table.key} = r.{table.key} and t.version = r.loaded_version returning 1",
        counted=True,
    )
