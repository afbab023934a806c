"""Records and journals: structs that are rows, and the working set of a batch.

Rules:
- A record is versioned and updated; a journal is append-only.  The struct's fields are the table's columns, in order.
- A record is keyed by one text column, and its version rises by exactly one a decision.
- A decision sees only what its message asked for.  Touching anything else fails, as does saving it.
- Collections and nested structs are `jsonb` columns.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Generic, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec


class Record(msgspec.Struct, frozen=True):
    """A versioned row.  The first version is 1."""

    version: int


class Entry(msgspec.Struct, frozen=True):
    """A row of a journal: written once, never changed."""


Row = TypeVar("Row", bound=msgspec.Struct)
R = TypeVar("R", bound=Record)


class Column(NamedTuple):
    """A column, its PostgreSQL type, and where values are JSON how one, or a list of all, comes out."""

    name: str
    type: str
    decode: Callable[[Any], Any] | None = None
    decode_all: Callable[[Any], Any] | None = None

    @property
    def aggregate(self) -> str:
        """All values as one: JSON as one list, since reading many small pieces costs three times as much."""
        return f"{'json' if self.decode_all else 'array'}_agg({self.name})"


class Table(Generic[Row]):
    """Where the rows of one struct live.  `unique` names columns by which a record may be looked up too.

    `expires` names the moment after which a record means nothing: it goes once that lies behind the inbox's horizon.
    """

    def __init__(
        self, record: type[Row], name: str, *, key: str, unique: tuple[str, ...] = (), expires: str | None = None
    ) -> None:
        hints = get_type_hints(record)
        unknown = {key, *unique, expires or key} - set(hints)
        if unknown:
            raise TypeError(f"table {name}: {record.__name__} has no field {', '.join(sorted(unknown))}")
        self.record = record
        self.name = name
        self.key = key
        self.unique = unique
        self.expires = expires
        self.journal = not issubclass(record, Record)
        self.columns = tuple(_column(field, hints[field]) for field in record.__struct_fields__)
        self.often = self.columns
        self.values_often: Callable[[Row], tuple[Any, ...]] = msgspec.structs.astuple
        self._values_seldom: Callable[[Row], Any] | None = None

    def changing_seldom(self, *names: str) -> "Table[Row]":
        """Declare columns that hardly ever change: a batch that changes none of them does not write them again.

        Raises TypeError for what is no column.
        """
        unknown = set(names) - {column.name for column in self.columns}
        if unknown:
            raise TypeError(f"table {self.name} has no column {', '.join(sorted(unknown))}")
        self.often = tuple(column for column in self.columns if column.name not in names)
        self.values_often = attrgetter(*(column.name for column in self.often))
        self._values_seldom = attrgetter(*names)
        return self

    def changed_seldom(self, row: Row, before: Row) -> bool:
        """Whether these differ in a column that hardly ever changes."""
        values = self._values_seldom
        return values is not None and values(row) != values(before)

    def read(self, rows: Iterable[Any]) -> list[Row]:
        """Structs from the rows of a query."""
        return [
            self.record(
                *[
                    row[name] if decode is None or row[name] is None else decode(row[name])
                    for name, _, decode, _ in self.columns
                ]
            )
            for row in rows
        ]

    def unpacked(self, aggregates: Sequence[Any]) -> list[Row]:
        """Structs from the aggregate of each column (None: no rows)."""
        if aggregates[0] is None:
            return []
        columns = [
            values if column.decode_all is None else column.decode_all(values)
            for column, values in zip(self.columns, aggregates, strict=True)
        ]
        return list(map(self.record, *columns))


_COLUMN_TYPES: Mapping[Any, str] = {
    str: "text",
    int: "bigint",
    bool: "boolean",
    bytes: "bytea",
    datetime: "timestamptz",
}


def _column(name: str, whole: Any) -> Column:
    hint = whole
    if get_origin(hint) in (Union, UnionType):
        present = [part for part in get_args(hint) if part is not NoneType]
        hint = present[0] if len(present) == 1 else hint
    if get_origin(hint) is Literal:
        hint = type(get_args(hint)[0])
    plain = _COLUMN_TYPES.get(hint)
    if plain:
        return Column(name, plain)
    return Column(name, "jsonb", msgspec.json.Decoder(hint).decode, msgspec.json.Decoder(list[whole]).decode)


class Need(msgspec.Struct, frozen=True):
    """Rows that a decision wants to see: by key, or by a declared unique column."""

    kind: type[Record]
    values: Sequence[str]
    column: str | None = None


def need(kind: type[Record], *keys: str) -> Need:
    """These records by key, locked until the batch commits."""
    return Need(kind, keys)


def need_by(kind: type[Record], column: str, *values: str) -> Need:
    """These records by a unique column (a login knows the e-mail only)."""
    return Need(kind, values, column)


class UnaskedError(AssertionError):
    """A decision touched a record that its message did not ask for: a bug in the handler's needs."""


