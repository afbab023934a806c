"""The two statements of a batch: one that reads everything, one that writes everything.

A batch makes four round trips: BEGIN, read, write, COMMIT.  Reads come back as columns (one array each) and go in as
columns (`unnest`), so that a statement's text depends only on which tables take part: built once, prepared once.

Lock order: the read statement evaluates its tables from left to right, keys sorted.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from sagamart.messaging.records import Table


class Part(NamedTuple):
    """A piece of a statement; `{}` stands for each of its parameters.

    A piece with `columns` reads them as arrays; a piece that is `counted` tells how many rows it wrote.
    """

    sql: str
    columns: tuple[str, ...] = ()
    counted: bool = False
    scalar: bool = False


@lru_cache(maxsize=1024)
def statement(parts: tuple[Part, ...]) -> str:
    """All parts as one statement.  Raises ValueError for no parts."""
    if not parts:
        raise ValueError("a statement needs a part")
    number = 0
    tables: list[str] = []
    outputs: list[str] = []
    for place, part in enumerate(parts):
        sql = part.sql
        while "{}" in sql:
            number += 1
            sql = sql.replace("{}", f"${number}", 1)
        if part.scalar:
            outputs.append(f"({sql})")
            continue
        tables.append(f"p{place} as {'materialized ' if part.columns else ''}({sql})")
        outputs.extend(f"(select array_agg({column}) from p{place})" for column in part.columns)
        if part.counted:
            outputs.append(f"(select count(*) from p{place})")
    with_ = f"with {', '.join(tables)} " if tables else ""
    return f"{with_}select {', '.join(outputs) or '1'}"


@lru_cache(maxsize=1024)
def select(table: Table[Any], column: str) -> Part:
    """Lock and read the records whose `column` is among the values."""
    names = tuple(c.name for c in table.columns)
    rows = f"select {', '.join(names)} from {table.name} where {column} = any({{}}::text[])"
    return Part(f"{rows} order by {table.key} for update", columns=names)


@lru_cache(maxsize=1024)
def insert(table: Table[Any]) -> Part:
    """Insert rows."""
    names = ", ".join(c.name for c in table.columns)
    values = ", ".join(f"{{}}::{c.type}[]" for c in table.columns)
    return Part(f"insert into {table.name} ({names}) select * from unnest({values})")


@lru_cache(maxsize=1024)
def update(table: Table[Any]) -> Part:
    """Change the records whose version is still the one that was loaded (the last parameter)."""
    names = ", ".join(c.name for c in table.columns)
    values = ", ".join(f"{{}}::{c.type}[]" for c in table.columns)
    sets = ", ".join(f"{c.name} = r.{c.name}" for c in table.columns if c.name != table.key)
    return Part(
        f"update {table.name} t set {sets} from unnest({values}, {{}}::bigint[]) as r({names}, loaded_version)"
        f" where t.{table.key} = r.{table.key} and t.version = r.loaded_version returning 1",
        counted=True,
    )
