"""Products as CSV: what is read, what is refused with which line, and what goes out."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sagamart.shop.catalogue import sheets
from sagamart.shop.catalogue.sheets import RefusedRow, Row, UnreadableFileError, rows_of, table

MUG: dict[str, Any] = {
    "sku": "MUG",
    "title": "Blue mug",
    "description": "",
    "price_minor": 500,
    "currency": "RUB",
    "weight_g": 320,
    "length_mm": None,
    "width_mm": 80,
    "height_mm": None,
    "tax_rate_bp": 2_000,
    "active": True,
}


async def read(content: bytes | str, chunk: int = 7) -> list[tuple[int, Row | RefusedRow]]:
    """The rows of a file that comes in chunks of so many bytes."""
    raw = content.encode() if isinstance(content, str) else content

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), chunk):
            yield raw[start : start + chunk]

    return [row async for row in rows_of(chunks())]


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
async def test_a_file_is_read_in_whatever_pieces_it_comes(chunk: int) -> None:
    text = '\ufeffSKU;title;price_minor\r\nMUG;Синяя кружка;500\r\nCUP;"Cup; ""white""";300'
    assert await read(text, chunk) == [
        (2, Row("MUG", "Синяя кружка", price_minor=500)),
        (3, Row("CUP", 'Cup; "white"', price_minor=300)),
    ]


async def test_lines_are_counted_as_an_editor_counts_them() -> None:
    text = 'sku,description\nMUG,"two\nlines"\n\nCUP,one\nPLATE!,\n'
    found = await read(text)
    assert found[:2] == [(2, Row("MUG", description="two\nlines")), (5, Row("CUP", description="one"))]
    refused = found[2][1]
    assert isinstance(refused, RefusedRow)
    assert (refused.line, refused.sku, refused.code) == (6, "PLATE!", "malformed")


async def test_an_empty_field_leaves_as_it_is_and_an_empty_measure_takes_away() -> None:
    [(_, row)] = await read("sku,title,weight_g,length_mm,active,description\nMUG,,,,,\n")
    assert row == Row("MUG", length_mm=None, description="")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("MUG,x", "2 fields, 3 columns"),
        ("MUG,x,1,2", "4 fields, 3 columns"),
        ("MUG,x,-1", "`int` >= 0"),
        ("MUG,x,1.5", "Expected `int"),
        (f"MUG,{'x' * 201},1", "length <= 200"),
        (",x,1", "missing required field `sku`"),
    ],
)
async def test_a_row_that_cannot_be_right_is_refused_with_the_reason(line: str, reason: str) -> None:
    [(number, row)] = await read(f"sku,title,price_minor\n{line}\n")
    assert isinstance(row, RefusedRow)
    assert number == row.line == 2
    assert reason in row.reason


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "line 1: the file is empty"),
        ("sku,colour\n", "line 1: unknown columns colour"),
        ("title\n", "line 1: no column is called sku"),
        ("sku,sku\n", "line 1: a column is there twice"),
        ("sku\nMUG\nкружка\n".encode("cp1251"), "line 3: from here on this is no UTF-8"),
        ('sku,title\nMUG,"open\nCUP,x\n', "line 2: a quotation mark is not closed"),
        ('sku,title\nMUG,"x"y"z"\n', "line 2: "),
        ("sku\nMU\0G\n", "line 2: the character U\\+0000"),
        ("sku,title\nMUG," + "x" * 60_000 + "\n", "line 2: a line of more than 50000 characters"),
    ],
    ids=["empty", "unknown", "no sku", "twice", "cp1251", "open quote", "stray quote", "zero", "long"],
)
async def test_a_file_that_cannot_be_read_says_from_which_line_on(content: bytes | str, why: str) -> None:
    with pytest.raises(UnreadableFileError, match=f"^{why}"):
        await read(content, 4_096)


async def test_a_file_has_a_greatest_number_of_rows_and_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "ROWS_MAX", 2)
    with pytest.raises(UnreadableFileError, match="line 4: more than 2 rows"):
        await read("sku\nA\nB\nC\n")
    monkeypatch.setattr(sheets, "IMPORT_BYTES_MAX", 8)
    with pytest.raises(UnreadableFileError, match="more than 8 bytes"):
        await read("sku\nA\nB\nC\n")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "''", "'tis", "plain", 'a"b;c,d\ne'])
@pytest.mark.parametrize("delimiter", [",", ";"])
async def test_what_goes_out_comes_back_and_no_spreadsheet_calculates_it(text: str, delimiter: str) -> None:
    written = table([MUG | {"description": text}], delimiter=delimiter, head=True)
    cells = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""), delimiter=delimiter))[1]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    [(_, row)] = await read(written)
    assert row == Row(**(MUG | {"description": text}))
    assert written.startswith(b"\xef\xbb\xbfsku")