class NotLoadedError(Exception):
    """A record is needed that this batch did not load: the message waits for the next batch."""


class WorkingSet:
    """All records that a batch loaded, as its decisions change them one after another."""

    def __init__(self, tables: Iterable[Table[Any]]) -> None:
        self.tables: dict[type, Table[Any]] = {table.record: table for table in tables}
        self.present: dict[type, dict[str, Any]] = {}
        self.loaded: dict[type, dict[str, Any]] = {}
        self.entries: defaultdict[type, list[Any]] = defaultdict(list)
        self._dirty: defaultdict[type, set[str]] = defaultdict(set)
        self._by: dict[tuple[type, str], dict[str, str | None]] = {}

    def load(self, needs: Iterable[Need], found: Mapping[type, Sequence[Any]]) -> None:
        """Take in what a query found; what was asked for and not found is known to be absent."""
        for need_ in needs:
            if need_.column is None:
                rows = self.present.setdefault(need_.kind, {})
                for key in need_.values:
                    rows.setdefault(key, None)
            else:
                index = self._by.setdefault((need_.kind, need_.column), {})
                for value in need_.values:
                    index.setdefault(value, None)
        for kind, records in found.items():
            self._take(self.tables[kind], records)

    def _take(self, table: Table[Any], records: Sequence[Any]) -> None:
        rows = self.present.setdefault(table.record, {})
        loaded = self.loaded.setdefault(table.record, {})
        for record in records:
            key = getattr(record, table.key)
            if key in loaded:
                continue
            rows[key] = loaded[key] = record
            self._index(table, record, key)

    def _index(self, table: Table[Any], record: Any, key: str) -> None:
        for column in table.unique:
            index = self._by.get((table.record, column))
            if index is not None:
                index[getattr(record, column)] = key

    def knows(self, need_: Need) -> bool:
        """Whether all that a message needs has been loaded (or is known to be absent)."""
        rows = self.present.get(need_.kind) if need_.column is None else self._by.get((need_.kind, need_.column))
        return not need_.values or (rows is not None and all(value in rows for value in need_.values))

    def key_by(self, kind: type[Record], column: str, value: str) -> str | None:
        """The key of the record that has this value in a unique column."""
        return self._by[kind, column][value]

    def check(self, rows: Sequence[Any], records: "Records") -> None:
        """Raise AssertionError where a decision's rows cannot be saved; change nothing."""
        keys: set[tuple[type, str]] = set()
        for row in rows:
            kind = type(row)
            table = self.tables.get(kind)
            if table is None:
                raise UnaskedError(f"{kind.__name__} is no table of this service")
            if table.journal:
                continue
            key = getattr(row, table.key)
            if not records.allows(kind, key):
                raise UnaskedError(f"{kind.__name__} {key!r} is saved but was not asked for")
            before = self.present[kind][key]
            expected = 1 if before is None else before.version + 1
            if row.version != expected or (kind, key) in keys:
                raise AssertionError(f"{kind.__name__} {key!r}: version {row.version} saved, {expected} is next")
            keys.add((kind, key))

    def save(self, rows: Sequence[Any]) -> None:
        """Take a decision's rows, which were checked."""
        for row in rows:
            kind = type(row)
            table = self.tables[kind]
            if table.journal:
                self.entries[kind].append(row)
                continue
            key = getattr(row, table.key)
            self.present[kind][key] = row
            self._dirty[kind].add(key)
            if table.unique:
                self._index(table, row, key)

    def changes(self) -> tuple[dict[type, list[Any]], dict[type, list[tuple[Any, int]]]]:
        """New rows, and changed records with the version that was loaded; each sorted by key, for lock order."""
        new: dict[type, list[Any]] = {}
        changed: dict[type, list[tuple[Any, int]]] = {}
        for kind in self.tables:
            loaded = self.loaded.get(kind, {})
            for key in sorted(self._dirty.get(kind, ())):
                record = self.present[kind][key]
                if key in loaded:
                    changed.setdefault(kind, []).append((record, loaded[key].version))
                else:
                    new.setdefault(kind, []).append(record)
            if kind in self.entries:
                new[kind] = sorted(self.entries[kind], key=_sort_key(self.tables[kind]))
        return new, changed

    def changed_seldom(self, kind: type, pairs: Iterable[tuple[Any, int]]) -> bool:
        """Whether one of these changed records differs in a column that hardly ever changes."""
        table, loaded = self.tables[kind], self.loaded[kind]
        return any(table.changed_seldom(row, loaded[getattr(row, table.key)]) for row, _ in pairs)


