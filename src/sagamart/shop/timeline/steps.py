"""How long each step of an order takes, over HTTP, for operators: read off the newest of what was said."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import get

from sagamart.platform.http import Language, Page, Queries, roles
from sagamart.shop.timeline.words import words

ENTRIES_MAX = 3_000
"""How many of the newest entries are looked at."""


class Step(msgspec.Struct, frozen=True):
    """A kind of message, and how long after its cause `source` said it: half of them, and 95 of 100, within so long."""

    type: str
    text: str
    source: str
    messages: int
    median_ms: float
    p95_ms: float


@get("/v1/operations/steps", guards=[roles("OPERATOR", "ADMIN")], tags=["operations"])
async def steps(queries: Queries, language: Language) -> Page[Step]:
    """How long the steps of the newest orders took, the commonest first."""
    rows: Sequence[Any] = await queries.steps(newest=ENTRIES_MAX)
    return Page(
        [
            Step(
                row["type"],
                words(row["type"], language),
                row["source"],
                row["messages"],
                row["median_ms"],
                row["p95_ms"],
            )
            for row in rows
        ]
    )
