"""Products as a table for spreadsheets: CSV (RFC 4180) in UTF-8, `,` or `;` between the fields.

Rules:
- The first line names the columns.  Unknown ones are refused, `photo` is passed over, missing ones stay as they are.
- An empty field is left as it is; an empty measure is taken away, an empty description is empty.
- A text that a spreadsheet would take for a formula goes out with an apostrophe before it, and loses it on its way in
  (OWASP, CSV injection).
- Nothing is read whole: a file goes through in rows, and its bytes, its rows and each row have a greatest number.
"""

import codecs
import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sagamart.platform.http import RequestBody
from sagamart.shop.catalogue.fields import (
    Currency,
    Description,
    LengthMm,
    PriceMinor,
    Sku,
    TaxRateBp,
    Title,
    WeightG,
)

IMPORT_BYTES_MAX = 16 * 1024 * 1024
ROWS_MAX = 20_000
ROW_CHARS_MAX = 50_000
COLUMNS_MAX = 50
BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets take UTF-8 for the letters of their country."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
_MEASURES = frozenset(("length_mm", "width_mm", "height_mm"))
_PASSED_OVER = frozenset(("photo", ""))


class Row(RequestBody, frozen=True):
    """A row of a file, as far as the file has its columns."""

    sku: Sku
    title: Title | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    price_minor: PriceMinor | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    weight_g: WeightG | UnsetType = UNSET
    length_mm: LengthMm | UnsetType | None = UNSET
    width_mm: LengthMm | UnsetType | None = UNSET
    height_mm: LengthMm | UnsetType | None = UNSET
    tax_rate_bp: TaxRateBp | UnsetType = UNSET
    active: bool | UnsetType = UNSET


COLUMNS: Sequence[str] = Row.__struct_fields__


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that was not taken: the line on which it begins, its sku if it has one, and why."""

    line: int
    sku: Annotated[str, Meta(max_length=ROW_CHARS_MAX)]
    code: str
    reason: str


class UnreadableFileError(Exception):
    """The file as a whole cannot be read from `line` on."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")


async def rows_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, Row | RefusedRow]]:
    """The rows of a file with the lines on which they begin.  Raises UnreadableFileError."""
    columns: list[str] | None = None
    delimiter = ","
    count = 0
    async for line, text in _records(chunks):
        if columns is None:
            delimiter = ";" if ";" in text else ","
            columns = _columns(line, _fields(line, text, delimiter))
            continue
        if not text.strip():
            continue
        count += 1
        if count > ROWS_MAX:
            raise UnreadableFileError(line, f"more than {ROWS_MAX} rows: send the rest in another file")
        yield line, _row(line, columns, _fields(line, text, delimiter))
    if columns is None:
        raise UnreadableFileError(1, "the file is empty")


async def _records(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, str]]:
    """Records with the lines on which they begin; a line break inside quotation marks ends none."""
    record, begun = "", 1
    number = 0
    async for line in _lines(chunks):
        number += 1
        begun = begun if record else number
        record += line
        if len(record) > ROW_CHARS_MAX:
            raise UnreadableFileError(
                begun, f"a row of more than {ROW_CHARS_MAX} characters; is a quotation mark open?"
            )
        if record.count('"') % 2 == 0:
            yield begun, record
            record = ""
    if record:
        raise UnreadableFileError(begun, "a quotation mark is not closed")


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest, number, size = "", 0, 0
    async for chunk in chunks:
        size += len(chunk)
        if size > IMPORT_BYTES_MAX:
            raise UnreadableFileError(number + 1, f"more than {IMPORT_BYTES_MAX} bytes: send the rest in another file")
        *lines, rest = (rest + _decoded(decoder, chunk, number + 1)).split("\n")
        if len(rest) > ROW_CHARS_MAX:
            raise UnreadableFileError(number + 1, f"a line of more than {ROW_CHARS_MAX} characters")
        for line in lines:
            number += 1
            yield line.removesuffix("\r") + "\n"
    rest += _decoded(decoder, b"", number + 1, final=True)
    if rest:
        yield rest.removesuffix("\r") + "\n"


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, line: int, *, final: bool = False) -> str:
    try:
        text = decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        wrong = line + error.object[: error.start].count(b"\n")
        raise UnreadableFileError(wrong, "from here on this is no UTF-8; save the file as CSV UTF-8") from error
    if "\0" in text:
        wrong = line + text[: text.index("\0")].count("\n")
        raise UnreadableFileError(wrong, "the character U+0000 is not text")
    return text


def _fields(line: int, text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise UnreadableFileError(line, str(error)) from error


def _columns(line: int, fields: Sequence[str]) -> list[str]:
    columns = [field.strip().lower() for field in fields]
    unknown = sorted(set(columns) - set(COLUMNS) - _PASSED_OVER)
    named = [column for column in columns if column in COLUMNS]
    if unknown:
        raise UnreadableFileError(
            line, f"unknown columns {', '.join(unknown[:COLUMNS_MAX])}; known: {', '.join(COLUMNS)}"
        )
    if "sku" not in named:
        raise UnreadableFileError(line, "no column is called sku")
    if len(set(named)) < len(named):
        raise UnreadableFileError(line, "a column is there twice")
    return columns


def _row(line: int, columns: Sequence[str], fields: Sequence[str]) -> Row | RefusedRow:
    named = dict(zip(columns, fields, strict=False))
    if len(fields) != len(columns):
        reason = f"{len(fields)} fields, {len(columns)} columns"
        return RefusedRow(line, named.get("sku", ""), "malformed", reason)
    values = {name: value for name, text in named.items() if name in COLUMNS for value in _value(name, text)}
    try:
        return msgspec.convert(values, Row, strict=False)
    except msgspec.ValidationError as error:
        return RefusedRow(line, named["sku"], "malformed", str(error))


def _value(column: str, text: str) -> Iterable[str | None]:
    """The field as it goes in; nothing where it is left as it is."""
    if column == "description":
        return [_plain(text)]
    stripped = text.strip()
    if not stripped:
        return [None] if column in _MEASURES else []
    return [_plain(text) if column == "title" else stripped]


def table(rows: Iterable[Mapping[str, Any]], *, delimiter: str, head: bool) -> bytes:
    """Products as lines, after the byte order mark and the columns' names where it is the `head` of the file."""
    written = io.StringIO(newline="")
    if head:
        written.write(BYTE_ORDER_MARK)
    writer = csv.writer(written, delimiter=delimiter, lineterminator="\r\n")
    if head:
        writer.writerow(COLUMNS)
    writer.writerows([_shown(row[column]) for column in COLUMNS] for row in rows)
    return written.getvalue().encode()


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else str(value)


def _plain(text: str) -> str:
    """A text without the apostrophe that kept a spreadsheet from calculating it."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text