def _sort_key(table: Table[Any]) -> Callable[[Any], Any]:
    return lambda row: getattr(row, table.key)


class Records:
    """What one decision may see: the records that its message asked for, and nothing else."""

    __slots__ = ("_asked", "_working")

    def __init__(self, working: WorkingSet, asked: Sequence[Need]) -> None:
        self._working = working
        self._asked = asked

    def find(self, kind: type[R], key: str) -> R | None:
        """The record of this key, or None where there is none.  Raises UnaskedError where it was not asked for."""
        for asked in self._asked:
            if asked.kind is kind and key in asked.values and asked.column is None:
                return self._working.present[kind][key]  # type: ignore[no-any-return]  # the map is by kind
        raise UnaskedError(f"{kind.__name__} {key!r} was not asked for")

    def get(self, kind: type[R], key: str) -> R:
        """The record of this key, which must exist (its absence is a bug: the message goes to the dead letters)."""
        record = self.find(kind, key)
        if record is None:
            raise LookupError(f"{kind.__name__} {key} does not exist")
        return record

    def pick(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Those of these records that exist, by key."""
        return {key: record for key in keys if (record := self.find(kind, key)) is not None}

    def all(self, kind: type[R]) -> dict[str, R]:
        """All records of this kind that this message asked for by key and that exist."""
        return self.pick(kind, [key for n in self._asked if n.kind is kind and n.column is None for key in n.values])

    def find_by(self, kind: type[R], column: str, value: str) -> R | None:
        """The record with this value in a unique column, or None."""
        if not any(n.kind is kind and n.column == column and value in n.values for n in self._asked):
            raise UnaskedError(f"{kind.__name__} by {column} {value!r} was not asked for")
        key = self._working.key_by(kind, column, value)
        record = None if key is None else self._working.present[kind][key]
        return record if record is not None and getattr(record, column) == value else None

    def allows(self, kind: type, key: str) -> bool:
        """Whether this decision may save the record of this key."""
        for asked in self._asked:
            if asked.kind is kind and (key in asked.values if asked.column is None else self._found_by(asked, key)):
                return True
        return False

    def _found_by(self, asked: Need, key: str) -> bool:
        column = str(asked.column)
        return any(self._working.key_by(asked.kind, column, value) == key for value in asked.values)
