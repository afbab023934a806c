"""Products in and out as files: the routes, and how rows become messages.

Rules:
- Each good row is a message of its own, taken through the loop like any other; a bad one is reported and stops nothing.
- A row's request is the file's `Idempotency-Key` and the row's line, so a file that is sent again, after whatever broke
  off, does what was not done and gives the same report.
- `ROWS_ASKED_MAX` rows are under way at a time; where the service is full, a row waits its turn.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.params import QueryParameter
from litestar.response import Stream

from sagamart.messaging.requests import Overloaded, StoredReply
from sagamart.platform.http import Ask, Caller, Problem, Queries, roles
from sagamart.shop.catalogue.messages import ImportProduct
from sagamart.shop.catalogue.sheets import IMPORT_BYTES_MAX, RefusedRow, Row, UnreadableFileError, rows_of, table

ROWS_ASKED_MAX = 200
ROWS_A_CHUNK = 500
REFUSED_SHOWN_MAX = 1_000
FULL_PAUSE_S = 0.1
FULL_PAUSES_MAX = 100

Delimiter = Annotated[Literal["comma", "semicolon"], QueryParameter(description="What stands between fields")]


class ImportReport(msgspec.Struct, frozen=True):
    """What became of the rows.  `refused` names the first 1,000 of those that were not taken."""

    rows: int
    created: int
    changed: int
    unchanged: int
    refused_count: int
    refused: Sequence[RefusedRow]


@post(
    "/v1/products/import",
    guards=[roles("OPERATOR", "ADMIN")],
    opt={"idempotent": "required", "takes": ("text/csv",)},
    status_code=200,
    request_max_body_size=IMPORT_BYTES_MAX,
)
async def import_products(request: Request[Any, Any, Any], ask: Ask, caller: Caller) -> Response[ImportReport]:
    """Create and change products from a CSV file (the body).  What is wrong with a row is reported by its line."""
    report = _Report(ask, caller.id)
    waiting: list[tuple[int, Row]] = []
    try:
        async for line, row in rows_of(request.stream()):
            if isinstance(row, RefusedRow):
                report.refuse(row)
            else:
                waiting.append((line, row))
            if len(waiting) >= ROWS_ASKED_MAX:
                await report.take(waiting)
                waiting = []
        await report.take(waiting)
    except UnreadableFileError as error:
        taken = {"rows_taken": report.taken}
        raise Problem(422, "unreadable_file", f"The file cannot be read: {error}", facts=taken) from error
    return Response(report.finished())


@get("/v1/products/export", guards=[roles("OPERATOR", "ADMIN")], opt={"gives": ("text/csv",)})
async def export_products(queries: Queries, delimiter: Delimiter = "comma") -> Stream:
    """All products as CSV, those off the shelf too; what a spreadsheet would calculate is made text."""
    headers = {"Content-Disposition": 'attachment; filename="products.csv"'}
    lines = _exported(queries, ";" if delimiter == "semicolon" else ",")
    return Stream(lines, media_type="text/csv", headers=headers)


async def _exported(queries: Queries, delimiter: str) -> AsyncIterator[bytes]:
    after, head = "", True
    while True:
        rows = await queries.products_exported(after=after, limit=ROWS_A_CHUNK)
        if rows or head:
            yield table(rows, delimiter=delimiter, head=head)
        if len(rows) < ROWS_A_CHUNK:
            return
        after, head = rows[-1]["sku"], False


class _Report:
    """The rows of one file on their way."""

    def __init__(self, ask: Ask, by: str) -> None:
        self._ask = ask
        self._by = by
        self._lines: dict[str, int] = {}
        self._refused: list[RefusedRow] = []
        self._counted: Counter[int] = Counter()
        self._rows = 0
        self._refused_count = 0

    @property
    def taken(self) -> int:
        """How many rows are in the catalogue as the file has them."""
        return sum(self._counted.values())

    def refuse(self, row: RefusedRow) -> None:
        """Count a row that is not taken."""
        self._rows += 1
        self._refused_count += 1
        if len(self._refused) < REFUSED_SHOWN_MAX:
            self._refused.append(row)

    async def take(self, rows: Sequence[tuple[int, Row]]) -> None:
        """Take these rows, all at once; a sku that an earlier line has is refused.  Raises Overloaded."""
        fresh = []
        for line, row in rows:
            first = self._lines.setdefault(row.sku, line)
            if first == line:
                fresh.append((line, row))
            else:
                self.refuse(RefusedRow(line, row.sku, "sku_repeated", f"line {first} has this sku already"))
        replies = await asyncio.gather(*(self._asked(line, row) for line, row in fresh))
        for (line, row), reply in zip(fresh, replies, strict=True):
            if reply.refused:
                problem = msgspec.json.decode(reply.body)
                self.refuse(RefusedRow(line, row.sku, problem["code"], _reason(problem)))
            else:
                self._rows += 1
                self._counted[reply.status] += 1

    async def _asked(self, line: int, row: Row) -> StoredReply:
        command = ImportProduct(by=self._by, **msgspec.structs.asdict(row))
        for _ in range(FULL_PAUSES_MAX):
            try:
                return await self._ask.reply_to(command, content=row, part=str(line))
            except Overloaded:
                await asyncio.sleep(FULL_PAUSE_S)
        raise Overloaded

    def finished(self) -> ImportReport:
        """The report, its refused rows in the order of lines."""
        refused = sorted(self._refused, key=lambda row: row.line)
        return ImportReport(
            self._rows, self._counted[201], self._counted[200], self._counted[204], self._refused_count, refused
        )


def _reason(problem: dict[str, Any]) -> str:
    lacking = problem.get("lacking")
    return f"{problem['title']}: {', '.join(lacking)}" if lacking else str(problem["title"])


ROUTES = (import_products, export_products)
